import type { ByteOrder } from './byteorder.ts';
import { type Datatype, DatatypeError, type Literal } from './datatype.ts';
import { nearest } from './nearest.ts';
import { describeNumbers, formatHex, formatNumber, readNumber } from './number.ts';

/** What sets one symbolic type apart from another. */
interface SymbolicDefinition {
  readonly name: string;
  readonly id: number;
  readonly bits: number;
  readonly byteorder: ByteOrder;
  readonly base?: 'integer' | 'bitmask';
  /** Symbols in nft's order. */
  readonly symbols: Readonly<Record<string, number>>;
  /** Other names that `parse` takes and `format` never gives. */
  readonly aliases?: Readonly<Record<string, number>>;
  /** The greatest value, where not all that the bits hold. */
  readonly greatest?: bigint;
  /** nft syntax writes values without a symbol in hexadecimal, at least so many digits wide. */
  readonly hexDigits?: number;
  /** nft syntax puts symbols into quotes. */
  readonly quoted?: boolean;
}

const listedSymbols = 24;

/** Says which symbols would have been right: all of them, or the likest of many. */
export function describeSymbols(literal: Literal, symbols: ReadonlyMap<string, bigint>): string {
  const names = [...symbols.keys()];
  if (names.length <= listedSymbols) return `one of ${names.join(', ')}`;
  if (typeof literal !== 'string' || readNumber(literal) !== undefined) return 'a known name';
  return `a known name (nearest: ${nearest(literal, names).join(', ')})`;
}

function toMap(symbols: Readonly<Record<string, number>>): Map<string, bigint> {
  return new Map(Object.entries(symbols).map(([symbol, value]) => [symbol, BigInt(value)]));
}

/** A type of named numbers. */
export function symbolic(definition: SymbolicDefinition): Datatype {
  const { name, id, bits, byteorder, base = 'integer', aliases = {}, hexDigits, quoted = false } = definition;
  const greatest = definition.greatest ?? (1n << BigInt(bits)) - 1n;
  const symbols = toMap(definition.symbols);
  const accepted = new Map([...symbols, ...toMap(aliases)]);
  // Reversed, so that the first of two symbols for one value is the one that stays.
  const names = new Map([...symbols].reverse().map(([symbol, value]) => [value, symbol]));

  return Object.freeze({
    name,
    id,
    bits,
    byteorder,
    base,
    symbols,
    parse(literal: Literal) {
      const value = typeof literal === 'string' ? accepted.get(literal) : undefined;
      if (value !== undefined) return value;
      const number = readNumber(literal);
      if (number !== undefined && number <= greatest) return number;
      const numbers =
        definition.greatest === undefined ? describeNumbers(bits) : `a number from 0 to ${greatest}`;
      throw new DatatypeError(name, literal, `${describeSymbols(literal, symbols)} or ${numbers}`);
    },
    format: (value: bigint) => names.get(value) ?? formatNumber(value),
    formatText(value: bigint) {
      const symbol = names.get(value);
      if (symbol !== undefined) return quoted ? `"${symbol}"` : symbol;
      return hexDigits === undefined ? String(value) : formatHex(value, hexDigits);
    },
  } satisfies Datatype);
}
