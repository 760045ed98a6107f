import { SET_FLAGS, type SetDeclaration } from '../../bytecode/index.ts';
import type { MeterStatement } from '../../model/index.ts';
import { at, type Path } from '../error.ts';
import { checkName } from '../name.ts';
import type { Scope } from '../scope.ts';
import { partsOf } from '../set.ts';
import { MAX_32, whole } from '../whole.ts';
import { evaluateElementKey, evaluateUpdate } from './set-update.ts';

/**
 * `{ meter: { name, key, stmt, size } }`: a set of the rule's own that the rule fills. nft gave up the word
 * for named sets, and still reads it.
 */
export function evaluateMeter(node: MeterStatement, scope: Scope, path: Path): void {
  const { key, timeout } = evaluateElementKey(node.key, undefined, scope, at(path, 'key'));
  const set: SetDeclaration = {
    name: checkName(node.name, at(path, 'name')),
    id: scope.names.nextSetId(),
    key: partsOf(key).map(({ type, bits, byteorder }) => ({ type, bits, byteorder })),
    flags: SET_FLAGS.anonymous | SET_FLAGS.eval | (timeout === undefined ? 0 : SET_FLAGS.timeout),
    ...(node.size === undefined ? {} : { size: whole(node.size, MAX_32, at(path, 'size'), 1) }),
    elements: [],
  };
  scope.sets.push(set);
  const statements = Array.isArray(node.stmt) ? node.stmt : [node.stmt];
  evaluateUpdate(
    { op: timeout === undefined ? 'add' : 'update', set, key, timeout, statements },
    scope,
    at(path, 'stmt'),
  );
}
