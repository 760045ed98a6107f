import { ipv4Addr, ipv6Addr, packLiteral } from '../../datatype/index.ts';
import { ModelError } from '../error.ts';
import type { Immediate } from '../expression.ts';
import { operands, type Values } from './binary.ts';
import { Operand } from './operand.ts';
import { plain } from './plain.ts';

/** The addresses that begin with the first `len` bits of `addr`. */
export interface Prefix {
  readonly prefix: { readonly addr: string; readonly len: number };
}

/** From `low` to `high`, both included. */
export interface Range<V extends Immediate> {
  readonly range: readonly [low: V, high: V];
}

/** The bytes of an address that is only to be checked. */
const scratch = new Uint8Array(16);

/**
 * A prefix of an IPv4 or IPv6 address.
 *
 * @throws ModelError when the address is none, or the length does not fit it
 */
export function prefix(addr: string, len: number): Prefix {
  const bits = [ipv4Addr, ipv6Addr].find((type) => packLiteral(type, addr, scratch, 0))?.bits;
  if (bits === undefined) throw new ModelError(`${JSON.stringify(addr)} is no IPv4 or IPv6 address`);
  if (!Number.isInteger(len) || len < 0 || len > bits) {
    throw new ModelError(`prefix length ${len} of ${addr} is not between 0 and ${bits}`);
  }
  return plain({ prefix: { addr, len } });
}

/**
 * A prefix as text: `10.0.0.0/8`, `2001:db8::/32`.
 *
 * @throws ModelError when the text is anything else
 */
export function cidr(text: string): Prefix {
  const [, addr, len] = /^([^/]+)\/(0|[1-9]\d{0,2})$/.exec(text) ?? [];
  if (addr === undefined)
    throw new ModelError(`${JSON.stringify(text)} is no prefix: expected ADDRESS/LENGTH`);
  return prefix(addr, Number(len));
}

/**
 * Everything from `low` to `high`, both included.
 *
 * @throws ModelError when two numbers are the wrong way round
 */
export function range<V extends Immediate>(low: V, high: V): Range<V> {
  if (typeof low !== 'string' && typeof high !== 'string' && low > high) {
    throw new ModelError(`range ${low}-${high} is the wrong way round`);
  }
  return plain<Range<V>>({ range: [low, high] });
}

/** Several values side by side: `concat(meta.iifname, ether.saddr).in('@ports')`. */
export function concat(...fields: Values): Operand {
  return new Operand({ concat: operands(fields) });
}
