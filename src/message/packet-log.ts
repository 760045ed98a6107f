import { AttributeWriter } from '../wire/attribute-writer.ts';
import { NLM, netlinkRequest } from '../wire/netlink.ts';
import { bytes, nested, optional, string, u16, u32 } from '../wire/schema.ts';

/** NFNL_SUBSYS_ULOG of linux/netfilter/nfnetlink.h, and its messages (linux/netfilter/nfnetlink_log.h). */
const SUBSYSTEM = 4;
/** NFULNL_MSG_PACKET: as it comes in a header, without the subsystem. */
export const LOG_PACKET = 0;
const CONFIG = 1;

/** Bytes of struct nfgenmsg, the last two of which are the group. */
const NFGENMSG = 4;

/** NFULA_*: a packet, as a `log group` statement tells of it. */
export const packetLog = {
  /** be16 protocol, u8 hook, u8 of padding */
  header: optional(1, bytes),
  mark: optional(2, u32),
  /** be64 seconds, be64 microseconds */
  timestamp: optional(3, bytes),
  indev: optional(4, u32),
  outdev: optional(5, u32),
  physindev: optional(6, u32),
  physoutdev: optional(7, u32),
  /** be16 length, 2 bytes of padding, 8 bytes */
  hwaddr: optional(8, bytes),
  payload: optional(9, bytes),
  prefix: optional(10, string),
  uid: optional(11, u32),
  sequence: optional(12, u32),
  gid: optional(14, u32),
  hwtype: optional(15, u16),
  hwheader: optional(16, bytes),
  hwlength: optional(17, u16),
  vlan: optional(20, nested({ protocol: optional(1, u16), tci: optional(2, u16) })),
  linkHeader: optional(21, bytes),
};

/** How the kernel hands packets of a group out. */
export interface LogConfig {
  readonly group: number;
  /** Bytes of a packet; 0: none. */
  readonly range: number;
  /** Packets that are put together before they are handed out. */
  readonly threshold: number;
  /** For how long, in hundredths of a second, others are waited for. */
  readonly timeout: number;
}

const CFG = { cmd: 1, mode: 2, timeout: 4, qthresh: 5, flags: 6 } as const;
const CMD_BIND = 1;
const COPY_META = 1;
const COPY_PACKET = 2;
const FLAG_SEQ = 1;

/** A whole message (NFULNL_MSG_CONFIG) that has packets of a group sent to the socket it comes from. */
export function logConfig({ group, range, threshold, timeout }: LogConfig): Uint8Array {
  const out = new AttributeWriter(96);
  out.reserve(NFGENMSG);
  out.view.setUint16(2, group);
  out.raw(CFG.cmd, Uint8Array.of(CMD_BIND));
  const mode = new Uint8Array(6);
  new DataView(mode.buffer).setUint32(0, range);
  mode[4] = range === 0 ? COPY_META : COPY_PACKET;
  out.raw(CFG.mode, mode);
  out.u32(CFG.timeout, timeout);
  out.u32(CFG.qthresh, threshold);
  out.raw(CFG.flags, Uint8Array.of(0, FLAG_SEQ));
  return netlinkRequest((SUBSYSTEM << 8) | CONFIG, NLM.ACK, 0, out.bytes());
}
