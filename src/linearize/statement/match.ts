import { datatype, quoted } from '../../datatype/index.ts';
import type { Elem, Expression, Match } from '../../model/index.ts';
import { fibPresent } from '../../protocol/index.ts';
import { inByteOrder } from '../convert.ts';
import { type Emitter, valueBytes } from '../emit.ts';
import { at, CompileError, type Path } from '../error.ts';
import { bytesFor, type Expr, type Prefix, prefixMask, type Range } from '../expr.ts';
import { evaluateLoadable } from '../loadable.ts';
import type { MatchOp, MatchStatement, Scope } from '../scope.ts';
import { checkKey, evaluateAnonymousSet, lookupKey } from '../set.ts';
import { transferOf } from '../transfer.ts';

const OPERATORS: Readonly<Record<string, MatchOp>> = {
  '==': 'eq',
  '!=': 'neq',
  '<': 'lt',
  '<=': 'lte',
  '>': 'gt',
  '>=': 'gte',
  in: 'any',
  '!': 'none',
};

const ORDERED: ReadonlySet<MatchOp> = new Set(['lt', 'lte', 'gt', 'gte']);

/** `{ match: { left, op, right } }` */
export function evaluateMatch(node: Match, scope: Scope, path: Path): void {
  const op = OPERATORS[node.op ?? 'in'];
  if (op === undefined) {
    throw new CompileError(
      at(path, 'op'),
      `${quoted(node.op)}: expected one of ${Object.keys(OPERATORS).join(' ')}`,
    );
  }
  const place = at(path, 'right');
  const left = withPresence(evaluateLoadable(node.left, scope, at(path, 'left')), node.right);
  if (left.kind === 'value') {
    throw new CompileError(at(path, 'left'), 'a part of the packet or its metadata belongs here');
  }
  const { left: looked, right } = evaluateRight(node.right, left, scope, place);
  const flags = right.kind === 'value' && left.type.base === 'bitmask' && left.kind !== 'binop';
  if (op === 'none' && !flags)
    throw new CompileError(
      at(path, 'op'),
      '! asks whether flags are unset: the left side has none, or is calculated',
    );
  const statement = compare(looked, op === 'any' && !flags ? 'eq' : op, right, place);
  scope.push(statement);
  if (op === 'any' || op === 'eq') scope.learn(statement.left, statement.right);
}

/**
 * `fib … oif` compared with true or false asks whether there is a route. The kernel answers with one byte
 * and clears the rest of the register; nft compares all of it, and would read a lone byte as a prefix.
 */
function withPresence(left: Expr, right: Match['right']): Expr {
  if (left.kind !== 'load' || left.source[0] !== 'fib' || typeof right !== 'boolean') return left;
  const load = (dreg: number) => {
    const fib = left.load(dreg);
    return fib.name === 'fib' ? { ...fib, flags: fib.flags | fibPresent } : fib;
  };
  return { ...left, type: datatype('boolean'), bits: 32, load };
}

function evaluateRight(
  node: Match['right'],
  left: Expr,
  scope: Scope,
  path: Path,
): { left: Expr; right: Expr } {
  if (typeof node === 'object' && node !== null && 'set' in node) {
    const inside = at(path, 'set');
    const nodes = node.set;
    const list = Array.isArray(nodes) ? nodes : [nodes];
    if (list.length === 1 && !scope.names.keepsSets && isPlain(list[0])) {
      return {
        left,
        right: constantOf(scope.evaluate(plainOf(list[0] as Expression), at(inside, 0), left), at(inside, 0)),
      };
    }
    const { key, set, values } = evaluateAnonymousSet(nodes, left, undefined, scope, inside);
    return {
      left: key,
      right: { kind: 'set', type: left.type, bits: left.bits, byteorder: left.byteorder, set, values },
    };
  }
  const right = scope.evaluate(node, path, left);
  if (right.kind === 'concat')
    throw new CompileError(path, 'a concatenation is looked up in a set: write { set: [{ concat: […] }] }');
  if (right.kind !== 'set') {
    if (left.kind === 'concat')
      throw new CompileError(path, 'a concatenation is looked up in a set: write { set: [{ concat: […] }] }');
    return { left, right: constantOf(right, path) };
  }
  checkKey(left, right.set, path);
  return { left: lookupKey(left, right.set), right };
}

function constantOf(expr: Expr, path: Path): Expr {
  if (expr.kind === 'value' || expr.kind === 'range' || expr.kind === 'prefix') return expr;
  throw new CompileError(path, 'a constant or a set belongs here');
}

/** A set of one plain element is that element, whatever is said of it in a comment. */
function isPlain(node: unknown): boolean {
  if (typeof node !== 'object' || node === null) return node !== '*';
  if (!('elem' in node)) return !('concat' in node);
  const { elem } = node as { elem?: Partial<Elem> | null };
  if (typeof elem !== 'object' || elem?.val === undefined) return false;
  const inner = elem.val;
  const nested = typeof inner === 'object' && inner !== null && 'elem' in inner;
  return !nested && Object.keys(elem).every((key) => key === 'val' || key === 'comment') && isPlain(inner);
}

function plainOf(node: Expression): Expression {
  return typeof node === 'object' && node !== null && 'elem' in node ? node.elem.val : node;
}

