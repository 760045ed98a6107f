import { alice, bob, host, router } from '../network.ts';
import {
  arp,
  BROADCAST,
  ethernet,
  icmp,
  ipv4,
  ipv6,
  llc,
  multicastMac,
  type Packet,
  routerAdvertisement,
  snap,
  type Tag,
  u8,
  zeros,
} from '../packet/index.ts';
import { drop, pass, type Row, type Section } from './row.ts';

const toAll = { src: alice.mac, dst: BROADCAST };
const toBob = { src: alice.mac, dst: bob.mac };
const ping = ipv4({ src: alice.ipv4, dst: bob.ipv4 }, icmp());
const advertisement = ipv6({ src: alice.linkLocal, dst: 'ff02::1' }, routerAdvertisement('2001:db8::'));
const opaque = (ethertype: number): Packet => ({ ethertype, bytes: zeros(46) });

const VID_0: Tag = { vid: 0 };
const SERVICE_0: Tag = { vid: 0, tpid: 0x88a8 };

const tagged = (name: string, tags: readonly Tag[]): Row =>
  drop(name, alice, ethernet({ src: alice.mac, dst: multicastMac('ff02::1') }, advertisement, tags));

export const ethertypes: Section = {
  title: 'Ethertype, by the link header',
  because:
    'VU#855201, CVE-2021-27853, CVE-2021-27854, CVE-2021-27861, CVE-2021-27862: priority tags, stacked tags and LLC/SNAP hide a packet from filters, and guests take them off. A positive list by the link header.',
  rows: [
    tagged('router advertisement, VID 0', [VID_0]),
    tagged('router advertisement, VID 0 with a priority', [{ vid: 0, pcp: 7 }]),
    tagged('router advertisement, VID 5', [{ vid: 5 }]),
    tagged('router advertisement, 802.1ad VID 0', [SERVICE_0]),
    tagged('router advertisement, VID 0 twice', [VID_0, VID_0]),
    tagged('router advertisement, 802.1ad over 802.1Q', [SERVICE_0, VID_0]),
    tagged('router advertisement, three tags', [SERVICE_0, VID_0, VID_0]),
    tagged('router advertisement, QinQ of old (0x9100)', [{ vid: 0, tpid: 0x9100 }]),
    drop('own IPv4, VID 0', alice, ethernet(toBob, ping, [VID_0])),
    drop(
      'own ARP, VID 0',
      alice,
      ethernet(toAll, arp({ op: 1, sha: alice.mac, spa: alice.ipv4, tpa: bob.ipv4 }), [VID_0]),
    ),
    drop('own IPv4 in LLC/SNAP', alice, snap(toBob, ping)),
    drop('router advertisement in LLC/SNAP', alice, snap(toAll, advertisement)),
    drop(
      'LLC: spanning tree to a group of its own',
      alice,
      llc({ ...toAll, dst: '01:00:0c:cc:cc:cd' }, zeros(35)),
    ),
    drop('LLC: IPX', alice, llc(toAll, zeros(30), 0xe0)),
    drop('LLDP to all', alice, ethernet(toAll, opaque(0x88cc))),
    drop('EAPOL', alice, ethernet(toBob, opaque(0x888e))),
    drop('PPPoE discovery', alice, ethernet(toAll, opaque(0x8863))),
    drop(
      'PPPoE session',
      alice,
      ethernet(toBob, {
        ethertype: 0x8864,
        bytes: Buffer.concat([u8(0x11, 0, 0, 1, 0, 40, 0, 0x57), advertisement.bytes]),
      }),
    ),
    drop(
      'MPLS',
      alice,
      ethernet(toBob, { ethertype: 0x8847, bytes: Buffer.concat([u8(0, 0, 0x11, 64), ping.bytes]) }),
    ),
    drop('MACsec', alice, ethernet(toBob, opaque(0x88e5))),
    drop('AoE', alice, ethernet(toAll, opaque(0x88a2))),
    drop('WoL', alice, ethernet(toAll, opaque(0x0842))),
    drop('loopback test (0x9000)', alice, ethernet(toAll, opaque(0x9000))),
    drop('router advertisement as IPv4', alice, ethernet(toAll, { ...advertisement, ethertype: 0x0800 })),
    drop('own IPv4 as IPv6', alice, ethernet(toBob, { ...ping, ethertype: 0x86dd })),
  ],
};

const spoofed = (name: string, src: string): Row[] => [
  drop(`own IPv4 from ${name}`, alice, ethernet({ src, dst: BROADCAST }, ping)),
  drop(
    `own ARP from ${name}`,
    alice,
    ethernet({ src, dst: BROADCAST }, arp({ op: 1, sha: alice.mac, spa: alice.ipv4, tpa: bob.ipv4 })),
  ),
  drop(
    `own IPv6 from ${name}`,
    alice,
    ethernet(
      { src, dst: multicastMac('ff02::1') },
      ipv6({ src: alice.ipv6, dst: 'ff02::1' }, { protocol: 59, bytes: () => zeros(8) }),
    ),
  ),
];

export const sources: Section = {
  title: 'Source MAC',
  because:
    'The source MAC comes before every accept: its absence or its order was Neutron CVE-2016-5363 and Incus CVE-2025-52890.',
  rows: [
    ...spoofed("the neighbour's MAC", bob.mac),
    ...spoofed("the router's MAC", router.mac),
    ...spoofed("the bridge's MAC", host.bridges.br100?.mac ?? ''),
    ...spoofed("nobody's MAC", '02:00:00:00:ee:01'),
    ...spoofed('an almost own MAC', alice.mac.replace(/.$/, 'e')),
    {
      ...drop('a group as source', alice, ethernet({ src: '01:00:5e:00:00:01', dst: bob.mac }, ping)),
      bridgeDrops: true,
    },
    {
      ...drop('no MAC at all', alice, ethernet({ src: '00:00:00:00:00:00', dst: bob.mac }, ping)),
      bridgeDrops: true,
    },
    pass('own MAC, own address', alice, ethernet(toBob, ping), [bob]),
  ],
};
