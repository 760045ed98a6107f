import { hostIsLittleEndian } from '../datatype/byteorder.ts';
import { plainBytes, WireError } from '../wire/attribute-reader.ts';

const HEADER = 16;
const FAMILY_HEADER = 4;

/**
 * A message of the kernel about an nf_tables object.
 *
 * ```
 *  +-------------------+-----------+------------+-------------------+----------+
 *  | nlmsg_len u32     | type u16  | flags u16  | sequence u32      | port u32 |
 *  +-------------------+-----------+------------+-------------------+----------+
 *  | family u8 | version u8 | res_id be16       | attributes ...
 *  +-------------------+-----------+------------+----
 * ```
 */
export interface NetlinkMessage {
  /** `NFT_MSG_*` of linux/netfilter/nf_tables.h, without the subsystem. */
  readonly type: number;
  /** `NLM_F_*` of linux/netlink.h. */
  readonly flags: number;
  /** The number of the request that it is about, and the address of the socket that made it. */
  readonly sequence: number;
  readonly port: number;
  /** `NFPROTO_*` of linux/netfilter.h. */
  readonly family: number;
  /** The attributes, encoded: a view, not a copy. */
  readonly attributes: Uint8Array;
}

/**
 * The messages in `received`, one behind the other as the socket returns them.
 *
 * @throws WireError when a length runs past the end
 */
export function* readMessages(received: Uint8Array): Generator<NetlinkMessage, void, undefined> {
  const bytes = plainBytes(received);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  while (at < bytes.length) {
    if (bytes.length - at < HEADER + FAMILY_HEADER) {
      throw new WireError(`${bytes.length - at} stray bytes after the last message`);
    }
    const length = view.getUint32(at, hostIsLittleEndian);
    if (length < HEADER + FAMILY_HEADER || length > bytes.length - at) {
      throw new WireError(`the message at byte ${at} claims ${length} bytes of ${bytes.length - at}`);
    }
    yield {
      type: view.getUint16(at + 4, hostIsLittleEndian) & 0xff,
      flags: view.getUint16(at + 6, hostIsLittleEndian),
      sequence: view.getUint32(at + 8, hostIsLittleEndian),
      port: view.getUint32(at + 12, hostIsLittleEndian),
      family: view.getUint8(at + HEADER),
      attributes: bytes.subarray(at + HEADER + FAMILY_HEADER, at + length),
    };
    at += (length + 3) & ~3;
  }
}
