import type { Typed } from '../bytecode/index.ts';
import { type ByteOrder, fromBytes, toBytes } from '../datatype/byteorder.ts';
import { bytesFor, type Expr, type Value } from './expr.ts';

/**
 * The same value in another byte order. Constants are integers and need only say so; a value from the
 * packet is swapped by an instruction. Strings and single bytes have no order.
 */
export function inByteOrder(expr: Expr, order: ByteOrder): Expr {
  if (expr.kind === 'concat')
    return { ...expr, byteorder: order, parts: expr.parts.map((part) => inByteOrder(part, order)) };
  if (expr.byteorder === order || expr.type.base === 'string') return expr;
  if (expr.kind === 'value' || expr.kind === 'range' || expr.kind === 'prefix' || expr.bits <= 8) {
    return { ...expr, byteorder: order };
  }
  return { kind: 'byteorder', type: expr.type, bits: expr.bits, byteorder: order, arg: expr };
}

/**
 * The integer by which the kernel orders values of this type in an interval set: strings are compared
 * from their first byte on, everything else as a number.
 */
export function orderOf(value: bigint, typed: Typed): bigint {
  if (typed.type.base !== 'string') return value;
  return fromBytes(toBytes(value, bytesFor(typed.bits), 'host'), 'network');
}

/** The value that comes at `order` among those of its type: the inverse of {@link orderOf}. */
export function valueAt(order: bigint, typed: Typed): bigint {
  if (typed.type.base !== 'string') return order;
  return fromBytes(toBytes(order, bytesFor(typed.bits), 'network'), 'host');
}

/** A constant of a type. */
export function constant(typed: Typed, value: bigint): Value {
  return { kind: 'value', type: typed.type, bits: typed.bits, byteorder: typed.byteorder, value };
}
