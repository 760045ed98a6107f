import type { Expression, Statement } from '../model/index.ts';
import { byLength } from './address.ts';
import type { AddressField, PortField } from './key.ts';
import * as key from './key.ts';
import type { Port } from './port.ts';
import type { TableWriter } from './table.ts';
import {
  accept,
  ahNexthdr,
  arp,
  bits,
  drop,
  equal,
  ether,
  exthdr,
  frag,
  goto,
  icmpv6Type,
  igmpType,
  ip,
  ip6,
  match,
  meta,
  ndFlags,
  ndOptionHead,
  oneOf,
  raw,
  udp,
  unequal,
  vmap,
} from './words.ts';

type Body = readonly Statement[];

const RARP = 0x8035;

/** What only routers send, or nobody may: ICMPv6 by number. */
const ICMPV6_FORBIDDEN = [130, 134, 137, 138, 148, 149, 150, 151] as const;
const ROUTER_SOLICITATION = 133;
const ROUTER_ADVERTISEMENT = 134;
const NEIGHBOUR_SOLICITATION = 135;
const NEIGHBOUR_ADVERTISEMENT = 136;
const MLD2_REPORT = 143;

/** The extension headers that the kernel walks: behind any of them is not where a header usually is. */
const HOP_BY_HOP = 0;
const ROUTING = 43;
const FRAGMENT = 44;
const AUTHENTICATION = 51;
const DESTINATION = 60;
const EXTENSIONS = [HOP_BY_HOP, ROUTING, FRAGMENT, AUTHENTICATION, DESTINATION] as const;
const TCP = 6;
const UDP = 17;
const ICMPV6 = 58;
const IGMP = 2;

/** Header sizes in bytes, as `ip6 length` counts: without the IPv6 header. */
const ND_BARE = 24;
const ND_ONE_OPTION = 32;
const RS_BARE = 8;
const FRAGMENT_HEADER = 8;

/**
 * Port security: the chains that a frame from a VM goes through, in the order of checks. They hang behind
 * `goto`, so a frame that reaches the end of one meets the base chain's policy: drop.
 *
 * Whatever the number of VMs there are as many chains and rules as here, and one set for each check and
 * prefix length. Every accept stands behind a lookup that names port and MAC together.
 *
 * @returns the chain that a VM's port goes to
 */
