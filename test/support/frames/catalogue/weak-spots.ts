import { alice, bob, carol, dave, router } from '../network.ts';
import {
  address,
  announcement,
  arp,
  authentication,
  BROADCAST,
  concat,
  destinationOptions,
  dhcp,
  dhcpv6,
  ethernet,
  fragment,
  hopByHop,
  IGMP_QUERY,
  icmp,
  icmpv6,
  igmp,
  ipv4,
  ipv6,
  type Layer,
  linkLayer,
  llc,
  mldV2Report,
  multicastMac,
  NA_OVERRIDE,
  neighbourAdvertisement,
  type Packet,
  raw,
  routerAdvertisement,
  routerSolicitation,
  slice,
  snap,
  tcp,
  u8,
  u16,
  udp,
  zeros,
} from '../packet/index.ts';
import { drop, pass, type Row, type Section } from './row.ts';

const ALL_NODES = 'ff02::1';
const toAll = { src: alice.mac, dst: BROADCAST };
const toBob = { src: alice.mac, dst: bob.mac };
const toNodes = { src: alice.mac, dst: multicastMac(ALL_NODES) };
const asBob = { src: bob.mac, dst: BROADCAST };

const VID_0 = [{ vid: 0 }];
const advertisement = ipv6({ src: alice.linkLocal, dst: ALL_NODES }, routerAdvertisement('2001:db8::'));
const talk = udp(5000, 5001, zeros(64));
const own4 = (layer: Layer): Packet => ipv4({ src: alice.ipv4, dst: bob.ipv4 }, layer);
const own6 = (layer: Layer): Packet => ipv6({ src: alice.ipv6, dst: bob.ipv6 }, layer);

/** The frame with four bytes behind its MACs. */
const tagged = (frame: Buffer): Buffer => concat(frame.subarray(0, 12), u16(0x8100, 0), frame.subarray(12));

/** The frame with its 802.3 length as it is not. */
const claiming = (length: number, frame: Buffer): Buffer =>
  concat(frame.subarray(0, 12), u16(length), frame.subarray(14));

const inSnap = snap(toNodes, advertisement);

export const layeredHeaders: Section = {
  title: 'Tags and LLC/SNAP, one in another',
  because:
    'VU#855201 is four weaknesses: tags (CVE-2021-27853), LLC/SNAP behind a tag (CVE-2021-27854), LLC/SNAP with a length that is not its own (CVE-2021-27861), and both of these (CVE-2021-27862). What they hide is not router advertisements alone.',
  rows: [
    drop('router advertisement in LLC/SNAP behind VID 0', alice, tagged(inSnap)),
    drop('router advertisement in LLC/SNAP behind VID 0, no length', alice, tagged(claiming(0, inSnap))),
    drop('router advertisement in LLC/SNAP without a length', alice, claiming(0, inSnap)),
    drop('router advertisement in LLC/SNAP that is longer than it is', alice, claiming(1500, inSnap)),
    drop('router advertisement in LLC/SNAP, a length that is no type', alice, claiming(0x05ff, inSnap)),
    drop(
      'router advertisement behind VID 0 in LLC/SNAP',
      alice,
      snap(toNodes, { ethertype: 0x8100, bytes: concat(u16(0, 0x86dd), advertisement.bytes) }),
    ),
    drop('DHCP offer, VID 0', alice, ethernet(toBob, own4(dhcp('offer', bob.mac)), VID_0)),
    drop('DHCP offer in LLC/SNAP', alice, snap(toBob, own4(dhcp('offer', bob.mac)))),
    drop(
      'DHCPv6 advertise, VID 0',
      alice,
      ethernet(toBob, ipv6({ src: alice.linkLocal, dst: bob.linkLocal }, dhcpv6('advertise')), VID_0),
    ),
    drop(
      "ARP reply with the router's address, VID 0",
      alice,
      ethernet(toBob, arp({ op: 2, sha: alice.mac, spa: router.ipv4, tpa: bob.ipv4 }), VID_0),
    ),
    drop(
      "ARP reply with the router's address in LLC/SNAP",
      alice,
      snap(toBob, arp({ op: 2, sha: alice.mac, spa: router.ipv4, tpa: bob.ipv4 })),
    ),
    drop(
      "neighbour advertisement for the router's address, VID 0",
      alice,
      ethernet(
        toNodes,
        ipv6(
          { src: alice.ipv6, dst: ALL_NODES },
          neighbourAdvertisement(router.linkLocal, NA_OVERRIDE, linkLayer(2, alice.mac)),
        ),
        VID_0,
      ),
    ),
    drop('the announcement of a migrated VM, VID 0', alice, ethernet(toAll, announcement(alice.mac), VID_0)),
    drop('own IPv6, VID 0', alice, ethernet(toBob, own6(talk), VID_0)),
    drop('own IPv4, 802.1ad VID 0', alice, ethernet(toBob, own4(talk), [{ vid: 0, tpid: 0x88a8 }])),
    drop(
      'router advertisement, VID 0, on a private network in LLC/SNAP',
      carol,
      tagged(snap({ src: carol.mac, dst: multicastMac(ALL_NODES) }, advertisement)),
    ),
  ],
};

