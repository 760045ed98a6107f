import type { Datatype } from './datatype.ts';
import { symbolic } from './symbolic.ts';

/** The type of an ICMP message (RFC 792). */
export const icmpType: Datatype = symbolic({
  name: 'icmp_type',
  id: 14,
  bits: 8,
  byteorder: 'network',
  symbols: {
    'echo-reply': 0,
    'destination-unreachable': 3,
    'source-quench': 4,
    redirect: 5,
    'echo-request': 8,
    'router-advertisement': 9,
    'router-solicitation': 10,
    'time-exceeded': 11,
    'parameter-problem': 12,
    'timestamp-request': 13,
    'timestamp-reply': 14,
    'info-request': 15,
    'info-reply': 16,
    'address-mask-request': 17,
    'address-mask-reply': 18,
  },
});

/** Why a destination is unreachable (ICMP). */
export const icmpCode: Datatype = symbolic({
  name: 'icmp_code',
  id: 32,
  bits: 8,
  byteorder: 'network',
  symbols: {
    'net-unreachable': 0,
    'host-unreachable': 1,
    'prot-unreachable': 2,
    'port-unreachable': 3,
    'net-prohibited': 9,
    'host-prohibited': 10,
    'admin-prohibited': 13,
    'frag-needed': 4,
  },
});

/** The type of an ICMPv6 message (RFC 4443, RFC 4861, RFC 2710, RFC 3810). */
export const icmpv6Type: Datatype = symbolic({
  name: 'icmpv6_type',
  id: 29,
  bits: 8,
  byteorder: 'network',
  symbols: {
    'destination-unreachable': 1,
    'packet-too-big': 2,
    'time-exceeded': 3,
    'parameter-problem': 4,
    'echo-request': 128,
    'echo-reply': 129,
    'mld-listener-query': 130,
    'mld-listener-report': 131,
    'mld-listener-done': 132,
    'mld-listener-reduction': 132,
    'nd-router-solicit': 133,
    'nd-router-advert': 134,
    'nd-neighbor-solicit': 135,
    'nd-neighbor-advert': 136,
    'nd-redirect': 137,
    'router-renumbering': 138,
    'ind-neighbor-solicit': 141,
    'ind-neighbor-advert': 142,
    'mld2-listener-report': 143,
  },
});

/** Why a destination is unreachable (ICMPv6). */
export const icmpv6Code: Datatype = symbolic({
  name: 'icmpv6_code',
  id: 33,
  bits: 8,
  byteorder: 'network',
  symbols: {
    'no-route': 0,
    'admin-prohibited': 1,
    'addr-unreachable': 3,
    'port-unreachable': 4,
    'policy-fail': 5,
    'reject-route': 6,
  },
});

/** Why a destination is unreachable, in words that the kernel translates for either address family. */
export const icmpxCode: Datatype = symbolic({
  name: 'icmpx_code',
  id: 34,
  bits: 8,
  byteorder: 'network',
  symbols: {
    'port-unreachable': 1,
    'admin-prohibited': 3,
    'no-route': 0,
    'host-unreachable': 2,
  },
});

/** The type of an IGMP message (RFC 3376). */
export const igmpType: Datatype = symbolic({
  name: 'igmp_type',
  id: 42,
  bits: 8,
  byteorder: 'network',
  symbols: {
    'membership-query': 0x11,
    'membership-report-v1': 0x12,
    'membership-report-v2': 0x16,
    'membership-report-v3': 0x22,
    'leave-group': 0x17,
  },
});
