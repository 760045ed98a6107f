import { hostIsLittleEndian } from '../datatype/byteorder.ts';
import { plainBytes, readAttributes, readString, WireError } from '../wire/attribute-reader.ts';

const HEADER = 16;

/** RTM_* of linux/rtnetlink.h. */
export const RTM = {
  newLink: 16,
  delLink: 17,
  getLink: 18,
  newRoute: 24,
  delRoute: 25,
  getRoute: 26,
} as const;

/** NLM_F_* of linux/netlink.h, as far as rtnetlink is asked with them. */
export const NLM_F = {
  request: 0x1,
  ack: 0x4,
  dumpInterrupted: 0x10,
  dump: 0x300,
  replace: 0x100,
  exclusive: 0x200,
  create: 0x400,
} as const;

/** NLMSG_ERROR and NLMSG_DONE of linux/netlink.h. */
const REPORTS = { error: 2, done: 3 } as const;
/** In a report: the request is left out of it, and attributes follow. */
const NLM_F_CAPPED = 0x100;
const NLM_F_ACK_TLVS = 0x200;
const NLMSGERR_ATTR_MSG = 1;

/**
 * A message of rtnetlink.
 *
 * ```
 *  +-------------------+-----------+------------+-------------------+----------+
 *  | nlmsg_len u32     | type u16  | flags u16  | sequence u32      | port u32 |
 *  +-------------------+-----------+------------+-------------------+----------+
 *  | fixed header of the type | attributes ...
 *  +--------------------------+----
 * ```
 */
export interface RtnetlinkMessage {
  readonly type: number;
  readonly flags: number;
  /** The number of the request that it answers. */
  readonly sequence: number;
  /** What follows the netlink header: a view, not a copy. */
  readonly body: Uint8Array;
}

/** What the kernel says of a request. */
export interface Report {
  readonly sequence: number;
  /** The errno, positive; 0 acknowledges. */
  readonly errno: number;
  /** The kernel's own words, often empty. */
  readonly text: string;
}

/** A request as one message, which gets the number `sequence`. */
export function requestMessage(type: number, flags: number, sequence: number, body: Uint8Array): Uint8Array {
  const message = new Uint8Array((HEADER + body.length + 3) & ~3);
  const view = new DataView(message.buffer);
  view.setUint32(0, HEADER + body.length, hostIsLittleEndian);
  view.setUint16(4, type, hostIsLittleEndian);
  view.setUint16(6, flags | NLM_F.request, hostIsLittleEndian);
  view.setUint32(8, sequence, hostIsLittleEndian);
  message.set(body, HEADER);
  return message;
}

/**
 * The messages in `received`, one behind the other.
 *
 * @throws WireError when a length runs past the end
 */
export function* rtnetlinkMessages(received: Uint8Array): Generator<RtnetlinkMessage, void, undefined> {
  const bytes = plainBytes(received);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 0; at < bytes.length; ) {
    const rest = bytes.length - at;
    const length = rest < HEADER ? 0 : view.getUint32(at, hostIsLittleEndian);
    if (length < HEADER || length > rest)
      throw new WireError(`the message at byte ${at} claims ${length} bytes of ${rest}`);
    yield {
      type: view.getUint16(at + 4, hostIsLittleEndian),
      flags: view.getUint16(at + 6, hostIsLittleEndian),
      sequence: view.getUint32(at + 8, hostIsLittleEndian),
      body: bytes.subarray(at + HEADER, at + length),
    };
    at += (length + 3) & ~3;
  }
}

/** Reads a message that ends an answer; nothing where it is another one. */
export function reportIn({ type, flags, sequence, body }: RtnetlinkMessage): Report | undefined {
  if (type !== REPORTS.error && type !== REPORTS.done) return undefined;
  if (body.length < 4) return { sequence, errno: 0, text: '' };
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  const errno = Math.abs(view.getInt32(0, hostIsLittleEndian));
  if ((flags & NLM_F_ACK_TLVS) === 0) return { sequence, errno, text: '' };
  let start = 4;
  if (type === REPORTS.error)
    start += (flags & NLM_F_CAPPED) === 0 ? (view.getUint32(4, hostIsLittleEndian) + 3) & ~3 : HEADER;
  const said = readAttributes(body.subarray(start)).find(({ id }) => id === NLMSGERR_ATTR_MSG);
  return { sequence, errno, text: said === undefined ? '' : readString(said.payload) };
}
