import type { Match } from '../../model/index.ts';
import { boundsOf } from '../constant.ts';
import { inByteOrder } from '../convert.ts';
import { type Emitter, valueBytes } from '../emit.ts';
import { at, CompileError, type Path } from '../error.ts';
import { bytesFor, type Expr, maxOf, type Prefix, prefixMask, type Range, type Value } from '../expr.ts';
import type { MatchOp, MatchStatement, Scope } from '../scope.ts';
import { checkKey, evaluateAnonymousSet, lookupKey, partsOf } from '../set.ts';

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
    throw new CompileError(at(path, 'op'), `${JSON.stringify(node.op)}: expected one of ${Object.keys(OPERATORS).join(' ')}`);
  }
  const place = at(path, 'right');
  const left = scope.evaluate(node.left, at(path, 'left'));
  if (left.kind === 'value' || left.kind === 'verdict' || left.kind === 'set') {
    throw new CompileError(at(path, 'left'), 'a part of the packet or its metadata belongs here');
  }
  const right = evaluateRight(node.right, left, scope, place);
  const flags = right.kind === 'value' && (left.type.base === 'bitmask' || right.type.base === 'bitmask');
  if (op === 'none' && !flags) throw new CompileError(at(path, 'op'), '! asks whether flags are unset: the left side has none');
  const statement = compare(left, op === 'any' && !flags ? 'eq' : op, right, place);
  scope.push(statement);
  if (op === 'any' || op === 'eq') learn(statement, scope);
}

function evaluateRight(node: Match['right'], left: Expr, scope: Scope, path: Path): Expr {
  if (typeof node === 'object' && node !== null && 'set' in node) {
    const inside = at(path, 'set');
    const nodes = node.set;
    const list = Array.isArray(nodes) ? nodes : [nodes];
    if (list.length === 1 && isPlain(list[0])) return scope.evaluate(list[0] as Match['right'], at(inside, 0), left);
    const set = evaluateAnonymousSet(nodes, partsOf(left), undefined, scope, inside);
    return { kind: 'set', type: left.type, bits: left.bits, byteorder: left.byteorder, set };
  }
  return scope.evaluate(node, path, left);
}

/** A set of one plain element is that element. */
function isPlain(node: unknown): boolean {
  if (typeof node !== 'object' || node === null) return node !== '*';
  return !('elem' in node || 'concat' in node);
}

function learn({ left, right }: MatchStatement, scope: Scope): void {
  if (right.kind === 'value') scope.protocols.learn(left, right);
}

/** A comparison whose sides have the same byte order, with shifts moved to the constant side. */
export function compare(left: Expr, op: MatchOp, right: Expr, path: Path | undefined): MatchStatement {
  const make = (l: Expr, r: Expr): MatchStatement => ({ kind: 'match', left: l, op, right: r });
  if (right.kind === 'set') {
    if (op !== 'eq' && op !== 'neq') throw new CompileError(path, 'a set takes the operators == and !=');
    checkKey(left, right.set, path);
    return make(lookupKey(left, right.set), right);
  }
  const moved = moveShift(left, right, path);
  if (ORDERED.has(op)) {
    if (right.kind !== 'value') throw new CompileError(path, 'a single value belongs here: it is compared by size');
    return make(inByteOrder(moved.left, 'network'), inByteOrder(moved.right, 'network'));
  }
  if (right.kind === 'range') return make(inByteOrder(moved.left, 'network'), inByteOrder(moved.right, 'network'));
  return make(moved.left, inByteOrder(moved.right, moved.left.byteorder));
}

/** `(payload & mask) >> n == value` becomes `payload & mask == value << n`. */
function moveShift(left: Expr, right: Expr, path: Path | undefined): { left: Expr; right: Expr } {
  const constantRight = right.kind === 'value' || right.kind === 'range';
  if (left.kind !== 'binop' || !constantRight || left.right.kind !== 'value') return { left, right };
  const by = left.right.value;
  const map = (change: (value: bigint) => bigint): { left: Expr; right: Expr } => ({
    left: left.left,
    right:
      right.kind === 'value'
        ? { ...right, bits: left.bits, value: change(right.value) }
        : { ...right, bits: left.bits, low: change(right.low), high: change(right.high) },
  });
  if (left.op === 'rshift') return map((value) => value << by);
  if (left.op === 'lshift') {
    const [low] = boundsOf(right as Value | Range);
    if (low & maxOf(Number(by))) throw new CompileError(path, 'the comparison is always false: the shift clears these bits');
    return map((value) => value >> by);
  }
  if (left.op === 'xor' && right.kind === 'value') return map((value) => value ^ by);
  return { left, right: { ...right, bits: left.bits } };
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
  if (low === high) emitter.push({ name: 'cmp', sreg, op: op === 'neq' ? 'neq' : 'eq', data: data(low) });
  else if (op === 'neq') emitter.push({ name: 'range', sreg, op: 'neq', from: data(low), to: data(high) });
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
    emitter.push({ name: 'cmp', sreg, op: cmp, data: valueBytes({ ...right, value: right.value }).slice(0, whole) });
    return;
  }
  if (left.kind === 'payload' && right.length % 8 === 0 && right.length > 0) {
    const sreg = emitter.load({ ...left, bits: right.length });
    emitter.push({ name: 'cmp', sreg, op: cmp, data: valueBytes({ ...right, value: right.value }).slice(0, whole) });
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
