import { bytes, nested, optional, string, u8, u16, u32, u64 } from '../wire/schema.ts';

/** NFT_TRACETYPE_*, by number. */
export const TRACE_TYPES = [undefined, 'policy', 'return', 'rule'] as const;

/** NFTA_TRACE_*: what became of a packet at one place (Linux 4.5). */
export const trace = {
  table: optional(1, string),
  chain: optional(2, string),
  handle: optional(3, u64),
  type: optional(4, u32),
  verdict: optional(5, nested({ code: optional(1, u32), chain: optional(2, string) })),
  id: optional(6, u32),
  link: optional(7, bytes),
  network: optional(8, bytes),
  transport: optional(9, bytes),
  iif: optional(10, u32),
  iiftype: optional(11, u16),
  oif: optional(12, u32),
  oiftype: optional(13, u16),
  mark: optional(14, u32),
  nfproto: optional(15, u32),
  policy: optional(16, u32),
  /** The connection's, since Linux 6.16. */
  ctId: optional(18, u32),
  ctDirection: optional(19, u8),
  ctStatus: optional(20, u32),
  ctState: optional(21, u32),
};
