import { endianness } from 'node:os';

/** How the bytes of a value are ordered in a register or an attribute. */
export type ByteOrder = 'network' | 'host';

/** True where the host stores the least significant byte first. */
export const hostIsLittleEndian = endianness() === 'LE';

/** Big integers are taken apart and put together in words: arithmetic on them costs by the operation. */
const WORD = 8;
const WORD_BITS = 64n;
const HALF = 4;

const scratch = new DataView(new ArrayBuffer(WORD));
const word = new Uint8Array(scratch.buffer);

/**
 * The bytes of an unsigned integer.
 *
 * @param value - the integer; bits above `length` bytes are dropped
 * @param length - how many bytes to write
 * @param order - `network` puts the most significant byte first, `host` follows the machine
 */
export function toBytes(value: bigint, length: number, order: ByteOrder): Uint8Array {
  const bytes = new Uint8Array(length);
  const backwards = order === 'network' || !hostIsLittleEndian;
  if (length <= HALF) {
    let rest = Number(BigInt.asUintN(32, value));
    for (let i = 0; i < length; i++, rest >>>= 8) bytes[backwards ? length - 1 - i : i] = rest;
    return bytes;
  }
  let rest = value;
  for (let i = 0; i < length; ) {
    scratch.setBigUint64(0, rest, true);
    for (const start = i, end = Math.min(i + WORD, length); i < end; i++)
      bytes[backwards ? length - 1 - i : i] = word[i - start] as number;
    if (i < length) rest >>= WORD_BITS;
  }
  return bytes;
}

/** The unsigned integer that `bytes` hold: the inverse of {@link toBytes}. */
export function fromBytes(bytes: Uint8Array, order: ByteOrder): bigint {
  const backwards = order === 'network' || !hostIsLittleEndian;
  const { length } = bytes;
  if (length <= HALF) {
    let value = 0;
    for (let i = length - 1; i >= 0; i--)
      value = value * 256 + (bytes[backwards ? length - 1 - i : i] as number);
    return BigInt(value);
  }
  let value = 0n;
  // The most significant word first: each next one moves it up.
  for (let start = Math.floor((length - 1) / WORD) * WORD; start >= 0; start -= WORD) {
    const end = Math.min(start + WORD, length);
    word.fill(0);
    for (let i = start; i < end; i++) word[i - start] = bytes[backwards ? length - 1 - i : i] as number;
    value = (value << WORD_BITS) | scratch.getBigUint64(0, true);
  }
  return value;
}