export const foreignSources: Section = {
  title: 'Source MAC of what is let through apart',
  because:
    'Whatever passes for a reason of its own (fragments, announcements, a host without an address) passes from the own MAC alone: an accept in front of the MAC was Incus CVE-2025-52890 and Neutron CVE-2016-5363.',
  rows: [
    drop('the announcement of the own MAC', alice, ethernet(asBob, announcement(alice.mac))),
    drop(
      'IPv4, later fragment',
      alice,
      ethernet(asBob, ipv4({ src: alice.ipv4, dst: bob.ipv4, offset: 4 }, slice(talk, 32))),
    ),
    drop('IPv6, later fragment', alice, ethernet(asBob, own6(fragment(slice(talk, 32), { offset: 4 })))),
    drop('IPv6 behind hop-by-hop options', alice, ethernet(asBob, own6(hopByHop(talk)))),
    drop('TCP over IPv6', alice, ethernet(asBob, own6(tcp(40000, 22)))),
    drop(
      'MLD report from ::',
      alice,
      ethernet(
        { src: bob.mac, dst: multicastMac('ff02::16') },
        ipv6({ src: '::', dst: 'ff02::16' }, hopByHop(mldV2Report('ff02::fb'), u8(5, 2, 0, 0))),
      ),
    ),
    drop(
      'ARP probe for the own address',
      alice,
      ethernet(asBob, arp({ op: 1, sha: alice.mac, spa: '0.0.0.0', tpa: alice.ipv4 })),
    ),
    drop('to the port of the MAC itself', alice, ethernet({ src: bob.mac, dst: bob.mac }, own4(talk))),
    drop(
      "on a private network: router advertisement from the neighbour's MAC",
      carol,
      ethernet(
        { src: dave.mac, dst: multicastMac(ALL_NODES) },
        ipv6({ src: carol.linkLocal, dst: ALL_NODES }, routerAdvertisement('2001:db8::')),
      ),
    ),
  ],
};

const poison = (name: string, change: Partial<Parameters<typeof arp>[0]>): Row =>
  drop(
    name,
    alice,
    ethernet(toAll, arp({ op: 2, sha: alice.mac, spa: alice.ipv4, tpa: bob.ipv4, ...change })),
  );
const migration = (name: string, change: Partial<Parameters<typeof arp>[0]>): Row =>
  drop(name, alice, ethernet(toAll, announcement(alice.mac, change)));

export const oddResolution: Section = {
  title: 'ARP and RARP that look almost right',
  because:
    'Hosts take what is said without being asked (RFC 826), some from requests, some from replies to all: every field counts. Behind the packet an Ethernet frame may carry padding (RFC 894).',
  rows: [
    pass(
      'request, with padding that is not zero',
      alice,
      concat(
        ethernet(toAll, arp({ op: 1, sha: alice.mac, spa: alice.ipv4, tpa: bob.ipv4 })).subarray(0, 42),
        Buffer.alloc(18, 0xaa),
      ),
    ),
    poison("gratuitous reply for the neighbour's address", { spa: bob.ipv4, tpa: bob.ipv4 }),
    poison("gratuitous reply for the router's address", { spa: router.ipv4, tpa: router.ipv4 }),
    poison('reply from 0.0.0.0', { spa: '0.0.0.0' }),
    poison('reply from 0.0.0.0 for the own address', { spa: '0.0.0.0', tpa: alice.ipv4 }),
    poison('reply from 255.255.255.255', { spa: '255.255.255.255' }),
    poison('reply that says to all is where the own address is', { sha: BROADCAST }),
    poison('reply that says a group is where it is', { sha: '01:00:5e:00:00:01' }),
    drop(
      'request cut off in the target address',
      alice,
      ethernet(toAll, arp({ op: 1, sha: alice.mac, spa: alice.ipv4, tpa: bob.ipv4 })).subarray(0, 14 + 26),
    ),
    migration('announcement for another protocol', { ptype: 0x86dd }),
    migration('announcement, hardware addresses of 8 bytes', { hlen: 8 }),
    migration('announcement, protocol addresses of 16 bytes', { plen: 16 }),
    migration('announcement to nobody', { tha: '00:00:00:00:00:00' }),
    migration('announcement from the own address', { spa: alice.ipv4, tpa: alice.ipv4 }),
  ],
};

