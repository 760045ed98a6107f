import type { Typed } from '../bytecode/index.ts';
import { DatatypeError, fromBytes, quoted, toBytes } from '../datatype/index.ts';
import type { Expression } from '../model/index.ts';
import { constant } from './convert.ts';
import { at, CompileError, type Path } from './error.ts';
import { bytesFor, type Expr, maxOf, type Prefix, prefixMask, type Range, type Value } from './expr.ts';
import type { Scope } from './scope.ts';
import { whole } from './whole.ts';

type Bounded = Typed & { readonly greatest?: bigint | undefined };

/** A literal in the type of the place it goes to; `eth*` is a prefix of names. */
export function evaluateLiteral(
  node: string | number | bigint | boolean,
  path: Path | undefined,
  want: Typed | undefined,
): Expr {
  if (want === undefined) {
    throw new CompileError(path, `${quoted(node)} is a constant: what it is compared with belongs here`);
  }
  if (
    typeof node === 'string' &&
    want.type.base === 'string' &&
    node.endsWith('*') &&
    !node.endsWith('\\*')
  ) {
    return namePrefix(node, path, want);
  }
  const literal =
    typeof node === 'string' && want.type.base === 'string' && node.endsWith('\\*')
      ? `${node.slice(0, -2)}*`
      : node;
  try {
    return withinReach(constant(want, want.type.parse(literal, literalBits(want))), path, want);
  } catch (error) {
    if (error instanceof DatatypeError || error instanceof RangeError)
      throw new CompileError(path, error.message, { cause: error });
    throw error;
  }
}

/** Refuses what is greater than anything that it is compared with. */
function withinReach(value: Value, path: Path | undefined, { greatest }: Bounded): Value {
  if (greatest === undefined || value.value <= greatest) return value;
  throw new CompileError(path, `${value.value} is never reached: expected 0 to ${greatest}`);
}

/** How wide a constant may be that is compared with an expression, or stored in its place. */
export function literalBits(want: Typed & { readonly limit?: number | undefined }): number {
  return want.limit ?? want.bits;
}

function namePrefix(pattern: string, path: Path | undefined, want: Typed): Prefix {
  const text = Buffer.from(pattern.slice(0, -1), 'utf8');
  const room = bytesFor(want.bits) - 1;
  if (text.length === 0 || text.length >= room + 1) {
    throw new CompileError(
      path,
      `${quoted(pattern)} is not a pattern of names: expected 1 to ${room} bytes and *`,
    );
  }
  const bytes = new Uint8Array(bytesFor(want.bits));
  bytes.set(text);
  return {
    kind: 'prefix',
    type: want.type,
    bits: want.bits,
    byteorder: want.byteorder,
    value: fromBytes(bytes, 'host'),
    length: text.length * 8,
  };
}

/** A constant that must be a single value. */
export function evaluateValue(node: Expression, scope: Scope, path: Path | undefined, want: Typed): Value {
  const value = scope.evaluate(node, path, want);
  if (value.kind !== 'value') throw new CompileError(path, `a single ${want.type.name} belongs here`);
  return value;
}

/** `{ prefix: { addr, len } }` */
export function evaluatePrefix(
  node: { readonly addr: Expression; readonly len: number },
  scope: Scope,
  path: Path | undefined,
  want: Typed | undefined,
): Expr {
  const place = at(path, 'prefix');
  if (want === undefined)
    throw new CompileError(place, 'a prefix is a constant: what it is compared with belongs here');
  if (want.type.base === 'string')
    throw new CompileError(place, 'a prefix is for numbers: the beginning of a name is "eth*"');
  const { addr, len } = node ?? {};
  const { value } = evaluateValue(addr, scope, at(place, 'addr'), want);
  const length = whole(len, want.bits, at(place, 'len'));
  const mask = prefixMask(want.bits, length);
  return {
    kind: 'prefix',
    type: want.type,
    bits: want.bits,
    byteorder: want.byteorder,
    value: value & mask,
    length,
  };
}

/** `{ range: [low, high] }` */
export function evaluateRange(
  node: readonly [Expression, Expression],
  scope: Scope,
  path: Path | undefined,
  want: Typed | undefined,
): Range {
  const place = at(path, 'range');
  if (want === undefined)
    throw new CompileError(place, 'a range is a constant: what it is compared with belongs here');
  if (!Array.isArray(node) || node.length !== 2) throw new CompileError(place, 'a range has two ends');
  if (want.type.base === 'string')
    throw new CompileError(place, `a range is for numbers, and ${want.type.name} is text`);
  const low = evaluateValue(node[0], scope, at(place, 0), want).value;
  const high = evaluateValue(node[1], scope, at(place, 1), want).value;
  // An hour before midnight to one after it is turned inside out where it is compared.
  if (low > high && want.type.name !== 'hour')
    throw new CompileError(place, 'the range ends before it starts');
  return { kind: 'range', type: want.type, bits: want.bits, byteorder: want.byteorder, low, high };
}

/** A list of flags is the value in which all of them are set. */
export function evaluateList(
  node: readonly Expression[],
  scope: Scope,
  path: Path | undefined,
  want: Typed | undefined,
): Value {
  if (want === undefined)
    throw new CompileError(path, 'a list is a constant: what it is compared with belongs here');
  if (want.type.base !== 'bitmask') {
    throw new CompileError(
      path,
      `a list of values needs a type of flags, and ${want.type.name} is none: write { set: […] }`,
    );
  }
  let value = 0n;
  for (const [i, item] of node.entries()) value |= evaluateValue(item, scope, at(path, i), want).value;
  return constant(want, value);
}

/** The first and the last value that a constant stands for, as numbers. */
export function boundsOf(expr: Value | Prefix | Range): readonly [low: bigint, high: bigint] {
  if (expr.kind === 'value') return [expr.value, expr.value];
  if (expr.kind === 'range') return [expr.low, expr.high];
  if (expr.type.base !== 'string') return [expr.value, expr.value | maxOf(expr.bits - expr.length)];
  const bytes = toBytes(expr.value, bytesFor(expr.bits), 'host');
  bytes.fill(0xff, expr.length / 8);
  return [expr.value, fromBytes(bytes, 'host')];
}
