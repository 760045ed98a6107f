import { header } from './header.ts';

/** Internet protocol 4, RFC 791. `gre` follows since nft 1.0.7. */
export const ip = header(
  {
    name: 'ip',
    id: 12,
    base: 'network',
    key: 'protocol',
    keyMeta: 'l4proto',
    next: [
      [1, 'icmp'],
      [2, 'igmp'],
      [58, 'icmpv6'],
      [50, 'esp'],
      [51, 'ah'],
      [108, 'comp'],
      [17, 'udp'],
      [136, 'udplite'],
      [6, 'tcp'],
      [33, 'dccp'],
      [132, 'sctp'],
      [47, 'gre'],
    ],
    checksum: { field: 'checksum', type: 'inet' },
    pseudoHeader: ['saddr', 'daddr', 'protocol', 'length'],
  },
  [
    ['version', 'integer', 0, 4],
    ['hdrlength', 'integer', 4, 4],
    ['dscp', 'dscp', 8, 6],
    ['ecn', 'ecn', 14, 2],
    ['length', 'integer', 16, 16],
    ['id', 'integer', 32, 16],
    ['frag-off', 'integer', 48, 16],
    ['ttl', 'integer', 64, 8],
    ['protocol', 'inet_proto', 72, 8],
    ['checksum', 'integer', 80, 16],
    ['saddr', 'ipv4_addr', 96, 32],
    ['daddr', 'ipv4_addr', 128, 32],
  ],
);

/** Internet protocol 6, RFC 8200. */
export const ip6 = header(
  {
    name: 'ip6',
    id: 13,
    base: 'network',
    key: 'nexthdr',
    keyMeta: 'l4proto',
    next: [
      [50, 'esp'],
      [51, 'ah'],
      [108, 'comp'],
      [17, 'udp'],
      [136, 'udplite'],
      [6, 'tcp'],
      [33, 'dccp'],
      [132, 'sctp'],
      [1, 'icmp'],
      [2, 'igmp'],
      [58, 'icmpv6'],
      [47, 'gre'],
    ],
    pseudoHeader: ['saddr', 'daddr', 'nexthdr', 'length'],
  },
  [
    ['version', 'integer', 0, 4],
    ['dscp', 'dscp', 4, 6],
    ['ecn', 'ecn', 10, 2],
    ['flowlabel', 'integer', 12, 20],
    ['length', 'integer', 32, 16],
    ['nexthdr', 'inet_proto', 48, 8],
    ['hoplimit', 'integer', 56, 8],
    ['saddr', 'ipv6_addr', 64, 128],
    ['daddr', 'ipv6_addr', 192, 128],
  ],
);
