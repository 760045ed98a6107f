import { endianness } from 'node:os';

/** How the bytes of a value are ordered in a register or an attribute. */
export type ByteOrder = 'network' | 'host';

/** True where the host stores the least significant byte first. */
export const hostIsLittleEndian = endianness() === 'LE';

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
  if (length <= 4) {
    let rest = Number(BigInt.asUintN(length * 8, value));
    for (let i = 0; i < length; i++) {
      bytes[backwards ? length - 1 - i : i] = rest & 0xff;
      rest >>>= 8;
    }
    return bytes;
  }
  let rest = value;
  for (let i = 0; i < length; i++) {
    bytes[backwards ? length - 1 - i : i] = Number(rest & 0xffn);
    rest >>= 8n;
  }
  return bytes;
}

/** The unsigned integer that `bytes` hold: the inverse of {@link toBytes}. */
export function fromBytes(bytes: Uint8Array, order: ByteOrder): bigint {
  const backwards = order === 'host' && hostIsLittleEndian;
  let value = 0n;
  for (let i = 0; i < bytes.length; i++) {
    value = (value << 8n) | BigInt(bytes[backwards ? bytes.length - 1 - i : i] as number);
  }
  return value;
}
