import type { Operands } from '../expression.ts';
import { expressionOf, type Value } from './expression.ts';
import { Operand } from './operand.ts';

/** Two values or more to compute with. */
export type Values = readonly [Value, Value, ...Value[]];

/** The expressions of values. */
export function operands([left, right, ...more]: Values): Operands {
  return [expressionOf(left), expressionOf(right), ...more.map(expressionOf)];
}

/** The bits that all have: `and(ip6.saddr, 'ffff:ffff::').eq('2001:db8::')`. */
export function and(...values: Values): Operand {
  return new Operand({ '&': operands(values) });
}

/** The bits that any has: `or('syn', 'ack')`. */
export function or(...values: Values): Operand {
  return new Operand({ '|': operands(values) });
}

/** The bits that an odd number of them has. */
export function xor(...values: Values): Operand {
  return new Operand({ '^': operands(values) });
}

/** The value, shifted to the left by a number of bits. */
export function lshift(value: Value, bits: number): Operand {
  return new Operand({ '<<': [expressionOf(value), bits] });
}

/** The value, shifted to the right by a number of bits. */
export function rshift(value: Value, bits: number): Operand {
  return new Operand({ '>>': [expressionOf(value), bits] });
}
