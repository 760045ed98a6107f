import type { Expression, MatchOperator, NamedPayload, Statement } from '../model/index.ts';

/** The few words of nft that the rules here are written in. */

export const accept: Statement = { accept: null };
export const drop: Statement = { drop: null };
export const goto = (target: string): Statement => ({ goto: { target } });

export const match = (left: Expression, op: MatchOperator, right: Expression): Statement => ({
  match: { op, left, right },
});
export const equal = (left: Expression, right: Expression): Statement => match(left, '==', right);
export const unequal = (left: Expression, right: Expression): Statement => match(left, '!=', right);
/** Whether some bits of an integer are set: `any` of them or `none`. */
export const bits = (left: Expression, mask: number, want: 'any' | 'none'): Statement =>
  match({ '&': [left, mask] }, want === 'any' ? '!=' : '==', 0);

export const oneOf = (...elements: readonly Expression[]): Expression => ({ set: elements });
export const masked = (left: Expression, mask: Expression): Expression => ({ '&': [left, mask] });

/** A verdict map made with its rule. */
export const vmap = (key: Expression, pairs: readonly (readonly [Expression, Statement])[]): Statement => ({
  vmap: { key, data: { set: pairs as never } },
});

export const meta = {
  iifname: { meta: { key: 'iifname' } },
  oifname: { meta: { key: 'oifname' } },
  ibrname: { meta: { key: 'ibrname' } },
  obrname: { meta: { key: 'obrname' } },
  l4proto: { meta: { key: 'l4proto' } },
} as const satisfies Record<string, Expression>;

type Fields<P> = Extract<NamedPayload, { readonly protocol: P }>['field'];

/** A header field by name. */
export const payload = <P extends NamedPayload['protocol']>(protocol: P, field: Fields<P>): Expression => ({
  payload: { protocol, field } as NamedPayload,
});
/** Bits of a header; offset and length in bits. */
export const raw = (base: 'nh' | 'th', offset: number, len: number): Expression => ({
  payload: { base, offset, len },
});
export const exthdr = (name: 'hbh' | 'rt' | 'dst', field: 'nexthdr' | 'hdrlength'): Expression => ({
  exthdr: { name, field },
});
export const frag = (field?: 'nexthdr' | 'frag-off'): Expression => ({
  exthdr: field ? { name: 'frag', field } : { name: 'frag' },
});

export const ether = {
  saddr: payload('ether', 'saddr'),
  daddr: payload('ether', 'daddr'),
  type: payload('ether', 'type'),
};
export const ip = {
  saddr: payload('ip', 'saddr'),
  daddr: payload('ip', 'daddr'),
  fragOff: payload('ip', 'frag-off'),
};
export const arp = {
  htype: payload('arp', 'htype'),
  ptype: payload('arp', 'ptype'),
  hlen: payload('arp', 'hlen'),
  plen: payload('arp', 'plen'),
  operation: payload('arp', 'operation'),
  saddrEther: payload('arp', 'saddr ether'),
  saddrIp: payload('arp', 'saddr ip'),
  daddrIp: payload('arp', 'daddr ip'),
};
export const ip6 = {
  saddr: payload('ip6', 'saddr'),
  daddr: payload('ip6', 'daddr'),
  length: payload('ip6', 'length'),
  nexthdr: payload('ip6', 'nexthdr'),
};
export const icmpv6Type = payload('icmpv6', 'type');
export const udp = { sport: payload('udp', 'sport'), dport: payload('udp', 'dport') };
export const igmpType = payload('igmp', 'type');
export const ahNexthdr = payload('ah', 'nexthdr');

/** Neighbour discovery (RFC 4861), counted from the ICMPv6 header: flags, target, first option. */
export const ndFlags = raw('th', 32, 8);
export const ndTarget = raw('th', 64, 128);
/** Type and length of the option. */
export const ndOptionHead = raw('th', 192, 16);
