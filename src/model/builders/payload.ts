import { headers } from '../../protocol/headers.ts';
import type { PayloadBase, PayloadFields, PayloadProtocol, TunnelProtocol } from '../payload.ts';
import { Operand, selector } from './operand.ts';

/** The fields of a header, by nft's names: `tcp.dport`, `ip['frag-off']`, `arp['saddr ip']`. */
export type HeaderFields<P extends PayloadProtocol> = { readonly [F in PayloadFields[P]]: Operand };

/** The fields of every header. */
export type Headers = { readonly [P in PayloadProtocol]: HeaderFields<P> };

/** Every field of every header; `tunnel`: of the packet inside that tunnel. */
function selectors(tunnel?: TunnelProtocol): Headers {
  const header = ([protocol, { base, fields }]: [string, (typeof headers)[keyof typeof headers]]) => {
    // A tunnel's own header is written as being inside itself: { protocol: 'vxlan', tunnel: 'vxlan' }.
    const within = base === 'tunnel' ? { tunnel: protocol } : tunnel && { tunnel };
    const operand = (field: string) => selector('payload', { protocol, field, ...within });
    return [protocol, Object.freeze(Object.fromEntries(Object.keys(fields).map((f) => [f, operand(f)])))];
  };
  return Object.fromEntries(Object.entries(headers).map(header)) as Headers;
}

export const {
  ether,
  vlan,
  arp,
  ip,
  ip6,
  icmp,
  igmp,
  icmpv6,
  ah,
  esp,
  comp,
  udp,
  udplite,
  tcp,
  dccp,
  sctp,
  th,
  gre,
  vxlan,
  geneve,
} = selectors();

/** The headers of the packet inside a tunnel: `inner('vxlan').ip.saddr` (Linux 6.2). */
export function inner(tunnel: TunnelProtocol): Headers {
  return selectors(tunnel);
}

/** Any bits of the packet. */
export const payload = Object.freeze({
  /**
   * `len` bits, `offset` bits after the start of the link layer (`ll`), network (`nh`) or transport header
   * (`th`), or of what follows it (`ih`, Linux 5.16).
   */
  raw(base: PayloadBase, offset: number, len: number): Operand {
    return new Operand({ payload: { base, offset, len } });
  },
});
