import { OBJECT_TYPES, type ObjectType } from '../../bytecode/index.ts';
import type { Expression, ObjectReference } from '../../model/index.ts';
import { at, CompileError, type Path } from '../error.ts';
import { evaluateMapLookup } from '../map.ts';
import { checkName } from '../name.ts';
import type { Scope } from '../scope.ts';
import { checkShape, expressionShapes } from '../shape.ts';
import { evaluateStateful } from '../stateful.ts';

/** `counter`, `quota`, `limit`, `last`, `ct count`: of the rule's own, or a named object. */
export function evaluateStatefulStatement(
  kind: 'counter' | 'quota' | 'limit' | 'last' | 'ct count',
  node: unknown,
  scope: Scope,
  path: Path,
): void {
  if ((kind === 'counter' || kind === 'quota' || kind === 'limit') && isReference(node)) {
    evaluateObjectReference(kind, node, scope, path);
    return;
  }
  const instruction = evaluateStateful(kind, node, scope, path);
  scope.action((emitter) => emitter.push(instruction));
}

export function isReference(node: unknown): node is ObjectReference {
  return typeof node === 'string' || (typeof node === 'object' && node !== null && 'map' in node);
}

/** A named object, by its name or through a map of names. */
export function evaluateObjectReference(
  object: ObjectType,
  node: ObjectReference,
  scope: Scope,
  path: Path,
): void {
  if (typeof node === 'string') {
    const name = checkName(node, path);
    scope.action((emitter) => emitter.push({ name: 'objref', type: OBJECT_TYPES[object], object: name }));
    return;
  }
  if (!isReference(node))
    throw new CompileError(path, `the name of a ${object}, or a map to names, belongs here`);
  checkShape(node.map, expressionShapes.map, at(path, 'map'));
  const lookup = node.map as { readonly key: Expression; readonly data: Expression };
  const { key, set } = evaluateMapLookup(lookup, { kind: 'object', object }, scope, at(path, 'map'));
  scope.action((emitter) => {
    emitter.scoped(() => {
      const sreg = emitter.load(key);
      emitter.push({ name: 'objref', sreg, set: set.name, setId: set.id });
    });
  });
}
