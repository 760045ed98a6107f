import { SET_FLAGS, type SetDeclaration } from '../bytecode/index.ts';
import type { Expression, OwnSet } from '../model/index.ts';
import { evaluateElements } from './elements.ts';
import { at, CompileError, type Path } from './error.ts';
import { encodeElements } from './intervals.ts';
import { declareNamedSet } from './named-set.ts';
import type { Scope } from './scope.ts';
import { roomFor } from './set.ts';
import { VERDICTS } from './typeof.ts';

/** The anonymous set of an instruction that goes back as it came. */
export function declareOwnSet(node: OwnSet, scope: Scope, path: Path): SetDeclaration {
  if (typeof node !== 'object' || node === null)
    throw new CompileError(path, 'expected the declaration of a set');
  const declared = declareNamedSet({ ...node, name: templateOf(node) } as never, scope, path);
  const { key, data, flags } = declared;
  const evaluated = evaluateElements((node.elem ?? []) as Expression, key, data, scope, at(path, 'elem'));
  const elements = encodeElements(evaluated, { key, data, flags, complete: true });
  const isConstant = (flags & SET_FLAGS.constant) !== 0;
  const set: SetDeclaration = {
    ...declared,
    flags: flags | SET_FLAGS.anonymous,
    elements,
    ...(data?.kind === 'verdict' ? { dataTypeof: VERDICTS } : {}),
    ...(isConstant ? { size: roomFor(elements, declared) } : {}),
  };
  scope.sets.push(set);
  return set;
}

/** The kernel numbers the names of anonymous sets. */
function templateOf({ map }: OwnSet): string {
  return map === undefined ? '__set%d' : '__map%d';
}