/** The packet with one byte as it is not. */
const spoilt = ({ ethertype, bytes }: Packet, at: number, value: number): Packet => {
  const copy = Buffer.from(bytes);
  copy[at] = value;
  return { ethertype, bytes: copy };
};
const broken = (name: string, packet: Packet): Row => drop(name, alice, ethernet(toBob, packet));
const fromNobody = (layer: Layer): Packet => ipv4({ src: '0.0.0.0', dst: '255.255.255.255' }, layer);

export const brokenHeaders: Section = {
  title: 'IP headers that receivers read otherwise',
  because:
    'What a filter cannot parse it cannot have checked (RFC 7113 2.2, RFC 1858 for first fragments): lengths and versions must be those of a packet, or it drops, its own source or not.',
  rows: [
    broken('IPv4, a header of 16 bytes', spoilt(own4(talk), 0, 0x44)),
    broken('IPv4 of version 6', spoilt(own4(talk), 0, 0x65)),
    broken('IPv4 that is longer than the frame', spoilt(own4(talk), 2, 0x10)),
    broken('IPv4 that is shorter than its header', spoilt(spoilt(own4(talk), 2, 0), 3, 19)),
    broken('IPv6 of version 4', spoilt(own6(talk), 0, 0x40)),
    broken('IPv6 that is longer than the frame', spoilt(own6(talk), 4, 0x10)),
    broken('DHCP request without ports', fromNobody(raw(17, zeros(0)))),
    pass(
      'DHCP request that may not be fragmented',
      alice,
      ethernet(
        toAll,
        ipv4({ src: '0.0.0.0', dst: '255.255.255.255', dontFragment: true }, dhcp('discover', alice.mac)),
      ),
    ),
    pass(
      'DHCP request behind options',
      alice,
      ethernet(
        toAll,
        ipv4(
          { src: '0.0.0.0', dst: '255.255.255.255', options: u8(1, 1, 1, 0) },
          dhcp('discover', alice.mac),
        ),
      ),
    ),
    drop(
      'DHCP request, first fragment, on a private network',
      carol,
      ethernet(
        { src: carol.mac, dst: BROADCAST },
        ipv4(
          { src: '0.0.0.0', dst: '255.255.255.255', moreFragments: true },
          slice(dhcp('discover', carol.mac), 0, 64),
        ),
      ),
    ),
  ],
};

const v3Query = raw(2, concat(u8(IGMP_QUERY, 100), u16(0), address('0.0.0.0'), u8(2, 125, 0, 0)));
const igmpTo = (dst: string, mac: string, layer: Layer, src = alice.ipv4): Buffer =>
  ethernet({ src: alice.mac, dst: mac }, ipv4({ src, dst, ttl: 1 }, layer));
const toGroup = (layer: Layer, dst: string, src = alice.linkLocal): Buffer =>
  ethernet({ src: alice.mac, dst: multicastMac(dst) }, ipv6({ src, dst }, layer));

/** What only routers and servers send, behind what may stand in front of it. */
const apart: readonly (readonly [where: string, wrap: (layer: Layer) => Layer])[] = [
  ['behind hop-by-hop options', (layer) => hopByHop(layer)],
  ['in an atomic fragment', (layer) => fragment(layer)],
  ['behind an authentication header', authentication],
  ['behind destination options in an atomic fragment', (layer) => fragment(destinationOptions(layer))],
];

