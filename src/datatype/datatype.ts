import type { ByteOrder } from './byteorder.ts';

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
  readonly byteorder: ByteOrder;
  /** What the type falls back to: decides which operators and literals are legal. */
  readonly base: 'integer' | 'string' | 'bitmask' | 'verdict';
  /** Names for values, in nft's order (printing takes the first that fits). */
  readonly symbols?: ReadonlyMap<string, bigint>;
  /**
   * Text or number to value.
   *
   * @param bits - the width of the place the value goes to, for types whose own size is 0
   * @throws DatatypeError when the text means nothing in this type or does not fit
   */
  parse(text: string | number | bigint, bits?: number): bigint;
  /** The value as libnftables JSON has it: a symbol, an address, a number. */
  format(value: bigint, bits?: number): string | number;
}

/** A literal that means nothing in the type it was given for. */
export class DatatypeError extends Error {
  override readonly name = 'DatatypeError';
  /** What would have been valid, in words. */
  readonly expected: string;

  constructor(type: string, literal: unknown, expected: string) {
    super(`${JSON.stringify(literal)} is not a valid ${type}: expected ${expected}`);
    this.expected = expected;
  }
}
