import { hostIsLittleEndian } from '../datatype/byteorder.ts';
import { element as elementSchema } from '../message/index.ts';
import { layout } from '../wire/program-layout.ts';
import { decodeOpen, type ValueOf } from '../wire/schema.ts';

/** An element as a message has it. */
export type GivenElement = Partial<ValueOf<typeof elementSchema>>;

/** One message of a transaction. */
export interface BatchMessage {
  /** NFT_MSG_* */
  readonly type: number;
  /** NLM_F_* */
  readonly flags: number;
  /** NFPROTO_* */
  readonly family: number;
  readonly operation: number;
  /** Encoded; without the elements. */
  readonly attributes: Uint8Array;
  /** Present where the message is about elements. */
  readonly elements?: readonly GivenElement[];
  /** Bytes that it takes on the wire. */
  readonly bytes: number;
}

/** A transaction, read from the program that would go to the addon. */
export interface Batch {
  readonly check: boolean;
  readonly echo: boolean;
  /** The generation that the ruleset must have; 0 for any. */
  readonly generation: number;
  readonly messages: readonly BatchMessage[];
}

/** struct nlmsghdr and struct nfgenmsg. */
const HEADERS = 20;
const NEST = 4;

const align = (length: number) => (length + 3) & ~3;

/** Takes a program apart, which comes from our own writer. */
export function readProgram(bytes: Uint8Array): Batch {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const u32 = (at: number) => view.getUint32(at, hostIsLittleEndian);
  const u16 = (at: number) => view.getUint16(at, hostIsLittleEndian);
  const flags = u16(layout.HEADER_FLAGS);
  const messages: BatchMessage[] = [];
  for (let at: number = layout.HEADER_SIZE; at < bytes.length; at += u32(at + layout.RECORD_LENGTH)) {
    const end = at + u32(at + layout.RECORD_LENGTH);
    const kind = view.getUint8(at + layout.RECORD_KIND);
    const head = {
      type: view.getUint8(at + layout.RECORD_TYPE),
      flags: u16(at + layout.RECORD_FLAGS),
      family: view.getUint8(at + layout.RECORD_FAMILY),
      operation: u32(at + layout.RECORD_OPERATION),
    };
    if (kind === layout.KIND_MESSAGE) {
      const attributes = bytes.slice(at + layout.RECORD_SIZE, end);
      messages.push({ ...head, attributes, bytes: HEADERS + attributes.length });
      continue;
    }
    if (kind === layout.KIND_ROWS) {
      messages.push({ ...head, ...readRows(bytes, view, at, end) });
      continue;
    }
    const packed = kind === layout.KIND_PACKED_ELEMENTS;
    const start = at + (packed ? layout.PACKED_SIZE : layout.ELEMENTS_SIZE);
    const list = start + u32(at + layout.ELEMENTS_PREFIX_LENGTH);
    const attributes = bytes.slice(start, list);
    const sizes = {
      key: packed ? u16(at + layout.PACKED_KEY_LENGTH) : 0,
      end: packed ? u16(at + layout.PACKED_END_LENGTH) : 0,
      data: packed ? u16(at + layout.PACKED_DATA_LENGTH) : 0,
    };
    const elements = packed ? readPacked(bytes, view, list, end, sizes) : readEncoded(bytes, view, list, end);
    const listed = packed ? elements.reduce((sum, one) => sum + packedSize(one), 0) : end - list;
    messages.push({ ...head, attributes, elements, bytes: HEADERS + attributes.length + NEST + listed });
  }
  return {
    check: (flags & layout.FLAG_CHECK) !== 0,
    echo: (flags & layout.FLAG_ECHO) !== 0,
    generation: u32(layout.HEADER_GENERATION),
    messages,
  };
}

function readEncoded(bytes: Uint8Array, view: DataView, from: number, end: number): GivenElement[] {
  const elements: GivenElement[] = [];
  for (let at = from; at < end; ) {
    const length = view.getUint32(at, hostIsLittleEndian) & layout.ELEMENT_LENGTH_MASK;
    elements.push(decodeOpen(elementSchema, bytes.subarray(at + 4, at + 4 + length)).value);
    at += 4 + length;
  }
  return elements;
}

/** What an element takes that the addon encodes. */
function packedSize({ flags, key, keyEnd, data }: GivenElement): number {
  const parts = [key, keyEnd, data].map((part) =>
    part instanceof Uint8Array ? 2 * NEST + align(part.length) : 0,
  );
  return parts.reduce((sum, size) => sum + size, NEST + (flags === undefined ? 0 : NEST + 4));
}

/** Elements in rows: see `wire/program-layout.ts`. */
function readRows(bytes: Uint8Array, view: DataView, at: number, end: number) {
  const u32 = (place: number) => view.getUint32(place, hostIsLittleEndian);
  const u16 = (place: number) => view.getUint16(place, hostIsLittleEndian);
  const start = at + layout.ROWS_SIZE;
  let from = start + u32(at + layout.ELEMENTS_PREFIX_LENGTH);
  const attributes = bytes.slice(start, from);
  const choices: GivenElement[] = [];
  for (let left = u16(at + layout.ROWS_CHOICES); left > 0; left--) {
    const next = from + align(u16(from));
    choices.push(decodeOpen(elementSchema, bytes.subarray(from, next)).value);
    from = next;
  }
  const key = u16(at + layout.ROWS_KEY_LENGTH);
  const data = u16(at + layout.ROWS_DATA_LENGTH);
  const timeouts = (u16(at + layout.ROWS_FLAGS) & layout.ROWS_TIMEOUTS) !== 0;
  const value = align(key);
  const stride = value + (choices.length > 0 ? 4 : align(data)) + (timeouts ? 4 : 0);
  const elements: GivenElement[] = [];
  let listed = 0;
  for (let row = from; row < end; row += stride) {
    const timeout = timeouts ? u32(row + stride - 4) : 0;
    const element: GivenElement = {
      key: bytes.slice(row, row + key),
      ...(data === 0 ? {} : { data: bytes.slice(row + value, row + value + data) }),
      ...(choices.length === 0 ? {} : choices[u32(row + value)]),
      ...(timeout === 0 ? {} : { timeout: BigInt(timeout) * 1000n }),
    };
    listed += packedSize(element) + (timeout === 0 ? 0 : NEST + 8);
    elements.push(element);
  }
  return { attributes, elements, bytes: HEADERS + attributes.length + NEST + listed };
}

const INTERVAL_END = 1;
const CATCHALL = 2;

function readPacked(
  bytes: Uint8Array,
  view: DataView,
  from: number,
  end: number,
  sizes: { readonly key: number; readonly end: number; readonly data: number },
): GivenElement[] {
  const elements: GivenElement[] = [];
  for (let at = from; at < end; at += align(4 + sizes.key + sizes.end + sizes.data)) {
    const flags = view.getUint32(at, hostIsLittleEndian) & ~layout.ELEMENT_TOGETHER;
    const keyEnd = at + 4 + sizes.key;
    const data = keyEnd + sizes.end;
    elements.push({
      ...(flags === 0 ? {} : { flags }),
      ...(flags & CATCHALL ? {} : { key: bytes.slice(at + 4, keyEnd) }),
      ...(sizes.end === 0 || flags & CATCHALL ? {} : { keyEnd: bytes.slice(keyEnd, data) }),
      ...(sizes.data === 0 || flags & INTERVAL_END ? {} : { data: bytes.slice(data, data + sizes.data) }),
    });
  }
  return elements;
}
