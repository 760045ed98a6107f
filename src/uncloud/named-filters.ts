/** An Ethernet broadcast. */
const BROADCAST = 'ff:ff:ff:ff:ff:ff';
const ANNOUNCEMENT = {
  'ether.daddr': BROADCAST,
  'rarp.operation': 'request-reverse',
  'rarp.saddr.ip': '0.0.0.0',
  'rarp.daddr.ip': '0.0.0.0',
};

const ref = (filter: string) => ({ filter });
const out = (action: string, match: object = {}) => ({ direction: 'out', action, match });
const into = (action: string, match: object = {}) => ({ direction: 'in', action, match });
const both = (action: string, match: object = {}) => ({ direction: 'inout', action, match });

const dhcp = (server: object) => [
  out('accept', { 'ip.saddr': '0.0.0.0', 'ip.daddr': '255.255.255.255', 'udp.sport': 68, 'udp.dport': 67 }),
  into('accept', { ...server, 'ether.type': 'ip', 'udp.sport': 67, 'udp.dport': 68 }),
];
const dhcpv6 = (server: string) => [
  out('accept', { 'ip6.daddr': 'ff02::1:2', 'udp.sport': 546, 'udp.dport': 547 }),
  into('accept', { 'ip6.saddr': server, 'udp.sport': 547, 'udp.dport': 546 }),
];

/**
 * The filters that libvirt brings along (its `nwfilter` directory), in the language of one's own. Rules are
 * in the order in which libvirt's priorities put them.
 */
export const NAMED_FILTERS: Readonly<Record<string, readonly object[]>> = {
  'allow-arp': [both('accept', { 'ether.type': 'arp' })],
  'allow-dhcp': dhcp({}),
  'allow-dhcp-server': dhcp({ 'ip.saddr': '$DHCPSERVER' }),
  'allow-dhcpv6': dhcpv6('fe80::/10'),
  'allow-dhcpv6-server': dhcpv6('$DHCPSERVERV6'),
  'allow-incoming-ipv4': [into('accept', { 'ether.type': 'ip' })],
  'allow-incoming-ipv6': [into('accept', { 'ether.type': 'ip6' })],
  'allow-ipv4': [both('accept', { 'ether.type': 'ip' })],
  'allow-ipv6': [both('accept', { 'ether.type': 'ip6' })],
  'clean-traffic': [
    ref('no-mac-spoofing'),
    ref('no-ip-spoofing'),
    out('accept', { 'ether.type': 'ip' }),
    ref('allow-incoming-ipv4'),
    ref('no-arp-spoofing'),
    both('accept', { 'ether.type': 'arp' }),
    ref('qemu-announce-self'),
    ref('no-other-l2-traffic'),
  ],
  'clean-traffic-gateway': [
    ref('no-mac-spoofing'),
    ref('no-ip-spoofing'),
    out('accept', { 'ether.type': 'ip', 'ether.daddr': '$GATEWAY_MAC' }),
    into('accept', { 'ether.type': 'ip', 'ether.saddr': '$GATEWAY_MAC' }),
    ref('no-arp-spoofing'),
    out('accept', { 'ether.type': 'arp', 'ether.daddr': BROADCAST }),
    out('accept', { 'ether.type': 'arp', 'ether.daddr': '$GATEWAY_MAC' }),
    into('accept', { 'ether.type': 'arp', 'ether.saddr': '$GATEWAY_MAC' }),
    ref('qemu-announce-self'),
    ref('no-other-l2-traffic'),
  ],
  'no-arp-ip-spoofing': [out('return', { 'arp.saddr.ip': '$IP' }), out('drop', { 'ether.type': 'arp' })],
  'no-arp-mac-spoofing': [out('return', { 'arp.saddr.ether': '$MAC' }), out('drop', { 'ether.type': 'arp' })],
  'no-arp-spoofing': [ref('no-arp-mac-spoofing'), ref('no-arp-ip-spoofing')],
  'no-ip-multicast': [out('drop', { 'ip.daddr': '224.0.0.0/4' })],
  'no-ip-spoofing': [
    out('return', { 'ip.saddr': '0.0.0.0', 'ip.protocol': 'udp' }),
    out('return', { 'ip.saddr': '$IP' }),
    out('drop', { 'ether.type': 'ip' }),
  ],
  'no-ipv6-spoofing': [
    out('return', { 'ip6.saddr': ['fe80::/10', '::'] }),
    out('return', { 'ip6.saddr': '$IPV6' }),
    out('drop', { 'ether.type': 'ip6' }),
  ],
  'no-mac-broadcast': [out('drop', { 'ether.daddr': BROADCAST })],
  'no-mac-spoofing': [out('drop', { 'ether.saddr': { not: '$MAC' } })],
  'no-other-l2-traffic': [both('drop')],
  'no-other-rarp-traffic': [both('drop', { 'ether.type': 'rarp' })],
  'qemu-announce-self': [ref('qemu-announce-self-rarp'), ref('no-other-rarp-traffic')],
  'qemu-announce-self-rarp': [
    out('accept', {
      ...ANNOUNCEMENT,
      'ether.saddr': '$MAC',
      'rarp.saddr.ether': '$MAC',
      'rarp.daddr.ether': '$MAC',
    }),
    into('accept', ANNOUNCEMENT),
  ],
};
