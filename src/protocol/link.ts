import { header } from './header.ts';

/** EtherTypes of the headers we know: IEEE 802 numbers, linux/if_ether.h. */
export const etherTypes = [
  [0x0800, 'ip'],
  [0x0806, 'arp'],
  [0x86dd, 'ip6'],
  [0x8100, 'vlan'],
  [0x88a8, 'vlan'],
] as const;

/** Ethernet II, IEEE 802.3. */
export const ether = header(
  { name: 'ether', id: 17, base: 'link', bits: 112, key: 'type', next: etherTypes },
  [
    ['daddr', 'ether_addr', 0, 48],
    ['saddr', 'ether_addr', 48, 48],
    ['type', 'ether_type', 96, 16],
  ],
);

/**
 * VLAN tag, IEEE 802.1Q and 802.1ad: the four bytes after the EtherType 0x8100 or 0x88a8, so that `type`
 * is that of what follows the tag. `cfi` is the older name of `dei`.
 */
export const vlan = header({ name: 'vlan', id: 16, base: 'link', bits: 32, key: 'type', next: etherTypes }, [
  ['pcp', 'integer', 0, 3],
  ['dei', 'integer', 3, 1],
  ['cfi', 'integer', 3, 1],
  ['id', 'integer', 4, 12],
  ['type', 'ether_type', 16, 16],
]);

/** Address resolution, RFC 826, with the addresses where Ethernet and IPv4 put them. */
export const arp = header({ name: 'arp', id: 15, base: 'network' }, [
  ['htype', 'integer', 0, 16],
  ['ptype', 'ether_type', 16, 16],
  ['hlen', 'integer', 32, 8],
  ['plen', 'integer', 40, 8],
  ['operation', 'arp_op', 48, 16],
  ['saddr ether', 'ether_addr', 64, 48],
  ['saddr ip', 'ipv4_addr', 112, 32],
  ['daddr ether', 'ether_addr', 144, 48],
  ['daddr ip', 'ipv4_addr', 192, 32],
]);
