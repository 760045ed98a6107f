import { hostIsLittleEndian } from '../datatype/byteorder.ts';
import { plainBytes, WireError } from './attribute-reader.ts';

/** Bytes of struct nlmsghdr (linux/netlink.h). */
export const NETLINK_HEADER = 16;

/** NLM_F_* of linux/netlink.h. Requests that ask and requests that make something use the same bits. */
export const NLM = {
  REQUEST: 0x1,
  ACK: 0x4,
  ECHO: 0x8,
  DUMP_INTR: 0x10,
  DUMP: 0x300,
  REPLACE: 0x100,
  EXCL: 0x200,
  CREATE: 0x400,
  APPEND: 0x800,
} as const;

/**
 * A message of any netlink family.
 *
 * ```
 *  +-------------------+-----------+------------+-------------------+----------+
 *  | nlmsg_len u32     | type u16  | flags u16  | sequence u32      | port u32 |
 *  +-------------------+-----------+------------+-------------------+----------+
 *  | body ...
 *  +---------
 * ```
 */
export interface NetlinkFrame {
  readonly type: number;
  readonly flags: number;
  /** The number of the request that it is about, and the address of the socket that made it. */
  readonly sequence: number;
  readonly port: number;
  /** What follows the header: a view, not a copy. */
  readonly body: Uint8Array;
}

/**
 * The messages in `received`, one behind the other as a socket returns them.
 *
 * @param least - bytes that a body has at least
 * @throws WireError when a length runs past the end
 */
export function* netlinkFrames(received: Uint8Array, least = 0): Generator<NetlinkFrame, void, undefined> {
  const bytes = plainBytes(received);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 0; at < bytes.length; ) {
    const rest = bytes.length - at;
    if (rest < NETLINK_HEADER + least) throw new WireError(`${rest} stray bytes after the last message`);
    const length = view.getUint32(at, hostIsLittleEndian);
    if (length < NETLINK_HEADER + least || length > rest)
      throw new WireError(`the message at byte ${at} claims ${length} bytes of ${rest}`);
    yield {
      type: view.getUint16(at + 4, hostIsLittleEndian),
      flags: view.getUint16(at + 6, hostIsLittleEndian),
      sequence: view.getUint32(at + 8, hostIsLittleEndian),
      port: view.getUint32(at + 12, hostIsLittleEndian),
      body: bytes.subarray(at + NETLINK_HEADER, at + length),
    };
    at += (length + 3) & ~3;
  }
}

/** A request as one message, padded to 4 bytes. */
export function netlinkRequest(type: number, flags: number, sequence: number, body: Uint8Array): Uint8Array {
  const message = new Uint8Array((NETLINK_HEADER + body.length + 3) & ~3);
  const view = new DataView(message.buffer);
  view.setUint32(0, NETLINK_HEADER + body.length, hostIsLittleEndian);
  view.setUint16(4, type, hostIsLittleEndian);
  view.setUint16(6, flags | NLM.REQUEST, hostIsLittleEndian);
  view.setUint32(8, sequence, hostIsLittleEndian);
  message.set(body, NETLINK_HEADER);
  return message;
}
