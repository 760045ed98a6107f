import {
  accept,
  ah,
  and,
  arp,
  concat,
  ether,
  exthdr,
  goto,
  icmpv6,
  igmp,
  ip,
  ip6,
  meta,
  payload,
  type Statement,
  set,
  udp,
  vlan,
} from '../index.ts';
import { WIDTH } from './address.ts';
import { AUTHENTICATION, EXTENSIONS, HOP_BY_HOP, wholeFirstFragment } from './first-fragment.ts';
import {
  type AddressField,
  arpProbe,
  arpSender,
  inPort,
  ip6Source,
  ipSource,
  learnedSet,
  ndOption,
  ndOwnTarget,
  type PortField,
  rarpSender,
  rarpTarget,
  source,
  trunk,
} from './key.ts';
import { asked, unknown } from './learn-rules.ts';
import type { TableWriter } from './table.ts';

type Body = readonly Statement[];

const RARP = 0x8035;

const ROUTER_SOLICITATION = 133;
const ROUTER_ADVERTISEMENT = 134;
const NEIGHBOUR_SOLICITATION = 135;
const NEIGHBOUR_ADVERTISEMENT = 136;
const MLD2_REPORT = 143;
/**
 * ICMPv6 that does not simply pass: what routers send (MLD query, router advertisement, redirect, renumbering,
 * certification paths, multicast router advertisement), mobility experiments, and neighbour discovery.
 */
const ICMPV6_CHECKED = set(130, 134, 135, 136, 137, 138, 148, 149, 150, 151);

const IGMP = 2;
const TCP = 6;
const UDP = 17;
const ICMPV6 = 58;

/** Sizes in bytes, as `ip6 length` counts: without the IPv6 header. */
const ND_BARE = 24;
const ND_ONE_OPTION = 32;
const RS_BARE = 8;

/** Neighbour discovery (RFC 4861): the flags, and type and length of the first option. */
const ndFlags = payload.raw('th', 32, 8);
const ndOptionHead = payload.raw('th', 192, 16);
const SOURCE_LINK_LAYER = 0x0101;
const TARGET_LINK_LAYER = 0x0201;
/** A nonce of 6 bytes, as duplicate address detection sends it (RFC 7527). */
const NONCE = 0x0e01;

/**
 * Port security: the chains that a frame from a VM goes through, in the order of checks. They hang behind
 * `goto`, so a frame that reaches the end of one goes back to where it came from, and drops there.
 *
 * Whatever the number of VMs there are as many chains and rules as here, and one set for each check and
 * prefix length. Every accept stands behind a lookup that names port and MAC together.
 *
 * @returns the chain that a VM's port goes to
 */
