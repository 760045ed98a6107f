import { type Instruction, joinedBits, type SetDeclaration, type Typed } from '../../bytecode/index.ts';
import type { Expression, MapStatement, SetStatement, Statement } from '../../model/index.ts';
import { checkArgument } from '../argument.ts';
import { inByteOrder } from '../convert.ts';
import { milliseconds } from '../elements.ts';
import { at, CompileError, type Path } from '../error.ts';
import type { Expr } from '../expr.ts';
import { evaluateLoadable } from '../loadable.ts';
import type { Scope } from '../scope.ts';
import { lookupKey } from '../set.ts';
import { checkShape, expressionShapes } from '../shape.ts';
import { evaluateStateful } from '../stateful.ts';

const OPERATIONS = ['add', 'update', 'delete'] as const;
/** NFT_DYNSET_F_EXPR: NFTA_DYNSET_EXPRESSIONS holds the statements. */
const SEVERAL = 2;
const STATEFUL = ['counter', 'quota', 'limit', 'last', 'ct count'] as const;

/** `{ set: { op, elem, set, stmt } }` */
export function evaluateSetStatement(node: SetStatement, scope: Scope, path: Path): void {
  update(node, node.set, undefined, scope, path);
}

/** `{ map: { op, elem, data, map, stmt } }` */
export function evaluateMapStatement(node: MapStatement, scope: Scope, path: Path): void {
  update(node, node.map, node.data, scope, path);
}

function update(
  node: Pick<SetStatement, 'op' | 'elem' | 'stmt'>,
  name: string,
  data: Expression | undefined,
  scope: Scope,
  path: Path,
): void {
  if (!OPERATIONS.includes(node.op))
    throw new CompileError(at(path, 'op'), `expected one of ${OPERATIONS.join(', ')}`);
  const target = data === undefined ? 'set' : 'map';
  if (typeof name !== 'string' || !name.startsWith('@')) {
    throw new CompileError(at(path, target), `expected the name of a ${target}: "@name"`);
  }
  const set = scope.namedSet(name, at(path, target));
  const { key, timeout } = evaluateElementKey(node.elem, joined(set.key), scope, at(path, 'elem'));
  checkArgument(key, joined(set.key) as Typed, at(path, 'elem'));
  const value = data === undefined ? undefined : evaluateValue(data, set, scope, at(path, 'data'));
  evaluateUpdate(
    { op: node.op, set, key: lookupKey(key, set), value, timeout, statements: node.stmt ?? [] },
    scope,
    at(path, 'stmt'),
  );
}

/** What a rule does to an element. */
interface Update {
  readonly op: SetStatement['op'];
  readonly set: SetDeclaration;
  readonly key: Expr;
  readonly value?: Expr | undefined;
  /** Milliseconds. */
  readonly timeout?: bigint | undefined;
  /** What the element carries. */
  readonly statements: readonly Statement[];
}

/** Adds the instruction that does `update`; `path` is where the statements are. */
export function evaluateUpdate(update: Update, scope: Scope, path: Path): void {
  const { op, set, key, value, timeout, statements } = update;
  const expressions = evaluateStatements(statements, scope, path);
  const carried =
    expressions.length === 0
      ? {}
      : expressions.length === 1
        ? { expression: expressions[0] as Instruction }
        : { flags: SEVERAL, expressions };
  scope.action((emitter) => {
    emitter.scoped(() => {
      const sregKey = emitter.load(key);
      const sregData = value === undefined ? undefined : emitter.load(value);
      emitter.push({
        name: 'dynset',
        set: set.name,
        setId: set.id,
        op,
        sregKey,
        ...(sregData === undefined ? {} : { sregData }),
        ...(timeout === undefined ? {} : { timeout }),
        ...carried,
      });
    });
  });
}

/** A key, or an element with its timeout; `want` is what the set holds, where that is decided. */
export function evaluateElementKey(
  node: Expression,
  want: Typed | undefined,
  scope: Scope,
  path: Path,
): { key: Expr; timeout?: bigint } {
  if (typeof node !== 'object' || node === null || !('elem' in node))
    return { key: evaluateLoadable(node, scope, path, want) };
  const inside = at(path, 'elem');
  checkShape(node.elem, expressionShapes.elem, inside);
  const { val, timeout, comment } = node.elem;
  if (comment !== undefined)
    throw new CompileError(at(inside, 'comment'), 'what a rule adds carries no comment');
  const key = evaluateLoadable(val, scope, at(inside, 'val'), want);
  return timeout === undefined ? { key } : { key, timeout: milliseconds(timeout, at(inside, 'timeout')) };
}

/** What a key or value of these parts has to be. */
function joined(parts: readonly Typed[]) {
  const [first] = parts;
  return first === undefined || parts.length === 1 ? first : { ...first, bits: joinedBits(parts), parts };
}

function evaluateValue(node: Expression, set: SetDeclaration, scope: Scope, path: Path): Expr {
  if (set.data?.kind !== 'value') throw new CompileError(path, `the values of @${set.name} are not data`);
  const { parts } = set.data;
  const [first] = parts;
  if (first === undefined)
    throw new CompileError(path, `the type of the values of @${set.name} is not known`);
  const value = evaluateLoadable(node, scope, path, joined(parts));
  checkArgument(value, joined(parts) as Typed, path);
  return inByteOrder(value, first.byteorder);
}

function evaluateStatements(nodes: readonly Statement[], scope: Scope, path: Path): Instruction[] {
  return Array.from(nodes, (node, i) => {
    const kind = STATEFUL.find((name) => typeof node === 'object' && node !== null && name in node);
    if (kind === undefined) throw new CompileError(at(path, i), `expected one of ${STATEFUL.join(', ')}`);
    return evaluateStateful(kind, (node as Record<string, unknown>)[kind], scope, at(at(path, i), kind));
  });
}
