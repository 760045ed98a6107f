import { endianness } from 'node:os';

/** How the bytes of a value are ordered in a register or an attribute. */
export type ByteOrder = 'network' | 'host';

/** True where the host stores the least significant byte first. */
export const hostIsLittleEndian = endianness() === 'LE';

/** Big integers are taken apart and put together in words: arithmetic on them costs by the operation. */
const WORD = 32;
const WORD_BITS = BigInt(WORD);

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
  let rest = value;
  for (let i = 0; i < length; rest >>= WORD_BITS) {
    let word = Number(BigInt.asUintN(WORD, rest));
    for (const end = Math.min(i + WORD / 8, length); i < end; i++) {
      bytes[backwards ? length - 1 - i : i] = word;
      word >>>= 8;
    }
  }
  return bytes;
}

/** The unsigned integer that `bytes` hold: the inverse of {@link toBytes}. */
export function fromBytes(bytes: Uint8Array, order: ByteOrder): bigint {
  const backwards = order === 'host' && hostIsLittleEndian;
  const { length } = bytes;
  let value = 0n;
  for (let i = 0; i < length; ) {
    let word = 0;
    for (const end = i + (((length - i - 1) % (WORD / 8)) + 1); i < end; i++) {
      word = (word << 8) | (bytes[backwards ? length - 1 - i : i] as number);
    }
    value = (value << WORD_BITS) | BigInt(word >>> 0);
  }
  return value;
}
