import { fromBytes, hostIsLittleEndian, toBytes } from './byteorder.ts';
import { type Datatype, DatatypeError, type Literal } from './datatype.ts';

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const escapedByte = 0xdc00;

/**
 * Text of bytes. The kernel takes any bytes as a name; those that are no UTF-8 are carried as lone
 * surrogates U+DC80 to U+DCFF, so that every name can be read and written back.
 */
function decode(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch {
    return [...bytes].map((byte) => String.fromCharCode(byte < 0x80 ? byte : escapedByte + byte)).join('');
  }
}

function encode(text: string): Buffer {
  if (!/[\udc80-\udcff]/u.test(text)) return Buffer.from(text, 'utf8');
  return Buffer.concat(
    Array.from(text, (letter) => {
      const byte = letter.charCodeAt(0) - escapedByte;
      return letter.length === 1 && byte >= 0x80 && byte <= 0xff ? Buffer.from([byte]) : Buffer.from(letter);
    }),
  );
}

/**
 * The value of a text that is to stand in `bits` bits, the closing zero included (0: as many as it takes).
 *
 * @throws DatatypeError when it is empty, too long, or holds a zero
 */
export function parseString(type: string, literal: Literal, bits: number): bigint {
  const room = bits / 8 - 1;
  const expected = bits > 0 ? `text of 1 to ${room} bytes` : 'text';
  if (typeof literal !== 'string') throw new DatatypeError(type, literal, expected);
  const bytes = encode(literal);
  if (bytes.length === 0 || bytes.includes(0) || (bits > 0 && bytes.length > room)) {
    throw new DatatypeError(type, literal, expected);
  }
  const padded = new Uint8Array(bits > 0 ? room + 1 : bytes.length + 1);
  padded.set(bytes);
  return fromBytes(padded, 'host');
}

/** The text of a value: its bytes up to the first zero. */
export function formatString(value: bigint, bits: number): string {
  const needed = Math.ceil(value.toString(16).length / 2);
  const bytes = toBytes(value, bits > 0 && !hostIsLittleEndian ? bits / 8 : needed, 'host');
  const end = bytes.indexOf(0);
  return decode(end < 0 ? bytes : bytes.subarray(0, end));
}

/** Text in nft's quotes. */
export function quote(text: string): string {
  return `"${text}"`;
}

/** Text without a meaning of its own: a helper's name, a log prefix, an operating system. */
export const string: Datatype = Object.freeze({
  name: 'string',
  id: 5,
  bits: 0,
  byteorder: 'host',
  base: 'string',
  parse: (literal: Literal, bits = 0) => parseString('string', literal, bits),
  format: (value: bigint, bits = 0) => formatString(value, bits),
  formatText: (value: bigint, bits = 0) => quote(formatString(value, bits)),
});
