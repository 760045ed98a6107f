import { type Datatype, DatatypeError, formatText, type Literal } from '../datatype/index.ts';
import { quoted } from './text.ts';

/** What a literal is written as: a datatype, and the width of the place where the type has none. */
export interface ScalarType {
  readonly type: Datatype;
  readonly bits: number;
}

const addresses = new Set(['ipv4_addr', 'ipv6_addr', 'ether_addr', 'll_addr']);
const plainAddress = /^[0-9a-f:.]+$/;
const plainWord = /^[A-Za-z0-9_.:/+-]+$/;

/**
 * A literal in nft syntax, which depends on its type: 1 is `0x00000001` to a mark and `"eth0"` has quotes.
 *
 * A literal that is not valid in its type, such as the name of an interface that is gone, is written as it
 * is: a listing says what there is.
 */
export function literalText(literal: Literal, want: ScalarType | undefined): string {
  if (typeof literal === 'boolean') return literal ? 'exists' : 'missing';
  if (want === undefined) return typeof literal === 'string' ? word(literal) : String(literal);
  const { type, bits } = want;
  if (typeof literal === 'string') {
    if (type.base === 'string') return quoted(literal);
    if (addresses.has(type.name) && plainAddress.test(literal)) return literal;
  }
  try {
    return formatText(type, type.parse(literal, bits), bits);
  } catch (error) {
    if (!(error instanceof DatatypeError)) throw error;
    if (typeof literal !== 'string') return formatText(type, BigInt(literal), bits);
    return type.name === 'iface_index' ? quoted(literal) : word(literal);
  }
}

function word(text: string): string {
  return plainWord.test(text) ? text : quoted(text);
}
