import { hostIsLittleEndian } from '../datatype/byteorder.ts';

const HEADER = 4;
const NESTED = 0x8000;
const MAX_LENGTH = 0xffff;

/** An attribute or nest grew past the 65,535 bytes that its 16-bit length can say. */
export class AttributeTooLongError extends RangeError {
  override readonly name = 'AttributeTooLongError';
}

/**
 * Writes netlink attributes into one growing buffer.
 *
 * ```
 *  0                   16                  32
 *  +-------------------+-------------------+----------------------+---------+
 *  | nla_len, host     | nla_type, host    | payload              | padding |
 *  | (header+payload)  | 0x8000: nested    |                      | to 4    |
 *  +-------------------+-------------------+----------------------+---------+
 * ```
 *
 * Integers of nf_tables attributes are big-endian on the wire, unlike the header (netlink(7),
 * linux/netlink.h).
 */
export class AttributeWriter {
  #bytes: Uint8Array;
  #view: DataView;
  #length = 0;
  readonly #open: number[] = [];

  constructor(capacity = 1024) {
    this.#bytes = new Uint8Array(capacity);
    this.#view = new DataView(this.#bytes.buffer);
  }

  /** Bytes written so far. */
  get length(): number {
    return this.#length;
  }

  /** The bytes written so far, as a view that the next write may invalidate. */
  bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  /** Makes room for `size` bytes of zeros and returns where they start. */
  reserve(size: number): number {
    const start = this.#length;
    const end = start + size;
    if (end > this.#bytes.length) this.#grow(end);
    this.#length = end;
    return start;
  }

  /** The view over the whole buffer, for filling in what {@link reserve} reserved. */
  get view(): DataView {
    return this.#view;
  }

  /** Copies `bytes` to `at`, into room that {@link reserve} made. */
  fill(at: number, bytes: Uint8Array): void {
    this.#bytes.set(bytes, at);
  }

  /** Drops everything written from `length` on, nests that are open there too. */
  truncate(length: number): void {
    this.#bytes.fill(0, length, this.#length);
    this.#length = length;
    while ((this.#open.at(-1) ?? -1) >= length) this.#open.pop();
  }

  /** Bytes that there is room for, written or not. */
  get capacity(): number {
    return this.#bytes.length;
  }

  u8(type: number, value: number): void {
    const at = this.#put(type, 1);
    this.#view.setUint8(at, value);
  }

  u16(type: number, value: number): void {
    const at = this.#put(type, 2);
    this.#view.setUint16(at, value);
  }

  u32(type: number, value: number): void {
    const at = this.#put(type, 4);
    this.#view.setUint32(at, value);
  }

  u64(type: number, value: bigint): void {
    const at = this.#put(type, 8);
    this.#view.setBigUint64(at, value);
  }

  /** A NUL-terminated string in UTF-8. */
  string(type: number, value: string): void {
    const at = this.#put(type, value.length + 1);
    for (let i = 0; i < value.length; i++) {
      const code = value.charCodeAt(i);
      if (code > 0x7f) {
        this.truncate(at - HEADER);
        this.raw(type, Buffer.from(`${value}\0`, 'utf8'));
        return;
      }
      this.#bytes[at + i] = code;
    }
  }

  raw(type: number, value: Uint8Array): void {
    const at = this.#put(type, value.length);
    this.#bytes.set(value, at);
  }

  /** An attribute without payload. */
  flag(type: number): void {
    this.#put(type, 0);
  }

  /** Appends attributes that are encoded already. */
  append(attributes: Uint8Array): void {
    const at = this.reserve((attributes.length + 3) & ~3);
    this.#bytes.set(attributes, at);
  }

  /** Opens a nest; {@link end} closes the innermost one. */
  begin(type: number): void {
    this.#open.push(this.#length);
    const at = this.reserve(HEADER);
    this.#setHost16(at + 2, type | NESTED);
  }

  end(): void {
    const at = this.#open.pop();
    if (at === undefined) throw new Error('no nest is open');
    const size = this.#length - at;
    if (size > MAX_LENGTH) throw new AttributeTooLongError(`a nest of ${size} bytes`);
    this.#setHost16(at, size);
  }

  #put(type: number, size: number): number {
    if (size + HEADER > MAX_LENGTH) throw new AttributeTooLongError(`an attribute of ${size} bytes`);
    const at = this.reserve((HEADER + size + 3) & ~3);
    const length = HEADER + size;
    // Both halves of the header at once.
    const header = hostIsLittleEndian ? (type << 16) | length : (length << 16) | type;
    this.#view.setInt32(at, header, hostIsLittleEndian);
    return at + HEADER;
  }

  #setHost16(at: number, value: number): void {
    this.#view.setUint16(at, value, hostIsLittleEndian);
  }

  #grow(needed: number): void {
    const bytes = new Uint8Array(Math.max(this.#bytes.length * 2, needed));
    bytes.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer);
  }
}
