import { netlinkFrames } from '../wire/netlink.ts';

/** Bytes of struct nfgenmsg (linux/netfilter/nfnetlink.h). */
const FAMILY_HEADER = 4;

/**
 * A message of the kernel about an nf_tables object: what follows netlink's own header.
 *
 * ```
 *  +-----------+------------+-------------------+----------------
 *  | family u8 | version u8 | res_id be16       | attributes ...
 *  +-----------+------------+-------------------+----------------
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
  for (const { type, flags, sequence, port, body } of netlinkFrames(received, FAMILY_HEADER))
    yield {
      type: type & 0xff,
      flags,
      sequence,
      port,
      family: body[0] as number,
      attributes: body.subarray(FAMILY_HEADER),
    };
}