export function portSecurity(table: TableWriter, ports: readonly Port[]): string {
  const privates = ports.filter((port) => port.private);

  const own = (field: PortField, among = ports): Statement =>
    table.among(field.name, field.key, among.map(field.element));

  /** One rule for each prefix length in use, longest first. */
  const ownAddress = (field: AddressField, verdict: Statement, ...before: Body): Body[] => {
    const elements = ports.flatMap((port) =>
      port[field.family].map((block) => [block, field.element(port, block)] as const),
    );
    return byLength(elements).map(([length, each]) => [
      ...before,
      table.among(`${field.name}_${length}`, field.key(length), each),
      verdict,
    ]);
  };

  /** A rule for private networks, where there are any. */
  const onPrivate = (...statements: Body): Body[] =>
    privates.length === 0
      ? []
      : [[table.among('private', key.inPort.key, privates.map(key.inPort.element)), ...statements]];

  table.chain('vm', [
    [
      vmap(ether.type, [
        ['ip6', goto('vm_ip6')],
        ['ip', goto('vm_ip')],
        ['arp', goto('vm_arp')],
        [RARP, goto('vm_rarp')],
      ]),
    ],
  ]);

  table.chain('vm_arp', [
    [
      equal(arp.htype, 1),
      equal(arp.ptype, 'ip'),
      equal(arp.hlen, 6),
      equal(arp.plen, 4),
      equal(arp.operation, oneOf('request', 'reply')),
      goto('vm_arp_sender'),
    ],
  ]);
  table.chain('vm_arp_sender', [
    ...ownAddress(key.arpSender, accept),
    ...ownAddress(key.arpProbe, accept, equal(arp.operation, 'request'), equal(arp.saddrIp, '0.0.0.0')),
  ]);

  table.chain('vm_rarp', [
    [
      equal(ether.daddr, 'ff:ff:ff:ff:ff:ff'),
      // Ethernet, IPv4, 6 and 4 bytes, operation 3; then both protocol addresses.
      equal(raw('nh', 0, 64), '0x0001080006040003'),
      equal(raw('nh', 14 * 8, 32), 0),
      equal(raw('nh', 24 * 8, 32), 0),
      own(key.rarpHardware),
      accept,
    ],
  ]);

  table.chain('vm_ip', [
    ...ownAddress(key.ipSource, goto('vm_ip_own')),
    [
      equal(ip.saddr, '0.0.0.0'),
      equal(ip.daddr, '255.255.255.255'),
      bits(ip.fragOff, 0x3fff, 'none'),
      equal(udp.sport, 68),
      equal(udp.dport, 67),
      own(key.source),
      accept,
    ],
  ]);
  table.chain('vm_ip_own', [
    // A header that the kernel cannot parse has no l4proto, matches nothing here, and drops.
    [unequal(meta.l4proto, oneOf(UDP, IGMP)), accept],
    [unequal(udp.sport, 67), accept],
    [unequal(igmpType, 'membership-query'), accept],
    [bits(ip.fragOff, 0x1fff, 'any'), accept],
    ...onPrivate(equal(udp.sport, 67), accept),
  ]);

  table.chain('vm_ip6', [
    ...ownAddress(key.ip6Source, goto('vm_ip6_own')),
    [equal(ip6.saddr, '::'), own(key.source), goto('vm_ip6_unspecified')],
  ]);
  table.chain('vm_ip6_own', [
    [unequal(ip6.nexthdr, oneOf(...EXTENSIONS)), unequal(meta.l4proto, oneOf(UDP, ICMPV6)), accept],
    [
      vmap(ip6.nexthdr, [
        [ICMPV6, goto('vm_icmpv6')],
        [UDP, goto('vm_udp6')],
        ...EXTENSIONS.map((header) => [header, goto('vm_ip6_extended')] as const),
      ]),
    ],
  ]);
  table.chain('vm_udp6', [[unequal(udp.sport, 547), accept], ...onPrivate(equal(udp.sport, 547), accept)]);

  table.chain('vm_icmpv6', [
    [
      unequal(icmpv6Type, oneOf(...ICMPV6_FORBIDDEN, NEIGHBOUR_SOLICITATION, NEIGHBOUR_ADVERTISEMENT)),
      accept,
    ],
    [
      vmap(icmpv6Type, [
        [NEIGHBOUR_SOLICITATION, goto('vm_nd_solicit')],
        [NEIGHBOUR_ADVERTISEMENT, goto('vm_nd_advert')],
      ]),
    ],
    ...onPrivate(equal(icmpv6Type, ROUTER_ADVERTISEMENT), accept),
  ]);
  table.chain('vm_nd_solicit', [
    [equal(ip6.length, ND_BARE), accept],
    [equal(ip6.length, ND_ONE_OPTION), equal(ndOptionHead, 0x0101), own(key.ndOption), accept],
  ]);
  table.chain('vm_nd_advert', [
    [bits(ndFlags, 0x80, 'none'), goto('vm_nd_option')],
    ...onPrivate(goto('vm_nd_option')),
  ]);
  table.chain('vm_nd_option', [
    [equal(ip6.length, ND_BARE), goto('vm_nd_target')],
    [equal(ip6.length, ND_ONE_OPTION), equal(ndOptionHead, 0x0201), own(key.ndOption), goto('vm_nd_target')],
  ]);
  table.chain('vm_nd_target', ownAddress(key.ndOwnTarget, accept));

  const fromUnspecified = (type: number, ...rest: Body): Body => [
    equal(ip6.nexthdr, ICMPV6),
    equal(icmpv6Type, type),
    ...rest,
  ];
  table.chain('vm_ip6_unspecified', [
    fromUnspecified(NEIGHBOUR_SOLICITATION, equal(ip6.length, ND_BARE), goto('vm_nd_target')),
    fromUnspecified(
      NEIGHBOUR_SOLICITATION,
      equal(ip6.length, ND_ONE_OPTION),
      // A nonce of 6 bytes (RFC 7527).
      equal(ndOptionHead, 0x0e01),
      goto('vm_nd_target'),
    ),
    fromUnspecified(ROUTER_SOLICITATION, equal(ip6.length, RS_BARE), accept),
    [
      equal(ip6.nexthdr, HOP_BY_HOP),
      equal(exthdr('hbh', 'nexthdr'), ICMPV6),
      equal(exthdr('hbh', 'hdrlength'), 0),
      equal(icmpv6Type, MLD2_REPORT),
      accept,
    ],
  ]);

  table.chain('vm_ip6_extended', [
    [unequal(frag('frag-off'), 0), accept],
    [equal(frag(), true), goto('vm_ip6_first_fragment')],
    [goto('vm_ip6_upper')],
  ]);

  /*
   * The kernel reads on into what a frame carries behind the IPv6 payload, and a receiver does not: a first
   * fragment could show one upper header there and send another in the next fragment. So the headers have
   * to fit into the payload length for certain: none but the fragment header, or one more of 64 bytes at most.
   */
  const small = (name: 'hbh' | 'rt' | 'dst') => match(exthdr(name, 'hdrlength'), '<=', 7);
  const fits = (bytes: number) => match(ip6.length, '>=', FRAGMENT_HEADER + bytes);
  const upper = (next: Expression) => unequal(next, oneOf(...EXTENSIONS));
  table.chain('vm_ip6_first_fragment', [
    [equal(meta.l4proto, TCP), match(ip6.length, '<', FRAGMENT_HEADER + 20), drop],
    [equal(ip6.nexthdr, FRAGMENT), upper(frag('nexthdr')), fits(8), goto('vm_ip6_upper')],
    [
      equal(ip6.nexthdr, FRAGMENT),
      equal(frag('nexthdr'), DESTINATION),
      upper(exthdr('dst', 'nexthdr')),
      small('dst'),
      fits(64 + 20),
      goto('vm_ip6_upper'),
    ],
    ...(
      [
        ['hbh', HOP_BY_HOP],
        ['dst', DESTINATION],
        ['rt', ROUTING],
      ] as const
    ).map(([name, number]) => [
      equal(ip6.nexthdr, number),
      equal(exthdr(name, 'nexthdr'), FRAGMENT),
      small(name),
      upper(frag('nexthdr')),
      fits(64 + 20),
      goto('vm_ip6_upper'),
    ]),
  ]);

  table.chain('vm_ip6_upper', [
    [unequal(meta.l4proto, oneOf(UDP, ICMPV6, AUTHENTICATION)), accept],
    [unequal(udp.sport, 547), accept],
    [
      unequal(icmpv6Type, oneOf(...ICMPV6_FORBIDDEN, NEIGHBOUR_SOLICITATION, NEIGHBOUR_ADVERTISEMENT)),
      accept,
    ],
    // The kernel stops at an authentication header: nothing may hide behind it that is checked elsewhere.
    [unequal(ahNexthdr, oneOf(...EXTENSIONS, UDP, ICMPV6)), accept],
    ...onPrivate(equal(udp.sport, 547), accept),
  ]);
  return 'vm';
}
