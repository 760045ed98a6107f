import type { Typed } from '../bytecode/index.ts';
import { type Datatype, fromBytes, splitFlags } from '../datatype/index.ts';
import type { Expression } from '../model/index.ts';
import { Inexpressible } from './term.ts';

/** The types whose aligned ranges nft writes as prefixes (its DTYPE_F_PREFIX). */
const PREFIXED: ReadonlySet<string> = new Set(['ipv4_addr', 'ipv6_addr', 'mark', 'devgroup', 'realm']);

export function hasPrefixes(type: Datatype): boolean {
  return PREFIXED.has(type.name);
}

/** How constants are written. */
export interface Notation {
  /** Protocols by number, as `nft --numeric-protocol` lists them. */
  readonly numericProtocol: boolean;
}

/** One value of a type: a symbol, an address, a number; several flags are joined by `|`. */
export function literal(value: bigint, typed: Typed, notation: Notation): Expression {
  const { type, bits } = typed;
  if (type.base === 'bitmask' && type.symbols !== undefined) {
    const flags = splitFlags(value);
    if (flags.length > 1 && type.name !== 'ct_label') {
      const named = flags.map((flag) => type.format(flag, bits));
      if (named.every((name) => typeof name === 'string'))
        return { '|': named as [string, string, ...string[]] };
    }
  }
  if (notation.numericProtocol && type.name === 'inet_proto') return Number(value);
  return type.format(value, bits);
}

/** The flags of a mask, one after the other; a lone one stands for itself. */
export function flagList(value: bigint, typed: Typed, notation: Notation): Expression {
  const flags = splitFlags(value).map((flag) => literal(flag, typed, notation));
  return flags.length === 1 ? (flags[0] as Expression) : flags;
}

/**
 * Text in register bytes: without a closing zero it is the beginning of names (`eth*`), and a star that
 * ends a name is escaped.
 */
export function textLiteral(bytes: Uint8Array, typed: Typed): Expression {
  const end = bytes.indexOf(0);
  if (end === 0) throw new Inexpressible('the text is empty');
  if (end >= 0 && bytes.subarray(end).some((byte) => byte !== 0))
    throw new Inexpressible('bytes follow the text');
  const text = String(typed.type.format(fromBytes(bytes, 'host'), bytes.length * 8));
  if (end < 0) return `${text}*`;
  return text.endsWith('*') ? `${text.slice(0, -1)}\\*` : text;
}

/** How many bytes a value takes in a register or an element, before it is padded. */
export function widthOf(typed: Typed & { readonly width?: number | undefined }): number {
  return typed.width ?? Math.ceil(typed.bits / 8);
}

/** The number that register bytes hold. */
export function numberOf(bytes: Uint8Array, typed: Typed): bigint {
  return fromBytes(bytes, typed.type.base === 'string' ? 'host' : typed.byteorder);
}

/** A constant as it lies in a register. */
export function registerLiteral(
  bytes: Uint8Array,
  typed: Typed & { readonly shift?: number | undefined },
  notation: Notation,
): Expression {
  if (typed.type.base === 'string') return textLiteral(bytes, typed);
  return literal(unshifted(numberOf(bytes, typed), typed.shift), typed, notation);
}

/** The value of a field that lies `shift` bits above the lowest one, alone. */
export function unshifted(value: bigint, shift = 0): bigint {
  const by = BigInt(shift);
  if ((value >> by) << by !== value) throw new Inexpressible('bits outside of the field are compared');
  return value >> by;
}

/** Where the set bits of a mask lie when they are one run: from bit `shift` on, `bits` of them. */
export function runOf(mask: bigint): { readonly shift: number; readonly bits: number } | undefined {
  if (mask === 0n) return undefined;
  let shift = 0;
  while (!((mask >> BigInt(shift)) & 1n)) shift++;
  const run = (mask >> BigInt(shift)).toString(2);
  return run.includes('0') ? undefined : { shift, bits: run.length };
}

/** The prefix length of a mask that is ones, then zeros. */
export function prefixLength(mask: bigint, bits: number): number | undefined {
  if (mask === 0n) return 0;
  const run = runOf(mask);
  return run !== undefined && run.shift + run.bits === bits ? run.bits : undefined;
}

/** The largest value of a width. */
export function maxOf(bits: number): bigint {
  return (1n << BigInt(bits)) - 1n;
}

/** From `low` to `high`, in the shortest form: a value, a prefix, a range, or the beginning of names. */
export function rangeLiteral(low: bigint, high: bigint, typed: Typed, notation: Notation): Expression {
  if (low === high) return literal(low, typed, notation);
  const size = high - low;
  if (hasPrefixes(typed.type) && (size & (size + 1n)) === 0n && (low & size) === 0n) {
    const len = typed.bits - size.toString(2).length;
    return { prefix: { addr: literal(low, typed, notation), len } };
  }
  return rangeOfLiterals(low, high, typed, notation);
}

/** From `low` to `high`; nft names no protocols at the ends of a range. */
export function rangeOfLiterals(low: bigint, high: bigint, typed: Typed, notation: Notation): Expression {
  const ends = { ...notation, numericProtocol: true };
  return { range: [literal(low, typed, ends), literal(high, typed, ends)] };
}
