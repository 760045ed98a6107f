import { hostIsLittleEndian } from '../datatype/byteorder.ts';

/** Bytes that are not what they claim to be: a truncated attribute, a missing or unknown one. */
export class WireError extends Error {
  override readonly name = 'WireError';
}

/** One netlink attribute: its number and payload, without the nested and byte-order bits. */
export interface RawAttribute {
  readonly id: number;
  readonly payload: Uint8Array;
}

/** Bytes of an attribute before its payload. */
export const ATTRIBUTE_HEADER = 4;

/**
 * The length of the attribute that starts at `at`, its header included.
 *
 * @throws WireError when that runs past the end
 */
export function attributeLength(bytes: Uint8Array, at: number, end: number): number {
  if (at + ATTRIBUTE_HEADER > end) throw new WireError(`${end - at} stray bytes after the last attribute`);
  const length = readHost16(bytes, at);
  if (length < ATTRIBUTE_HEADER || at + length > end)
    throw new WireError(`attribute at byte ${at} claims ${length} bytes of ${end - at}`);
  return length;
}

/** The number of the attribute that starts at `at`, without the nested and byte-order bits. */
export function attributeId(bytes: Uint8Array, at: number): number {
  return readHost16(bytes, at + 2) & 0x3fff;
}

/** Where the attribute behind one of this length starts. */
export function behind(at: number, length: number): number {
  return at + ((length + 3) & ~3);
}

function readHost16(bytes: Uint8Array, at: number): number {
  const [first, second] = [bytes[at] as number, bytes[at + 1] as number];
  return hostIsLittleEndian ? first | (second << 8) : (first << 8) | second;
}

/**
 * The attributes in `bytes`, in order. The payloads are views, not copies.
 *
 * @throws WireError when a length runs past the end
 */
export function readAttributes(bytes: Uint8Array): RawAttribute[] {
  const attributes: RawAttribute[] = [];
  for (let at = 0; at < bytes.length; ) {
    const length = attributeLength(bytes, at, bytes.length);
    attributes.push({
      id: attributeId(bytes, at),
      payload: bytes.subarray(at + ATTRIBUTE_HEADER, at + length),
    });
    at = behind(at, length);
  }
  return attributes;
}

/** A big-endian unsigned integer of exactly `width` bytes, at most 6. */
export function readUint(bytes: Uint8Array, start: number, end: number, width: number): number {
  mustHave(width, start, end);
  let value = 0;
  for (let at = start; at < end; at++) value = value * 256 + (bytes[at] as number);
  return value;
}

/** A big-endian unsigned integer of 8 bytes. */
export function readUint64(bytes: Uint8Array, start = 0, end: number = bytes.length): bigint {
  mustHave(8, start, end);
  const high = readUint(bytes, start, start + 4, 4);
  const low = readUint(bytes, start + 4, end, 4);
  return high === 0 ? BigInt(low) : (BigInt(high) << 32n) | BigInt(low);
}

function mustHave(width: number, start: number, end: number): void {
  if (end - start !== width) throw new WireError(`${end - start} bytes where ${width} belong`);
}

/** Of longer ones the runtime's own decoder is faster. */
const SHORT = 32;

/** A string, with or without its terminating NUL. */
export function readString(bytes: Uint8Array, start = 0, end: number = bytes.length): string {
  let text = '';
  for (let at = start; at < end; at++) {
    const byte = bytes[at] as number;
    if (byte === 0) return text;
    if (byte > 0x7f || at - start === SHORT) return decodeText(bytes, start, end);
    text += String.fromCharCode(byte);
  }
  return text;
}

const utf8 = new TextDecoder('utf-8', { ignoreBOM: true });

function decodeText(bytes: Uint8Array, start: number, end: number): string {
  const zero = bytes.indexOf(0, start);
  return utf8.decode(bytes.subarray(start, zero < 0 || zero > end ? end : zero));
}

/** The same bytes without what Node adds: parts of a `Buffer` are slow to make, and its `slice` copies nothing. */
export function plainBytes(bytes: Uint8Array): Uint8Array {
  return Buffer.isBuffer(bytes) ? new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength) : bytes;
}
