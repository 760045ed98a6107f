import { concat, mac, u8, u16, u32, zeros } from './bytes.ts';
import type { Layer } from './layer.ts';
import { udp } from './transport.ts';

const MAGIC = 0x63825363;

/** A DHCPv4 message (RFC 2131): a discover from port 68 to 67, an offer the other way round. */
export function dhcp(kind: 'discover' | 'offer', chaddr: string): Layer {
  const [op, type, sport, dport] = kind === 'discover' ? [1, 1, 68, 67] : [2, 2, 67, 68];
  const fixed = concat(u8(op, 1, 6, 0), u32(0x1234), u16(0, 0x8000), zeros(16), mac(chaddr), zeros(10 + 192));
  return udp(sport, dport, concat(fixed, u32(MAGIC), u8(53, 1, type, 255)));
}

/** A DHCPv6 message (RFC 8415): a solicit from port 546 to 547, an advertise the other way round. */
export function dhcpv6(kind: 'solicit' | 'advertise'): Layer {
  const elapsed = u16(8, 2, 0);
  const message = (type: number): Buffer => concat(u8(type, 0, 0x12, 0x34), elapsed);
  return kind === 'solicit' ? udp(546, 547, message(1)) : udp(547, 546, message(2));
}
