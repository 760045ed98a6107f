import { alice, bob, carol, dave, eui64, outsiders, router, stranger } from '../network.ts';
import {
  address,
  arp,
  BROADCAST,
  destinationOptions,
  dhcp,
  dhcpv6,
  type Ends,
  echoRequest,
  ethernet,
  IGMP_QUERY,
  icmp,
  igmp,
  ipv4,
  ipv6,
  type Layer,
  linkLayer,
  llc,
  mldQuery,
  multicastMac,
  NA_OVERRIDE,
  NA_ROUTER,
  neighbourAdvertisement,
  redirect,
  routerAdvertisement,
  udp,
  zeros,
} from '../packet/index.ts';
import { drop, pass, type Section } from './row.ts';

/** Somebody who has said nothing yet, so that a bridge that knows the MAC has been taught by a lie. */
export const victim = '02:00:00:00:ee:02';

const RESERVED = [0, 1, 2, 3, 0xe, 0xf].map((last) => `01:80:c2:00:00:0${last.toString(16)}`);

/** Frames that bridges treat apart (IEEE 802.1D, table 7-10): `src` is all that they need to say. */
export const reserved = (src: string): { name: string; frame: Buffer }[] =>
  RESERVED.flatMap((dst) => [
    { name: `LLC to ${dst}`, frame: llc({ src, dst }, zeros(35)) },
    { name: `LLDP to ${dst}`, frame: ethernet({ src, dst }, { ethertype: 0x88cc, bytes: zeros(46) }) },
    {
      name: `IPv4 to ${dst}`,
      frame: ethernet({ src, dst }, ipv4({ src: alice.ipv4, dst: bob.ipv4 }, icmp())),
    },
  ]);

/** The bridge forwards those to the first group alone, and without spanning tree only. */
const reservedRows = (what: string, src: string) =>
  reserved(src).map(({ name, frame }) => ({
    ...drop(`${name}, ${what}`, alice, frame),
    ...(name.endsWith(':00') ? {} : { bridgeDrops: true as const }),
  }));

export const reservedGroups: Section = {
  title: 'Frames to 01:80:c2:00:00:0X',
  because:
    "Frames to 01:80:c2:00:00:0X go around the bridge's prerouting hook and teach it their source MAC (802.1D 7.12.6): the forwarding database is taken over without a packet being forwarded.",
  rows: [...reservedRows('spoofed', victim), ...reservedRows('own MAC', alice.mac)],
};

const group = multicastMac('ff02::1');
const advertise = (src: string): ReturnType<typeof ipv6> =>
  ipv6({ src, dst: 'ff02::1' }, routerAdvertisement('2001:db8::'));
const v4 = (ends: Ends, src: string, layer: Layer = icmp()): Buffer =>
  ethernet(ends, ipv4({ src, dst: '198.51.100.7' }, layer));

const strangely = { src: stranger.mac, dst: BROADCAST };

export const unlisted: Section = {
  title: 'A port that no VM lists',
  because: 'Default deny with bridging included: a port that no VM lists neither speaks nor hears.',
  rows: [
    drop(
      'ARP',
      stranger,
      ethernet(strangely, arp({ op: 1, sha: stranger.mac, spa: stranger.ipv4, tpa: bob.ipv4 })),
    ),
    drop('IPv4', stranger, v4({ src: stranger.mac, dst: bob.mac }, stranger.ipv4)),
    drop('IPv4, MAC and address of a VM', stranger, v4({ src: victim, dst: BROADCAST }, alice.ipv4)),
    drop(
      'router advertisement',
      stranger,
      ethernet({ ...strangely, dst: group }, advertise(stranger.linkLocal)),
    ),
    drop('an unknown protocol', stranger, ethernet(strangely, { ethertype: 0x9999, bytes: zeros(46) })),
    pass('IPv4 of a VM to its MAC', alice, v4({ src: alice.mac, dst: stranger.mac }, alice.ipv4), [router]),
    pass(
      'IPv4 from the uplink to its MAC',
      router,
      v4({ src: router.mac, dst: stranger.mac }, router.ipv4),
      [],
    ),
  ],
};

