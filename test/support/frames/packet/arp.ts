import { address, concat, mac, u8, u16 } from './bytes.ts';
import type { Packet } from './layer.ts';

const NOBODY = '00:00:00:00:00:00';

export interface Arp {
  /** 1 request, 2 reply, 3 and 4 those of RARP (RFC 826, RFC 903). */
  readonly op: number;
  readonly sha: string;
  readonly spa: string;
  readonly tha?: string;
  readonly tpa: string;
  /** What the header claims; Ethernet, IPv4, 6 and 4 bytes where absent. */
  readonly htype?: number;
  readonly ptype?: number;
  readonly hlen?: number;
  readonly plen?: number;
}

export function arp(fields: Arp): Packet {
  const { op, sha, spa, tha = NOBODY, tpa, htype = 1, ptype = 0x0800, hlen = 6, plen = 4 } = fields;
  const header = concat(u16(htype, ptype), u8(hlen, plen), u16(op));
  const addresses = concat(mac(sha), address(spa), mac(tha), address(tpa));
  return { ethertype: 0x0806, bytes: concat(header, addresses) };
}

/** What QEMU broadcasts after a migration so that switches learn the new place; `change` spoils it. */
export function announcement(sha: string, change: Partial<Arp> = {}): Packet {
  const { bytes } = arp({ op: 3, sha, spa: '0.0.0.0', tha: sha, tpa: '0.0.0.0', ...change });
  return { ethertype: 0x8035, bytes };
}