export const routersAndServers: Section = {
  title: 'What else routers and servers say',
  because:
    'A VM is neither: renumbering (RFC 2894), certification paths (RFC 3971) and multicast router discovery (RFC 4286) are not believed behind extension headers either; queriers of every version (RFC 3376, RFC 4541) take over the segment, DHCPv6 relays (RFC 8415 19) speak from port 547.',
  rows: [
    drop('IGMP version 3 query', alice, igmpTo('224.0.0.1', '01:00:5e:00:00:01', v3Query)),
    drop('IGMP query from 0.0.0.0', alice, igmpTo('224.0.0.1', '01:00:5e:00:00:01', v3Query, '0.0.0.0')),
    pass('IGMP leave', alice, igmpTo('224.0.0.2', '01:00:5e:00:00:02', igmp(0x17, address('239.1.2.3')))),
    ...[138, 148, 149, 150, 151].flatMap((type) =>
      apart.map(([where, wrap]) =>
        drop(`type ${type} ${where}`, alice, toGroup(wrap(icmpv6(type)), ALL_NODES)),
      ),
    ),
    drop(
      'MLD version 2 report from ::, without options',
      alice,
      toGroup(mldV2Report('ff02::fb'), 'ff02::16', '::'),
    ),
    pass(
      'router solicitation with the own link-layer address',
      alice,
      toGroup(routerSolicitation(linkLayer(1, alice.mac)), 'ff02::2'),
    ),
    pass(
      'neighbour advertisement for the own address, from the link-local one',
      alice,
      toGroup(neighbourAdvertisement(alice.ipv6, NA_OVERRIDE, linkLayer(2, alice.mac)), ALL_NODES),
    ),
    drop('DHCPv6 relay, to servers', alice, toGroup(udp(547, 547), 'ff05::1:3')),
    drop('DHCPv6 relay behind hop-by-hop options', alice, toGroup(hopByHop(udp(547, 547)), 'ff05::1:3')),
    drop('DHCPv6 server from the own global address', alice, ethernet(toBob, own6(dhcpv6('advertise')))),
    drop('DHCP relay: from port 67 to port 67', alice, ethernet(toBob, own4(udp(67, 67)))),
    pass('a client of a server elsewhere: to port 67', alice, ethernet(toBob, own4(udp(68, 67))), [bob]),
    pass('a client of a server elsewhere: to port 547', alice, ethernet(toBob, own6(udp(546, 547))), [bob]),
  ],
};

let unknown = 0x10;
/** A MAC that nobody has, and nobody else has asked for. */
const nobody = (): string => `02:00:00:00:77:${(unknown++).toString(16)}`;
const inward = { src: router.mac, dst: alice.mac };
const lost = (name: string, frame: (dst: string) => Buffer): Row => drop(name, router, frame(nobody()));

export const floods: Section = {
  title: 'To the VM, whatever the protocol',
  because:
    "A flooded frame is somebody else's, whatever it carries (802.1Q 8.8): none is seen through another's port. What is for the VM's own MAC, to all or to a group reaches it as it is: what it believes is its own choice.",
  rows: [
    lost('ARP for nobody', (dst) =>
      ethernet({ src: router.mac, dst }, arp({ op: 2, sha: router.mac, spa: router.ipv4, tpa: bob.ipv4 })),
    ),
    lost('RARP for nobody', (dst) => ethernet({ src: router.mac, dst }, announcement(router.mac))),
    lost('IPv6 for nobody', (dst) =>
      ethernet({ src: router.mac, dst }, ipv6({ src: router.ipv6, dst: bob.ipv6 }, talk)),
    ),
    lost('IPv6 later fragment for nobody', (dst) =>
      ethernet(
        { src: router.mac, dst },
        ipv6({ src: router.ipv6, dst: bob.ipv6 }, fragment(slice(talk, 32), { offset: 4 })),
      ),
    ),
    lost('an unknown protocol for nobody', (dst) =>
      ethernet({ src: router.mac, dst }, { ethertype: 0x9999, bytes: zeros(46) }),
    ),
    lost('LLC for nobody', (dst) => llc({ src: router.mac, dst }, zeros(35))),
    lost('stacked tags for nobody', (dst) =>
      ethernet({ src: router.mac, dst }, ipv4({ src: router.ipv4, dst: bob.ipv4 }, icmp()), [
        { vid: 5, tpid: 0x88a8 },
        { vid: 6 },
      ]),
    ),
    pass('an unknown protocol', router, ethernet(inward, { ethertype: 0x9999, bytes: zeros(46) }), [alice]),
    pass('LLC', router, llc(inward, zeros(35)), [alice]),
    pass(
      'a tag',
      router,
      ethernet(inward, ipv4({ src: router.ipv4, dst: alice.ipv4 }, icmp()), [{ vid: 5 }]),
      [alice],
    ),
    pass(
      'a later fragment',
      router,
      ethernet(inward, ipv4({ src: router.ipv4, dst: alice.ipv4, offset: 4 }, slice(talk, 32))),
      [alice],
    ),
    pass(
      'a redirect of its router',
      router,
      ethernet(inward, ipv6({ src: router.linkLocal, dst: alice.ipv6 }, icmpv6(137, zeros(36)))),
      [alice],
    ),
    pass(
      'IPv4 for an address that is not its own',
      router,
      ethernet(inward, ipv4({ src: router.ipv4, dst: '192.0.2.200' }, talk)),
      [alice],
    ),
    pass(
      'the announcement of a VM that came to another host',
      router,
      ethernet({ src: '02:00:00:00:ee:11', dst: BROADCAST }, announcement('02:00:00:00:ee:11')),
    ),
    pass('IPv4 from a VM to its neighbour', alice, ethernet(toBob, own4(udp(1, 2))), [bob]),
  ],
};
