import { DatatypeError, type Literal } from './datatype.ts';

/** Longer than any number of a rule; what is longer takes a while to be read. */
const longest = 200;
const numeral = /^(?:0[xX][0-9a-fA-F]+|0[0-7]+|0|[1-9][0-9]*)$/;

/** The number a literal states (decimal, `0x` hexadecimal, `0` octal), or undefined when it states none. */
export function readNumber(literal: Literal): bigint | undefined {
  if (typeof literal === 'bigint') return literal >= 0n ? literal : undefined;
  if (typeof literal === 'number') {
    return Number.isSafeInteger(literal) && literal >= 0 ? BigInt(literal) : undefined;
  }
  if (typeof literal !== 'string' || literal.length > longest || !numeral.test(literal)) return undefined;
  const octal = literal.length > 1 && literal[0] === '0' && literal[1] !== 'x' && literal[1] !== 'X';
  return BigInt(octal ? `0o${literal.slice(1)}` : literal);
}

/** Says which numbers `bits` bits hold; 0 stands for any. */
export function describeNumbers(bits: number): string {
  if (bits === 0) return 'a number of at least 0';
  const greatest = (1n << BigInt(bits)) - 1n;
  return `a number from 0 to ${bits > 64 ? `0x${greatest.toString(16)}` : greatest}`;
}

/**
 * The number a literal states.
 *
 * @throws DatatypeError when it states none, or one wider than `bits` (0: any width)
 */
export function parseNumber(
  type: string,
  literal: Literal,
  bits: number,
  expected = describeNumbers(bits),
): bigint {
  const value = readNumber(literal);
  if (value === undefined || (bits > 0 && value >> BigInt(bits) !== 0n)) {
    throw new DatatypeError(type, literal, expected);
  }
  return value;
}

/**
 * A number as libnftables JSON has it. Above 2^53 JSON readers round, so it becomes text: decimal to
 * 64 bits, hexadecimal beyond.
 */
export function formatNumber(value: bigint): number | string {
  if (value <= BigInt(Number.MAX_SAFE_INTEGER)) return Number(value);
  return value >> 64n === 0n ? String(value) : `0x${value.toString(16)}`;
}

/** `0x` and at least `digits` hexadecimal digits. */
export function formatHex(value: bigint, digits = 1): string {
  return `0x${value.toString(16).padStart(digits, '0')}`;
}