/** A comparison whose sides have the same byte order, with shifts moved to the constant side. */
export function compare(left: Expr, op: MatchOp, right: Expr, path: Path | undefined): MatchStatement {
  const make = (l: Expr, r: Expr): MatchStatement => ({ kind: 'match', left: l, op, right: r });
  if (right.kind === 'set') {
    if (op !== 'eq' && op !== 'neq') throw new CompileError(path, 'a set takes the operators == and !=');
    return make(left, right);
  }
  const isOrdered = ORDERED.has(op);
  const moved = move(left, right, isOrdered, path);
  if (isOrdered) {
    if (right.kind !== 'value')
      throw new CompileError(path, 'a single value belongs here: it is compared by size');
    return make(inByteOrder(moved.left, 'network'), inByteOrder(moved.right, 'network'));
  }
  if (moved.right.kind === 'range') return compareRange(moved.left, op, moved.right, path);
  return make(moved.left, inByteOrder(moved.right, moved.left.byteorder));
}

/** A range that passes midnight is all but the hours between its ends. */
function compareRange(left: Expr, op: MatchOp, range: Range, path: Path | undefined): MatchStatement {
  if (op !== 'eq' && op !== 'neq') throw new CompileError(path, 'a range takes the operators == and !=');
  const backwards = range.low > range.high;
  const turned = backwards ? { ...range, low: range.high, high: range.low } : range;
  return {
    kind: 'match',
    left: inByteOrder(left, 'network'),
    op: backwards === (op === 'eq') ? 'neq' : 'eq',
    right: inByteOrder(turned, 'network'),
  };
}

function move(
  left: Expr,
  right: Expr,
  isOrdered: boolean,
  path: Path | undefined,
): { left: Expr; right: Expr } {
  const transfer = transferOf(left);
  return transfer?.takes(right) && (transfer.keepsOrder || !isOrdered)
    ? { left: transfer.left, right: transfer.apply(right, path) }
    : { left, right };
}

/** Emits a comparison; the rule breaks off where it does not hold. */
export function emitMatch({ left, op, right }: MatchStatement, emitter: Emitter): void {
  emitter.scoped(() => {
    switch (right.kind) {
      case 'set':
        emitter.lookup(left, right.set, op === 'neq');
        return;
      case 'range':
        emitRange(left, op, right, emitter);
        return;
      case 'prefix':
        emitPrefix(left, op, right, emitter);
        return;
      default:
        if (op === 'any' || op === 'none') emitFlags(left, op, right, emitter);
        else emitCompare(left, op, right, emitter);
    }
  });
}

function bytesOf(expr: Expr): Uint8Array {
  if (expr.kind === 'value') return valueBytes(expr);
  throw new Error(`${expr.kind} cannot be compared with`);
}

function emitCompare(left: Expr, op: MatchOp, right: Expr, emitter: Emitter): void {
  const sreg = emitter.load(left);
  emitter.push({ name: 'cmp', sreg, op: op as 'eq', data: bytesOf(right) });
}

function emitRange(left: Expr, op: MatchOp, { low, high, ...typed }: Range, emitter: Emitter): void {
  const sreg = emitter.load(left);
  const data = (value: bigint) => valueBytes({ ...typed, value });
  if (op === 'neq') emitter.push({ name: 'range', sreg, op: 'neq', from: data(low), to: data(high) });
  else {
    emitter.push({ name: 'cmp', sreg, op: 'gte', data: data(low) });
    emitter.push({ name: 'cmp', sreg, op: 'lte', data: data(high) });
  }
}

/** Whole bytes are loaded alone where that is possible, else the rest is masked off. */
function emitPrefix(left: Expr, op: MatchOp, right: Prefix, emitter: Emitter): void {
  const cmp = op === 'neq' ? 'neq' : 'eq';
  const whole = bytesFor(right.length);
  if (right.type.base === 'string') {
    const sreg = emitter.load(left);
    emitter.push({
      name: 'cmp',
      sreg,
      op: cmp,
      data: valueBytes({ ...right, value: right.value }).slice(0, whole),
    });
    return;
  }
  if (right.byteorder === 'network' && right.length % 8 === 0 && right.length > 0) {
    const narrow = left.kind === 'payload' || left.kind === 'exthdr';
    const sreg = emitter.load(narrow ? { ...left, bits: right.length } : left);
    emitter.push({
      name: 'cmp',
      sreg,
      op: cmp,
      data: valueBytes({ ...right, value: right.value }).slice(0, whole),
    });
    return;
  }
  const sreg = emitter.load(left);
  const len = bytesFor(right.bits);
  emitter.push({
    name: 'bitwise',
    sreg,
    dreg: sreg,
    len,
    mask: valueBytes({ ...right, value: prefixMask(right.bits, right.length) }),
    xor: new Uint8Array(len),
    op: 'bool',
  });
  emitter.push({ name: 'cmp', sreg, op: cmp, data: valueBytes({ ...right, value: right.value }) });
}

function emitFlags(left: Expr, op: 'any' | 'none', right: Expr, emitter: Emitter): void {
  const sreg = emitter.load(left);
  const mask = bytesOf(right);
  const zero = new Uint8Array(mask.length);
  emitter.push({ name: 'bitwise', sreg, dreg: sreg, len: mask.length, mask, xor: zero, op: 'bool' });
  emitter.push({ name: 'cmp', sreg, op: op === 'any' ? 'neq' : 'eq', data: zero });
}
