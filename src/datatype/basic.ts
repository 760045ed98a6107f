import { type Datatype, DatatypeError, type Literal } from './datatype.ts';
import { formatHex, formatNumber, parseNumber } from './number.ts';
import { symbolic } from './symbolic.ts';

/**
 * What a rule or an element decides. It is an object with a chain in it rather than a number, so it has
 * no literals: the verdict statements say it.
 */
export const verdict: Datatype = Object.freeze({
  name: 'verdict',
  id: 1,
  bits: 0,
  byteorder: 'host',
  base: 'verdict',
  parse(literal: Literal): never {
    throw new DatatypeError('verdict', literal, 'a verdict statement, such as { accept: null }');
  },
  format(): never {
    throw new TypeError('a verdict is no number: it is formatted as a statement');
  },
});

/** A number without a meaning of its own; its width comes from where it stands. */
export const integer: Datatype = Object.freeze({
  name: 'integer',
  id: 4,
  bits: 0,
  byteorder: 'host',
  base: 'integer',
  parse: (literal: Literal, bits = 0) => parseNumber('integer', literal, bits),
  format: formatNumber,
  formatText: String,
});

/** {@link integer}, written in hexadecimal in nft syntax: raw payload (`@th,16,16 0x16`). */
export const xinteger: Datatype = Object.freeze({
  ...integer,
  name: 'xinteger',
  formatText: (value: bigint) => formatHex(value),
});

/** A number of which each bit stands for itself. */
export const bitmask: Datatype = Object.freeze({
  name: 'bitmask',
  id: 3,
  bits: 0,
  byteorder: 'host',
  base: 'bitmask',
  parse: (literal: Literal, bits = 0) => parseNumber('bitmask', literal, bits),
  format: formatNumber,
  formatText: (value: bigint) => formatHex(value),
});

/** Whether something is there: `true` and `false` in JSON, `exists` and `missing` in nft syntax. */
export const boolean: Datatype = (() => {
  const type = symbolic({
    name: 'boolean',
    id: 39,
    bits: 1,
    byteorder: 'host',
    symbols: { exists: 1, missing: 0 },
  });
  return Object.freeze({
    ...type,
    parse: (literal: Literal) => (typeof literal === 'boolean' ? BigInt(literal) : type.parse(literal)),
    format: (value: bigint) => value !== 0n,
  });
})();

/**
 * The single flags of a bitmask value, the lowest first, as nft lists them. A value of no flags is a
 * list of none.
 */
export function splitFlags(value: bigint): bigint[] {
  const flags: bigint[] = [];
  for (let rest = value; rest !== 0n; rest &= rest - 1n) flags.push(rest & -rest);
  return flags;
}
