import type { Header, HeaderField } from './header.ts';
import { icmp, icmpv6, igmp } from './icmp.ts';
import { arp, ether, vlan } from './link.ts';
import { lookup } from './lookup.ts';
import { ip, ip6 } from './network.ts';
import { ah, comp, esp } from './security.ts';
import { dccp, sctp, tcp, th, udp, udplite } from './transport.ts';
import { geneve, gre, gretap, vxlan } from './tunnel.ts';

/** Every header that a payload expression can name, in the order of `enum proto_desc_id`. */
export const headers = Object.freeze({
  ah,
  esp,
  comp,
  icmp,
  igmp,
  udp,
  udplite,
  tcp,
  dccp,
  sctp,
  th,
  ip,
  ip6,
  icmpv6,
  arp,
  vlan,
  ether,
  vxlan,
  geneve,
  gre,
  gretap,
}) satisfies Readonly<Record<string, Header>>;

export type HeaderName = keyof typeof headers;

/**
 * The header that nft calls `name`.
 *
 * @throws ProtocolLookupError listing the headers there are
 */
export function findHeader(name: string): Header {
  return lookup<Header>('protocol header', headers, name);
}

/**
 * A field of a header.
 *
 * @throws ProtocolLookupError listing the fields that the header has
 */
export function findHeaderField(header: Header, name: string): HeaderField {
  return lookup(`${header.name} field`, header.fields, name);
}

/** The header that `header` announces by `value` in its key, where nft knows one. */
export function nextHeader(header: Header, value: number): Header | undefined {
  const found = header.next.find(([number]) => number === value);
  return found && findHeader(found[1]);
}

/** The first value of the key of `header` that announces `next`: what nft writes in a dependency. */
export function nextHeaderValue(header: Header, next: Header): number | undefined {
  return header.next.find(([, name]) => name === next.name)?.[0];
}

/**
 * The field of `header` that lies exactly at `offset` and is `bits` wide; where several do (vlan dei and
 * cfi, the icmp unions), the first.
 */
export function fieldAt(header: Header, offset: number, bits: number): HeaderField | undefined {
  return Object.values(header.fields).find((field) => field.offset === offset && field.bits === bits);
}