const inward = { src: router.mac, dst: BROADCAST };
const elsewhere = '02:00:00:00:77:01';

export const uplinks: Section = {
  title: 'From the uplink',
  because:
    "What comes from the outside was checked there, or is the operator's own: routers and DHCP servers live behind the uplink.",
  rows: [
    pass('router advertisement', router, ethernet({ ...inward, dst: group }, advertise(router.linkLocal))),
    pass('DHCP offer to all', router, v4(inward, router.ipv4, dhcp('offer', alice.mac))),
    pass(
      'DHCP offer to one',
      router,
      v4({ ...inward, dst: alice.mac }, router.ipv4, dhcp('offer', alice.mac)),
      [alice],
    ),
    pass('from any MAC and address', router, v4({ src: elsewhere, dst: bob.mac }, '192.0.2.99'), [bob]),
    pass('an unknown protocol', router, ethernet(inward, { ethertype: 0x9999, bytes: zeros(46) })),
    pass('VLAN 5', router, ethernet(inward, ipv4({ src: router.ipv4, dst: bob.ipv4 }, icmp()), [{ vid: 5 }])),
  ],
};

export const toTheVm: Section = {
  title: 'To the VM',
  because:
    "Until a bridge knows where a MAC is it floods frames for it, and after a migration for minutes: nobody else's unicast reaches a VM.",
  rows: [
    pass("to a VM's MAC", router, v4({ src: router.mac, dst: alice.mac }, router.ipv4), [alice]),
    pass('to a MAC behind the uplink', alice, v4({ src: alice.mac, dst: elsewhere }, alice.ipv4), [router]),
    pass(
      'to a MAC that nobody knows, from a VM',
      alice,
      v4({ src: alice.mac, dst: '02:00:00:00:77:02' }, alice.ipv4),
      [router],
    ),
    drop(
      'to a MAC that nobody knows, from the uplink',
      router,
      v4({ src: router.mac, dst: '02:00:00:00:77:02' }, router.ipv4),
    ),
    drop(
      'to a MAC that nobody knows, tagged',
      router,
      ethernet(
        { src: router.mac, dst: '02:00:00:00:77:02' },
        ipv4({ src: router.ipv4, dst: bob.ipv4 }, icmp()),
        [{ vid: 0 }],
      ),
    ),
    pass(
      'to a group',
      router,
      ethernet(
        { src: router.mac, dst: group },
        ipv6({ src: router.linkLocal, dst: 'ff02::1' }, echoRequest()),
      ),
    ),
  ],
};

const privately = { src: carol.mac, dst: BROADCAST };
const toDave = { src: carol.mac, dst: dave.mac };

const fromDave = { src: dave.mac, dst: carol.mac };
const talk = udp(5000, 5001);

