import { address, concat, u8, u16, u32, zeros } from './bytes.ts';
import type { Layer, Packet } from './layer.ts';

export interface Ipv6 {
  readonly src: string;
  readonly dst: string;
  readonly hopLimit?: number;
}

/** An IPv6 packet; neighbour discovery wants the hop limit of 255 that it has. */
export function ipv6({ src, dst, hopLimit = 255 }: Ipv6, layer: Layer): Packet {
  const saddr = address(src);
  const daddr = address(dst);
  const payload = layer.bytes({ saddr, daddr });
  const header = concat(u8(0x60, 0, 0, 0), u16(payload.length), u8(layer.protocol, hopLimit), saddr, daddr);
  return { ethertype: 0x86dd, bytes: concat(header, payload) };
}

/** Where a multicast address goes on Ethernet (RFC 2464). */
export function multicastMac(group: string): string {
  return `33:33:${address(group)
    .toString('hex', 12)
    .replace(/(..)(?=.)/g, '$1:')}`;
}

/** Where a neighbour solicitation for an address goes (RFC 4291). */
export function solicitedNode(target: string): string {
  const tail = address(target).toString('hex', 13);
  return `ff02::1:ff${tail.slice(0, 2)}:${tail.slice(2)}`;
}

/** Options are padded to the 8 bytes that an extension header counts in (RFC 8200 4.2). */
function options(protocol: number, content: Uint8Array, next: Layer): Layer {
  const gap = -(2 + content.length) & 7;
  const padding = gap === 0 ? zeros(0) : gap === 1 ? zeros(1) : concat(u8(1, gap - 2), zeros(gap - 2));
  const units = (2 + content.length + gap) / 8 - 1;
  return {
    protocol,
    bytes: (addresses) => concat(u8(next.protocol, units), content, padding, next.bytes(addresses)),
  };
}

export const hopByHop = (next: Layer, content: Uint8Array = zeros(0)): Layer => options(0, content, next);

export const destinationOptions = (next: Layer, content: Uint8Array = zeros(0)): Layer =>
  options(60, content, next);

/** The option that makes routers look at a packet (RFC 2711), here for multicast listener discovery. */
export const ROUTER_ALERT = u8(5, 2, 0, 0);

/** A routing header of type 0 that has no stops left. */
export const routing = (next: Layer): Layer => ({
  protocol: 43,
  bytes: (addresses) => concat(u8(next.protocol, 0, 0, 0), zeros(4), next.bytes(addresses)),
});

export interface Fragment {
  /** In 8-byte units, as on the wire. */
  readonly offset?: number;
  readonly moreFragments?: boolean;
}

/** A fragment header; with neither offset nor more to come it is an atomic fragment (RFC 6946). */
export function fragment(next: Layer, { offset = 0, moreFragments = false }: Fragment = {}): Layer {
  const head = concat(u8(next.protocol, 0), u16((offset << 3) | (moreFragments ? 1 : 0)), u32(0x1234));
  return { protocol: 44, bytes: (addresses) => concat(head, next.bytes(addresses)) };
}

/** An authentication header of 24 bytes (RFC 4302) that nobody signed. */
export const authentication = (next: Layer): Layer => ({
  protocol: 51,
  bytes: (addresses) => concat(u8(next.protocol, 4), zeros(22), next.bytes(addresses)),
});
