import { type Datatype, DatatypeError, formatText, type Literal } from '../datatype/index.ts';
import { quoted } from './text.ts';

/** What a literal is written as: a datatype, and the width of the place where the type has none. */
export interface ScalarType {
  readonly type: Datatype;
  readonly bits: number;
}

type Writer = (type: Datatype, value: bigint, bits?: number) => string;

/** Types that nft writes in hexadecimal when it uses no symbols: so many digits. */
const hexDigits: Readonly<Record<string, number>> = { ether_type: 4, dscp: 2, ecn: 1, mark: 8 };

/** Types whose text has no symbols in it, or would mean something else as a number. */
const alwaysText = new Set(['ct_label', 'iface_index']);

/** A value without symbols and composed units, as nft writes the ends of a range: `6-17`, `33s-88s`. */
export function numericText(type: Datatype, value: bigint, bits?: number): string {
  if (type.name === 'time' && value % 1000n === 0n) return `${value / 1000n}s`;
  if (type.symbols === undefined || alwaysText.has(type.name)) return formatText(type, value, bits);
  const digits = hexDigits[type.name] ?? (type.base === 'bitmask' ? 1 : undefined);
  return digits === undefined ? String(value) : `0x${value.toString(16).padStart(digits, '0')}`;
}

const addresses = new Set(['ipv4_addr', 'ipv6_addr', 'ether_addr', 'll_addr']);
const plainAddress = /^[0-9a-f:.]+$/;
const plainWord = /^[A-Za-z0-9_.:/+-]+$/;

/**
 * A literal in nft syntax, which depends on its type: 1 is `0x00000001` to a mark and `"eth0"` has quotes.
 *
 * A literal that is not valid in its type, such as the name of an interface that is gone, is written as it
 * is: a listing says what there is.
 *
 * @param write - how a value of the type is written: {@link formatText} or {@link numericText}
 */
export function literalText(
  literal: Literal,
  want: ScalarType | undefined,
  write: Writer = formatText,
): string {
  if (typeof literal === 'boolean') return literal ? 'exists' : 'missing';
  if (want === undefined) return typeof literal === 'string' ? word(literal) : String(literal);
  const { type, bits } = want;
  if (typeof literal === 'string') {
    if (type.base === 'string') return quoted(literal);
    if (addresses.has(type.name) && plainAddress.test(literal)) return literal;
  }
  try {
    return write(type, type.parse(literal, bits), bits);
  } catch (error) {
    if (!(error instanceof DatatypeError)) throw error;
    if (typeof literal !== 'string') return write(type, BigInt(literal), bits);
    return type.name === 'iface_index' ? quoted(literal) : word(literal);
  }
}

function word(text: string): string {
  return plainWord.test(text) ? text : quoted(text);
}