export const privateNetwork: Section = {
  title: 'Private network',
  because:
    "One customer's network has routers and DHCP servers of the customer's own; pretending to be a neighbour stays forbidden.",
  rows: [
    pass('router advertisement', carol, ethernet({ ...privately, dst: group }, advertise(carol.linkLocal))),
    pass('DHCP offer', carol, v4(toDave, carol.ipv4, dhcp('offer', dave.mac)), [dave]),
    pass(
      'DHCPv6 advertise',
      carol,
      ethernet(toDave, ipv6({ src: carol.linkLocal, dst: dave.linkLocal }, dhcpv6('advertise'))),
      [dave],
    ),
    pass(
      'neighbour advertisement of a router',
      carol,
      ethernet(
        { ...privately, dst: group },
        ipv6(
          { src: carol.linkLocal, dst: 'ff02::1' },
          neighbourAdvertisement(carol.linkLocal, NA_ROUTER | NA_OVERRIDE, linkLayer(2, carol.mac)),
        ),
      ),
    ),
    pass(
      'DHCPv6 advertise behind destination options',
      carol,
      ethernet(
        toDave,
        ipv6({ src: carol.linkLocal, dst: dave.linkLocal }, destinationOptions(dhcpv6('advertise'))),
      ),
      [dave],
    ),
    drop('IGMP query', carol, v4(privately, carol.ipv4, igmp(IGMP_QUERY, address('0.0.0.0')))),
    drop(
      'MLD query',
      carol,
      ethernet({ ...privately, dst: group }, ipv6({ src: carol.linkLocal, dst: 'ff02::1' }, mldQuery(2))),
    ),
    drop(
      'redirect',
      carol,
      ethernet(
        toDave,
        ipv6({ src: carol.linkLocal, dst: dave.linkLocal }, redirect(carol.linkLocal, '2001:db8::1')),
      ),
    ),
    drop(
      'router advertisement behind destination options',
      carol,
      ethernet(
        { ...privately, dst: group },
        ipv6({ src: carol.linkLocal, dst: 'ff02::1' }, destinationOptions(routerAdvertisement('2001:db8::'))),
      ),
    ),
    pass('IPv4', carol, v4(toDave, carol.ipv4), [dave]),
    drop(
      'router advertisement, VID 0',
      carol,
      ethernet({ ...privately, dst: group }, advertise(carol.linkLocal), [{ vid: 0 }]),
    ),
    drop(
      "router advertisement from the neighbour's address",
      carol,
      ethernet({ ...privately, dst: group }, advertise(dave.linkLocal)),
    ),
    drop("IPv4 from the neighbour's MAC", carol, v4({ src: dave.mac, dst: BROADCAST }, carol.ipv4)),
    drop("IPv4 from the neighbour's address", carol, v4(toDave, dave.ipv4)),
    drop("DHCP offer from the neighbour's address", carol, v4(toDave, dave.ipv4, dhcp('offer', dave.mac))),
    drop(
      "ARP with the neighbour's address",
      carol,
      ethernet(privately, arp({ op: 1, sha: carol.mac, spa: dave.ipv4, tpa: dave.ipv4 })),
    ),
    drop(
      "neighbour advertisement for the neighbour's address",
      carol,
      ethernet(
        { ...privately, dst: group },
        ipv6(
          { src: carol.ipv6, dst: 'ff02::1' },
          neighbourAdvertisement(dave.ipv6, NA_OVERRIDE, linkLayer(2, carol.mac)),
        ),
      ),
    ),
    pass(
      'from a link-local address that is listed',
      dave,
      ethernet(fromDave, ipv6({ src: dave.linkLocal, dst: carol.linkLocal }, talk)),
      [carol],
    ),
    drop(
      'from one that is not, though made from the MAC',
      dave,
      ethernet(fromDave, ipv6({ src: eui64(dave.mac), dst: carol.linkLocal }, talk)),
    ),
    drop('to a MAC that nobody knows', carol, v4({ src: carol.mac, dst: '02:00:00:00:77:03' }, carol.ipv4)),
  ],
};

const [eve, frank] = outsiders;

export const otherBridges: Section = {
  title: 'A bridge that is not managed',
  because: "Bridges that the host does not name are none of the firewall's business.",
  rows: [
    pass('any address', eve, v4({ src: eve.mac, dst: frank.mac }, '203.0.113.1', udp(67, 68)), [frank]),
    pass("a VM's MAC", eve, v4({ src: alice.mac, dst: BROADCAST }, alice.ipv4)),
    pass(
      'router advertisement, VID 0',
      eve,
      ethernet({ src: eve.mac, dst: group }, advertise(eve.linkLocal), [{ vid: 0 }]),
    ),
    pass(
      'an unknown protocol',
      eve,
      ethernet({ src: eve.mac, dst: BROADCAST }, { ethertype: 0x9999, bytes: zeros(46) }),
    ),
    pass('to a MAC that nobody knows', eve, v4({ src: eve.mac, dst: '02:00:00:00:77:04' }, eve.ipv4)),
  ],
};
