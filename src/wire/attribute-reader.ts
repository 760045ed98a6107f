import { fromBytes, hostIsLittleEndian } from '../datatype/byteorder.ts';

/** Bytes that are not what they claim to be: a truncated attribute, a missing or unknown one. */
export class WireError extends Error {
  override readonly name = 'WireError';
}

/** One netlink attribute: its number and payload, without the nested and byte-order bits. */
export interface RawAttribute {
  readonly id: number;
  readonly payload: Uint8Array;
}

/**
 * The attributes in `bytes`, in order. The payloads are views, not copies.
 *
 * @throws WireError when a length runs past the end
 */
export function readAttributes(bytes: Uint8Array): RawAttribute[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const attributes: RawAttribute[] = [];
  let at = 0;
  while (at + 4 <= bytes.length) {
    const length = view.getUint16(at, hostIsLittleEndian);
    if (length < 4 || at + length > bytes.length) {
      throw new WireError(`attribute at byte ${at} claims ${length} bytes of ${bytes.length - at}`);
    }
    const id = view.getUint16(at + 2, hostIsLittleEndian) & 0x3fff;
    attributes.push({ id, payload: bytes.subarray(at + 4, at + length) });
    at += (length + 3) & ~3;
  }
  if (at < bytes.length) throw new WireError(`${bytes.length - at} stray bytes after the last attribute`);
  return attributes;
}

/** A big-endian unsigned integer of exactly `length` bytes. */
export function readUint(payload: Uint8Array, length: number): number {
  if (payload.length !== length) throw new WireError(`${payload.length} bytes where ${length} belong`);
  let value = 0;
  for (const byte of payload) value = value * 256 + byte;
  return value;
}

export function readUint64(payload: Uint8Array): bigint {
  if (payload.length !== 8) throw new WireError(`${payload.length} bytes where 8 belong`);
  return fromBytes(payload, 'network');
}

/** A string, with or without its terminating NUL. */
export function readString(payload: Uint8Array): string {
  const end = payload.indexOf(0);
  return Buffer.from(end < 0 ? payload : payload.subarray(0, end)).toString('utf8');
}