export function portSecurity(table: TableWriter): string {
  const own = (field: PortField): Statement => table.among(field.name, field.key);

  /** One rule for each prefix length in use, longest first; and one for what ports have learnt. */
  const ownAddress = (field: AddressField, verdict: Statement, ...before: Body): Body[] => [
    ...table
      .lengths(field.name)
      .map((length) => [...before, table.among(`${field.name}_${length}`, field.key(length)), verdict]),
    [...before, table.learned(learnedSet(field), field.key(WIDTH[field.family])), verdict],
  ];

  /** A rule for ports of private networks, where there are any. */
  const onPrivate = (...statements: Body): Body[] => [[table.among('private', inPort.key), ...statements]];

  /**
   * A chain whose rules say themselves what the packet is: nft would look for it in the Ethernet header, where
   * a tagged frame has something else.
   */
  const chain = (protocol: 'ip' | 'ip6' | 'arp', name: string, rules: readonly Body[]) =>
    table.chain(
      name,
      rules.map((rule) => [meta.protocol.eq(protocol), ...rule]),
    );

  const hasTrunks = table.size('trunks') > 0;
  table.chain('vm', [
    [
      ether.type.vmap([
        ['ip6', goto('vm_ip6')],
        ['ip', goto('vm_ip')],
        ['arp', goto('vm_arp')],
        [RARP, goto('vm_rarp')],
        ...(hasTrunks ? [['vlan', goto('vm_vlan')] as const] : []),
      ]),
    ],
  ]);
  if (hasTrunks) {
    // The kernel takes one tag off: a second one is what the first is found to carry, and no protocol here.
    const inside = vlan.type.vmap([
      ['ip6', goto('vm_ip6')],
      ['ip', goto('vm_ip')],
      ['arp', goto('vm_arp')],
    ]);
    table.chain('vm_vlan', [[table.among('trunks', trunk), inside]]);
  }

  chain('arp', 'vm_arp', [
    [
      arp.htype.eq(1),
      arp.ptype.eq('ip'),
      arp.hlen.eq(6),
      arp.plen.eq(4),
      arp.operation.in(set('request', 'reply')),
      // Any target will do, if only it is there: the packet is whole.
      arp['daddr ip'].ge('0.0.0.0'),
      goto('vm_arp_sender'),
    ],
  ]);
  chain('arp', 'vm_arp_sender', [
    ...ownAddress(arpSender, accept()),
    ...ownAddress(arpProbe, accept(), arp.operation.eq('request'), arp['saddr ip'].eq('0.0.0.0')),
    [arp['saddr ip'].ne('0.0.0.0'), ...unknown(table)],
  ]);

  table.chain('vm_rarp', [
    [
      ether.daddr.eq('ff:ff:ff:ff:ff:ff'),
      // Ethernet, IPv4, 6 and 4 bytes, operation 3; then both protocol addresses.
      payload.raw('nh', 0, 64).eq('0x0001080006040003'),
      payload.raw('nh', 14 * 8, 32).eq(0),
      payload.raw('nh', 24 * 8, 32).eq(0),
      own(source),
      own(rarpSender),
      own(rarpTarget),
      accept(),
    ],
  ]);

  // A client that has no address yet.
  const first: Body = [
    ip.saddr.eq('0.0.0.0'),
    ip.daddr.eq('255.255.255.255'),
    and(ip['frag-off'], 0x3fff).eq(0),
  ];
  chain('ip', 'vm_ip', [
    ...ownAddress(ipSource, goto('vm_ip_own')),
    [...first, own(source), ...asked(table, 'ip')],
    [...first, udp.sport.eq(68), udp.dport.eq(67), own(source), accept()],
    [ip.saddr.ne('0.0.0.0'), ...unknown(table)],
  ]);
  // Servers answer from 67 and 547, but clients take what comes from any port.
  table.chain('vm_dhcp_answer', onPrivate(accept()));

  chain('ip', 'vm_ip_own', [
    [and(ip['frag-off'], 0x3fff).eq(0), ...asked(table, 'ip')],
    // A header that the kernel cannot parse has no l4proto, matches nothing here, and drops.
    [meta.l4proto.notIn(set(UDP, IGMP)), accept()],
    // Before any port is looked at: the kernel would read it from the middle of the data.
    [and(ip['frag-off'], 0x1fff).ne(0), meta.l4proto.in(set(UDP, IGMP)), accept()],
    [udp.dport.eq(68), goto('vm_dhcp_answer')],
    [udp.sport.ne(67), accept()],
    [igmp.type.ne('membership-query'), accept()],
    ...onPrivate(meta.l4proto.eq(UDP), accept()),
  ]);

  chain('ip6', 'vm_ip6', [
    ...ownAddress(ip6Source, goto('vm_ip6_own')),
    [ip6.saddr.eq('::'), own(source), goto('vm_ip6_unspecified')],
    unknown(table),
  ]);
  chain('ip6', 'vm_ip6_own', [
    // Only a packet that the kernel can parse has an l4proto; without extension headers it is the next header.
    [
      concat(meta.l4proto, ip6.nexthdr).vmap([
        [[TCP, TCP], accept()],
        [[UDP, UDP], goto('vm_udp6')],
        [[ICMPV6, ICMPV6], goto('vm_icmpv6')],
      ]),
    ],
    [ip6.nexthdr.in(set(...EXTENSIONS)), goto('vm_ip6_extended')],
    [meta.l4proto.notIn(set(UDP, ICMPV6)), accept()],
  ]);
  chain('ip6', 'vm_udp6', [
    asked(table, 'ip6'),
    [udp.dport.eq(546), goto('vm_dhcp_answer')],
    [udp.sport.ne(547), accept()],
    ...onPrivate(meta.l4proto.eq(UDP), accept()),
  ]);

  chain('ip6', 'vm_icmpv6', [
    [icmpv6.type.notIn(ICMPV6_CHECKED), accept()],
    [
      icmpv6.type.vmap([
        [NEIGHBOUR_SOLICITATION, goto('vm_nd_solicit')],
        [NEIGHBOUR_ADVERTISEMENT, goto('vm_nd_advert')],
      ]),
    ],
    ...onPrivate(icmpv6.type.eq(ROUTER_ADVERTISEMENT), accept()),
  ]);
  chain('ip6', 'vm_nd_solicit', [
    [ip6.length.eq(ND_BARE), accept()],
    [ip6.length.eq(ND_ONE_OPTION), ndOptionHead.eq(SOURCE_LINK_LAYER), own(ndOption), accept()],
  ]);
  chain('ip6', 'vm_nd_advert', [
    [and(ndFlags, 0x80).eq(0), goto('vm_nd_option')],
    // A router of a private network says that it is one; unsaid, its neighbours would forget it.
    ...onPrivate(goto('vm_nd_option')),
  ]);
  chain('ip6', 'vm_nd_option', [
    [ip6.length.eq(ND_BARE), goto('vm_nd_target')],
    [ip6.length.eq(ND_ONE_OPTION), ndOptionHead.eq(TARGET_LINK_LAYER), own(ndOption), goto('vm_nd_target')],
  ]);
  table.chain('vm_nd_target', ownAddress(ndOwnTarget, accept()));

  const bareIcmpv6 = (type: number, length: number): Body => [
    ip6.nexthdr.eq(ICMPV6),
    icmpv6.type.eq(type),
    ip6.length.eq(length),
  ];
  chain('ip6', 'vm_ip6_unspecified', [
    [...bareIcmpv6(NEIGHBOUR_SOLICITATION, ND_BARE), goto('vm_nd_target')],
    [...bareIcmpv6(NEIGHBOUR_SOLICITATION, ND_ONE_OPTION), ndOptionHead.eq(NONCE), goto('vm_nd_target')],
    [...bareIcmpv6(ROUTER_SOLICITATION, RS_BARE), accept()],
    [
      ip6.nexthdr.eq(HOP_BY_HOP),
      exthdr('hbh', 'nexthdr').eq(ICMPV6),
      exthdr('hbh', 'hdrlength').eq(0),
      icmpv6.type.eq(MLD2_REPORT),
      accept(),
    ],
  ]);

  chain('ip6', 'vm_ip6_extended', [
    // A later fragment may name an extension header: then the kernel gives no l4proto, and checks no version.
    [ip6.version.eq(6), exthdr('frag', 'frag-off').ne(0), accept()],
    [exthdr('frag').exists(), goto('vm_ip6_first_fragment')],
    [goto('vm_ip6_upper')],
  ]);

  chain('ip6', 'vm_ip6_first_fragment', wholeFirstFragment(goto('vm_ip6_upper')));

  chain('ip6', 'vm_ip6_upper', [
    [meta.l4proto.notIn(set(UDP, ICMPV6, AUTHENTICATION)), accept()],
    [udp.dport.eq(546), goto('vm_dhcp_answer')],
    [udp.sport.ne(547), accept()],
    [icmpv6.type.notIn(ICMPV6_CHECKED), accept()],
    // The kernel stops at an authentication header: nothing may hide behind it that is checked elsewhere.
    [ah.nexthdr.notIn(set(...EXTENSIONS, UDP, ICMPV6)), accept()],
    ...onPrivate(meta.l4proto.eq(UDP), accept()),
  ]);
  return 'vm';
}
