import { concat, mac, u8, u16, zeros } from './bytes.ts';
import type { Packet } from './layer.ts';

export const BROADCAST = 'ff:ff:ff:ff:ff:ff';

/** A VLAN tag: 0x8100 (802.1Q) unless `tpid` says 0x88a8 (802.1ad); VID 0 carries a priority alone. */
export interface Tag {
  readonly vid: number;
  readonly pcp?: number;
  readonly tpid?: number;
}

export interface Ends {
  readonly src: string;
  readonly dst: string;
}

/** A frame, padded to the 60 bytes that a network card sends; `tags` go outermost first. */
export function ethernet({ src, dst }: Ends, packet: Packet, tags: readonly Tag[] = []): Buffer {
  const header = tags.map(({ tpid = 0x8100, pcp = 0, vid }) => u16(tpid, (pcp << 13) | vid));
  return pad(concat(mac(dst), mac(src), ...header, u16(packet.ethertype), packet.bytes));
}

/** An 802.3 frame: a length instead of a type, then an LLC header. */
export function llc({ src, dst }: Ends, payload: Uint8Array, sap = 0x42): Buffer {
  const body = concat(u8(sap, sap, 3), payload);
  return pad(concat(mac(dst), mac(src), u16(body.length), body));
}

/** A packet in an 802.3 frame behind a SNAP header (RFC 1042). */
export function snap(ends: Ends, packet: Packet): Buffer {
  return llc(ends, concat(zeros(3), u16(packet.ethertype), packet.bytes), 0xaa);
}

function pad(frame: Buffer): Buffer {
  return frame.length < 60 ? concat(frame, zeros(60 - frame.length)) : frame;
}
