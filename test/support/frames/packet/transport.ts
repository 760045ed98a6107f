import { checksum, concat, u8, u16, u32, zeros } from './bytes.ts';
import { type Layer, withChecksum } from './layer.ts';

export function udp(sport: number, dport: number, payload: Uint8Array = zeros(8)): Layer {
  const protocol = 17;
  return {
    protocol,
    bytes: (addresses) =>
      withChecksum(concat(u16(sport, dport, 8 + payload.length, 0), payload), 6, protocol, addresses),
  };
}

/** A segment without data; a SYN unless `flags` says otherwise. */
export function tcp(sport: number, dport: number, flags = 0x02): Layer {
  const protocol = 6;
  return {
    protocol,
    bytes: (addresses) =>
      withChecksum(
        concat(u16(sport, dport), u32(1), u32(0), u8(0x50, flags), u16(0xffff, 0, 0)),
        16,
        protocol,
        addresses,
      ),
  };
}

/** An ICMP echo request (type 8) or another message of its shape. */
export function icmp(type = 8, payload: Uint8Array = zeros(16)): Layer {
  return { protocol: 1, bytes: () => summed(concat(u8(type, 0), u16(0, 1, 1), payload)) };
}

export const IGMP_QUERY = 0x11;
export const IGMP_V2_REPORT = 0x16;
export const IGMP_V3_REPORT = 0x22;

/** An IGMP message about a group (RFC 2236), or a version 3 report that joins it (RFC 3376). */
export function igmp(type: number, group: Buffer): Layer {
  const body =
    type === IGMP_V3_REPORT
      ? concat(u8(type, 0), u16(0, 0, 1), u8(4, 0), u16(0), group)
      : concat(u8(type, 0), u16(0), group);
  return { protocol: 2, bytes: () => summed(Buffer.from(body)) };
}

function summed(message: Buffer): Buffer {
  message.set(u16(checksum(message)), 2);
  return message;
}
