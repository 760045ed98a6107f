import type { Typed } from '../bytecode/index.ts';
import { constant } from './convert.ts';
import type { KeyPart } from './elements.ts';
import { CompileError, type Path } from './error.ts';
import { type Expr, maxOf } from './expr.ts';

/** An operation that leaves the side of the packet and is done, in reverse, to the constants it is compared with. */
export interface Transfer {
  /** What is left to be read from the packet. */
  readonly left: Expr;
  /** Whether what is smaller stays smaller. */
  readonly keepsOrder: boolean;
  /** Whether a constant can take the operation. */
  readonly takes: (part: Expr) => part is KeyPart;
  /** A constant, as it is compared with `left`. */
  readonly apply: (part: KeyPart, path: Path | undefined) => KeyPart;
}

/**
 * `(payload & mask) >> n == value` becomes `payload & mask == value << n`: one instruction less, and what
 * nft writes. Undefined where the left side has no operation to move.
 */
export function transferOf(left: Expr): Transfer | undefined {
  if (left.kind !== 'binop' || left.right.kind !== 'value') return undefined;
  const { value } = left.right;
  switch (left.op) {
    case 'rshift': {
      const source = left.left.kind === 'byteorder' ? left.left.arg : left.left;
      const mask = (maxOf(source.bits) >> value) << value;
      const and: Expr = {
        ...typedOf(source),
        kind: 'binop',
        op: 'and',
        left: source,
        right: constant(source, mask),
      };
      return {
        left: and,
        keepsOrder: true,
        takes: isNumeric,
        apply: (part) => mapValues(part, source, (number) => number << value),
      };
    }
    case 'lshift':
      return {
        left: left.left,
        keepsOrder: false,
        takes: isSingle,
        apply: (part, path) => mapValues(part, left.left, (number) => shiftRight(number, value, path)),
      };
    case 'xor':
      return {
        left: left.left,
        keepsOrder: false,
        takes: isSingle,
        apply: (part) => mapValues(part, left.left, (number) => number ^ value),
      };
    default:
      return undefined;
  }
}

function typedOf({ type, bits, byteorder }: Typed): Typed {
  return { type, bits, byteorder };
}

function shiftRight(number: bigint, by: bigint, path: Path | undefined): bigint {
  if ((number >> by) << by === number) return number >> by;
  throw new CompileError(
    path,
    `the comparison is always false: the lowest ${by} bits of the left side are 0`,
  );
}

function mapValues(part: KeyPart, typed: Typed, change: (value: bigint) => bigint): KeyPart {
  const { bits, byteorder } = typed;
  if (part.kind === 'value') return { ...part, bits, byteorder, value: change(part.value) };
  if (part.kind === 'range')
    return { ...part, bits, byteorder, low: change(part.low), high: change(part.high) };
  throw new Error('a prefix is not moved');
}

function isNumeric(part: Expr): part is KeyPart {
  return part.kind === 'value' || part.kind === 'range';
}

/** An exclusive or, and a shift that loses the highest bits, do not keep the order of numbers: no range stays one. */
function isSingle(part: Expr): part is KeyPart {
  return part.kind === 'value';
}
