import type { ByteOrder } from './byteorder.ts';
import { quoted } from './quoted.ts';
import { type Scan, scanned } from './scan.ts';

/** A literal as libnftables JSON or a builder's caller writes it. */
export type Literal = string | number | bigint | boolean;

/**
 * What a value means: its size, byte order, symbols, and how text becomes bits and back. The names and
 * numbers are nft's own (`enum datatypes` in its datatype.h), because set declarations carry them to
 * the kernel and other programs read them back.
 *
 * Every value is an unsigned integer. A string is the integer whose bytes, in host order, are the
 * string's characters followed by zeros.
 */
export interface Datatype {
  /** nft's name: `ipv4_addr`, `inet_service`, `ifname` … */
  readonly name: string;
  /** nft's number, 6 bits wide, so that a concatenation is a row of them (NFTA_SET_KEY_TYPE). */
  readonly id: number;
  /** Size in bits; 0 where the expression that has the type decides (`integer`, `string`). */
  readonly bits: number;
  /** For types of no size of their own the expression decides (header fields are always `network`). */
  readonly byteorder: ByteOrder;
  /** What the type falls back to: decides which operators and literals are legal. */
  readonly base: 'integer' | 'string' | 'bitmask' | 'verdict';
  /** Names for values, in nft's order (printing takes the first that fits). */
  readonly symbols?: ReadonlyMap<string, bigint>;
  /**
   * Text or number to value. A number means what its decimal text means: `30` is 30 seconds to `time`.
   *
   * @param bits - the width of the place the value goes to, for types whose own size is 0
   * @throws DatatypeError when the literal means nothing in this type or does not fit
   */
  parse(literal: Literal, bits?: number): bigint;
  /** Reads the usual form of text, fast, into the type's own width and order: where it says no, {@link parse} decides. */
  readonly scan?: Scan;
  /** Writes a number to `at` in `into`, where zeros are, in the type's own width and order; false: {@link parse} decides. */
  packNumber?(number: number, into: Uint8Array, at: number): boolean;
  /** What {@link format} says of the bytes at `at`, which have the type's own width and order: the inverse of `scan`. */
  unpack?(bytes: Uint8Array, at: number): string | number;
  /**
   * The value as libnftables JSON has it: a symbol, an address, a number. `parse` of it gives the value
   * back; a number too large to be exact in JSON is text.
   */
  format(value: bigint, bits?: number): string | number | boolean;
  /** The value in nft syntax, where that differs from {@link format}: see {@link formatText}. */
  formatText?(value: bigint, bits?: number): string;
}

/** The value in nft syntax: `0x00000001` for a mark, `"eth0"` for an interface name. */
export function formatText(type: Datatype, value: bigint, bits?: number): string {
  return type.formatText?.(value, bits) ?? String(type.format(value, bits));
}

/** A literal that means nothing in the type it was given for. */
export class DatatypeError extends Error {
  override readonly name = 'DatatypeError';
  /** What would have been valid, in words. */
  readonly expected: string;

  constructor(type: string, literal: unknown, expected: string) {
    super(`${quoted(literal)} is not a valid ${type}: expected ${expected}`);
    this.expected = expected;
  }
}

/** Whether some literals of the type are written straight into bytes. */
export function isPackable({ scan, packNumber }: Datatype): boolean {
  return scan !== undefined || packNumber !== undefined;
}

/**
 * Writes the bytes of a literal in its usual form, in the type's own width and order, to `at` in `into`, where zeros
 * are; false where `parse` has to decide.
 */
export function packLiteral(type: Datatype, literal: Literal, into: Uint8Array, at: number): boolean {
  if (typeof literal === 'string') return type.scan !== undefined && scanned(type.scan, literal, into, at);
  return typeof literal === 'number' && (type.packNumber?.(literal, into, at) ?? false);
}
