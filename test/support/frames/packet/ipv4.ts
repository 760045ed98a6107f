import { address, checksum, concat, u8, u16, zeros } from './bytes.ts';
import type { Layer, Packet } from './layer.ts';

export interface Ipv4 {
  readonly src: string;
  readonly dst: string;
  readonly ttl?: number;
  /** Options, a multiple of 4 bytes. */
  readonly options?: Uint8Array;
  /** In 8-byte units, as on the wire. */
  readonly offset?: number;
  readonly moreFragments?: boolean;
  readonly dontFragment?: boolean;
}

/** The option that makes routers look at a packet (RFC 2113). */
export const ROUTER_ALERT = u8(0x94, 4, 0, 0);

export function ipv4(fields: Ipv4, layer: Layer): Packet {
  const { src, dst, ttl = 64, options = zeros(0), offset = 0 } = fields;
  const { moreFragments = false, dontFragment = false } = fields;
  const saddr = address(src);
  const daddr = address(dst);
  const payload = layer.bytes({ saddr, daddr });
  const length = 20 + options.length;
  const header = concat(
    u8(0x40 | (length / 4), 0),
    u16(length + payload.length, 0x1234, (dontFragment ? 0x4000 : 0) | (moreFragments ? 0x2000 : 0) | offset),
    u8(ttl, layer.protocol),
    u16(0),
    saddr,
    daddr,
    options,
  );
  header.set(u16(checksum(header)), 10);
  return { ethertype: 0x0800, bytes: concat(header, payload) };
}
