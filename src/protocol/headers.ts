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

/** What a header announces; of several rows with the same value or name, the first counts. */
interface Next {
  readonly byValue: ReadonlyMap<number, Header>;
  readonly byName: ReadonlyMap<string, number>;
}

const nexts = new WeakMap<Header, Next>();

function nextOf(header: Header): Next {
  let next = nexts.get(header);
  if (next === undefined) {
    const rows = header.next.toReversed();
    next = {
      byValue: new Map(rows.map(([value, name]) => [value, findHeader(name)])),
      byName: new Map(rows.map(([value, name]) => [name, value])),
    };
    nexts.set(header, next);
  }
  return next;
}

/** The header that `header` announces by `value` in its key, where nft knows one. */
export function nextHeader(header: Header, value: number): Header | undefined {
  return nextOf(header).byValue.get(value);
}

/** The first value of the key of `header` that announces `next`: what nft writes in a dependency. */
export function nextHeaderValue(header: Header, next: Header): number | undefined {
  return nextOf(header).byName.get(next.name);
}

/**
 * The field of `header` that lies exactly at `offset` and is `bits` wide; where several do (vlan dei and
 * cfi, the icmp unions), the first.
 */
export function fieldAt(header: Header, offset: number, bits: number): HeaderField | undefined {
  return Object.values(header.fields).find((field) => field.offset === offset && field.bits === bits);
}
