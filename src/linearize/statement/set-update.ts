import { type Instruction, joinedBits, type SetDeclaration, type Typed } from '../../bytecode/index.ts';
import type { Expression, MapStatement, SetStatement, Statement } from '../../model/index.ts';
import { inByteOrder } from '../convert.ts';
import { milliseconds } from '../elements.ts';
import { at, CompileError, type Path } from '../error.ts';
import type { Expr } from '../expr.ts';
import type { Scope } from '../scope.ts';
import { checkKey, lookupKey, partsOf } from '../set.ts';
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
  if (!OPERATIONS.includes(node.op)) throw new CompileError(at(path, 'op'), `expected one of ${OPERATIONS.join(', ')}`);
  const target = data === undefined ? 'set' : 'map';
  if (typeof name !== 'string' || !name.startsWith('@')) {
    throw new CompileError(at(path, target), `expected the name of a ${target}: "@name"`);
  }
  const set = scope.namedSet(name, at(path, target));
  const { key, timeout } = evaluateKey(node.elem, set, scope, at(path, 'elem'));
  checkKey(key, set, at(path, 'elem'));
  const value = data === undefined ? undefined : evaluateValue(data, set, scope, at(path, 'data'));
  const expressions = evaluateStatements(node.stmt ?? [], scope, at(path, 'stmt'));
  const carried =
    expressions.length === 0
      ? {}
      : expressions.length === 1
        ? { expression: expressions[0] as Instruction }
        : { flags: SEVERAL, expressions };
  const looked = lookupKey(key, set);
  scope.action((emitter) => {
    emitter.scoped(() => {
      const sregKey = emitter.load(looked);
      const sregData = value === undefined ? undefined : emitter.load(value);
      emitter.push({
        name: 'dynset',
        set: set.name,
        setId: set.id,
        op: node.op,
        sregKey,
        ...(sregData === undefined ? {} : { sregData }),
        ...(timeout === undefined ? {} : { timeout }),
        ...carried,
      });
    });
  });
}

function evaluateKey(
  node: Expression,
  set: SetDeclaration,
  scope: Scope,
  path: Path,
): { key: Expr; timeout?: bigint } {
  const want = joined(set.key);
  if (typeof node !== 'object' || node === null || !('elem' in node)) return { key: scope.evaluate(node, path, want) };
  const inside = at(path, 'elem');
  const { val, timeout } = node.elem;
  const key = scope.evaluate(val, at(inside, 'val'), want);
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
  if (first === undefined) throw new CompileError(path, `the type of the values of @${set.name} is not known`);
  const value = scope.evaluate(node, path, joined(parts));
  const widths = partsOf(value).map((part) => part.bits);
  if (widths.join() !== parts.map((part) => part.bits).join()) {
    throw new CompileError(path, `the map @${set.name} holds ${parts.map((part) => part.type.name).join(' . ')}`);
  }
  return inByteOrder(value, first.byteorder);
}

function evaluateStatements(nodes: readonly Statement[], scope: Scope, path: Path): Instruction[] {
  return nodes.map((node, i) => {
    const kind = STATEFUL.find((name) => name in node);
    if (kind === undefined) throw new CompileError(at(path, i), `expected one of ${STATEFUL.join(', ')}`);
    return evaluateStateful(kind, (node as Record<string, unknown>)[kind], scope, at(at(path, i), kind));
  });
}
