import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { connect } from '../../src/index.ts';
import { factsOf, parseHost, parsePolicy, render } from '../../src/uncloud/index.ts';
import { eui64 } from '../support/frames/network.ts';
import {
  announcement,
  arp,
  BROADCAST,
  dhcp,
  dhcpv6,
  ethernet,
  ipv4,
  ipv6,
  multicastMac,
  tcp,
  udp,
  zeros,
} from '../support/frames/packet/index.ts';
import { Rig } from '../support/frames/rig.ts';
import { requires } from '../support/requirements.ts';

// What each of libvirt's filters does with each kind of frame, by its own documentation and rules
// (libvirt's formatnwfilter page, and the XML of its nwfilter directory).

interface Guest {
  readonly port: string;
  readonly mac: string;
  readonly ip: string;
  readonly ip6: string;
  readonly number: number;
}

const UPLINK = 'up0';
const [gateway, server, other] = ['02:00:00:00:01:fe', '02:00:00:00:01:fd', '02:00:00:00:01:fc'] as const;
const [serverIp, elsewhere, world] = ['10.0.0.254', '10.0.0.253', '203.0.113.7'] as const;
const talk = udp(5000, 5001, zeros(24));
const opaque = { ethertype: 0x9999, bytes: zeros(46) };
const away = (guest: Guest, dst: string = other) => ({ src: guest.mac, dst });
const sent = (guest: Guest, src: string, layer = talk, dst: string = other) =>
  ethernet(away(guest, dst), ipv4({ src, dst: world }, layer));
const sent6 = (guest: Guest, src: string) => ethernet(away(guest), ipv6({ src, dst: '2001:db8::7' }, talk));
const asks = (guest: Guest, change: object = {}) =>
  ethernet(away(guest, BROADCAST), arp({ op: 1, sha: guest.mac, spa: guest.ip, tpa: serverIp, ...change }));
const foreign = (guest: Guest) => `10.0.1.${guest.number}`;

/** Frames of a guest. */
const OUT = {
  'own IPv4': (guest) => sent(guest, guest.ip),
  'foreign IPv4': (guest) => sent(guest, foreign(guest)),
  'IPv4 to the gateway': (guest) => sent(guest, guest.ip, talk, gateway),
  'IPv4 to all': (guest) =>
    ethernet(away(guest, BROADCAST), ipv4({ src: guest.ip, dst: '10.0.0.255' }, talk)),
  'IPv4 to a group': (guest) =>
    ethernet(away(guest, '01:00:5e:00:00:fb'), ipv4({ src: guest.ip, dst: '224.0.0.251' }, talk)),
  'DHCP discover': (guest) =>
    ethernet(
      away(guest, BROADCAST),
      ipv4({ src: '0.0.0.0', dst: '255.255.255.255' }, dhcp('discover', guest.mac)),
    ),
  'TCP from 0.0.0.0': (guest) => sent(guest, '0.0.0.0', tcp(40000, 22)),
  'own ARP': (guest) => asks(guest),
  'ARP with a foreign address': (guest) => asks(guest, { spa: foreign(guest) }),
  'ARP with a foreign MAC': (guest) => asks(guest, { sha: other }),
  'own IPv6': (guest) => sent6(guest, guest.ip6),
  'link-local IPv6': (guest) => sent6(guest, eui64(guest.mac)),
  'foreign IPv6': (guest) => sent6(guest, `2001:db8:1::${guest.number}`),
  'DHCPv6 solicit': (guest) =>
    ethernet(
      away(guest, multicastMac('ff02::1:2')),
      ipv6({ src: eui64(guest.mac), dst: 'ff02::1:2' }, dhcpv6('solicit')),
    ),
  announcement: (guest) => ethernet(away(guest, BROADCAST), announcement(guest.mac)),
  'other RARP': (guest) => ethernet(away(guest), announcement(guest.mac, { op: 4 })),
  'unknown protocol': (guest) => ethernet(away(guest), opaque),
  'foreign source MAC': (guest) =>
    ethernet(
      { src: `02:00:00:00:02:${guest.mac.slice(-2)}`, dst: other },
      ipv4({ src: guest.ip, dst: world }, talk),
    ),
} as const satisfies Record<string, (guest: Guest) => Buffer>;

const to = (guest: Guest, src: string) => ({ src, dst: guest.mac });
const received = (guest: Guest, mac: string, src: string, layer = talk) =>
  ethernet(to(guest, mac), ipv4({ src, dst: guest.ip }, layer));
const received6 = (guest: Guest, src: string, layer = talk) =>
  ethernet(to(guest, server), ipv6({ src, dst: guest.ip6 }, layer));
const answers = (guest: Guest, mac: string) =>
  ethernet(to(guest, mac), arp({ op: 2, sha: mac, spa: serverIp, tha: guest.mac, tpa: guest.ip }));

/** Frames to a guest. */
const IN = {
  'to it: IPv4': (guest) => received(guest, other, world),
  'to it: IPv4 from the gateway': (guest) => received(guest, gateway, world),
  'to it: DHCP offer': (guest) => received(guest, server, serverIp, dhcp('offer', guest.mac)),
  'to it: DHCP offer from elsewhere': (guest) => received(guest, server, elsewhere, dhcp('offer', guest.mac)),
  'to it: ARP': (guest) => answers(guest, other),
  'to it: ARP from the gateway': (guest) => answers(guest, gateway),
  'to it: IPv6': (guest) => received6(guest, '2001:db8::7'),
  'to it: DHCPv6 advertise': (guest) => received6(guest, 'fe80::1', dhcpv6('advertise')),
  'to it: DHCPv6 advertise from another': (guest) => received6(guest, 'fe80::2', dhcpv6('advertise')),
  'to it: DHCPv6 advertise from afar': (guest) => received6(guest, '2001:db8::8', dhcpv6('advertise')),
  'to it: announcement': ({ number }) => {
    const mac = `02:00:00:00:03:${number.toString(16).padStart(2, '0')}`;
    return ethernet({ src: mac, dst: BROADCAST }, announcement(mac));
  },
  'to it: other RARP': (guest) => ethernet(to(guest, other), announcement(other, { op: 4 })),
  'to it: unknown protocol': (guest) => ethernet(to(guest, other), opaque),
} as const satisfies Record<string, (guest: Guest) => Buffer>;

type Kind = keyof typeof OUT | keyof typeof IN;
const KINDS = Object.keys({ ...OUT, ...IN }) as Kind[];

const OFFERS: Kind[] = ['to it: DHCP offer', 'to it: DHCP offer from elsewhere'];
const INCOMING4: Kind[] = ['to it: IPv4', 'to it: IPv4 from the gateway', ...OFFERS];
const INCOMING6: Kind[] = [
  'to it: IPv6',
  'to it: DHCPv6 advertise',
  'to it: DHCPv6 advertise from another',
  'to it: DHCPv6 advertise from afar',
];
const OWN4: Kind[] = ['own IPv4', 'IPv4 to the gateway', 'IPv4 to all', 'IPv4 to a group', 'DHCP discover'];
const ARP: Kind[] = ['own ARP', 'ARP with a foreign address', 'ARP with a foreign MAC'];
const INCOMING_ARP: Kind[] = ['to it: ARP', 'to it: ARP from the gateway'];
const OTHER_RARP: Kind[] = ['other RARP', 'to it: other RARP'];
const ANNOUNCEMENTS: Kind[] = ['announcement', 'to it: announcement'];

/** What passes where the filter stands alone, and all else drops; what no rule of a filter ends passes. */
const ALLOWING: Readonly<Record<string, readonly Kind[]>> = {
  'allow-arp': [...ARP, ...INCOMING_ARP],
  'allow-dhcp': ['DHCP discover', ...OFFERS],
  'allow-dhcp-server': ['DHCP discover', 'to it: DHCP offer'],
  'allow-dhcpv6': ['DHCPv6 solicit', 'to it: DHCPv6 advertise', 'to it: DHCPv6 advertise from another'],
  'allow-dhcpv6-server': ['DHCPv6 solicit', 'to it: DHCPv6 advertise'],
  'allow-incoming-ipv4': INCOMING4,
  'allow-incoming-ipv6': INCOMING6,
  'allow-ipv4': [...OWN4, 'foreign IPv4', 'TCP from 0.0.0.0', ...INCOMING4],
  'allow-ipv6': ['own IPv6', 'link-local IPv6', 'foreign IPv6', 'DHCPv6 solicit', ...INCOMING6],
  'qemu-announce-self': ANNOUNCEMENTS,
  'qemu-announce-self-rarp': ANNOUNCEMENTS,
  'clean-traffic': [...OWN4, 'own ARP', ...INCOMING4, ...INCOMING_ARP, ...ANNOUNCEMENTS],
  'clean-traffic-gateway': [
    'IPv4 to the gateway',
    'own ARP',
    'to it: IPv4 from the gateway',
    'to it: ARP from the gateway',
    ...ANNOUNCEMENTS,
  ],
};

/** What drops, where the filter is all that there is. */
const REFUSING: Readonly<Record<string, readonly Kind[]>> = {
  'no-arp-ip-spoofing': ['ARP with a foreign address'],
  'no-arp-mac-spoofing': ['ARP with a foreign MAC'],
  'no-arp-spoofing': ['ARP with a foreign address', 'ARP with a foreign MAC'],
  'no-ip-multicast': ['IPv4 to a group'],
  'no-ip-spoofing': ['foreign IPv4', 'TCP from 0.0.0.0'],
  'no-ipv6-spoofing': ['foreign IPv6'],
  'no-mac-broadcast': ['IPv4 to all', 'DHCP discover', ...ARP, 'announcement'],
  'no-mac-spoofing': [],
  'no-other-l2-traffic': KINDS,
  'no-other-rarp-traffic': [...OTHER_RARP, ...ANNOUNCEMENTS],
  'qemu-announce-self': OTHER_RARP,
};

interface Case {
  readonly name: string;
  readonly filter: string;
  readonly passes: ReadonlySet<Kind>;
  readonly guest: Guest;
}

/** A source MAC that is not the port's never passes, whatever the filter. */
const passing = (kinds: readonly Kind[]): ReadonlySet<Kind> =>
  new Set(kinds.filter((kind) => kind !== 'foreign source MAC'));

const cases: readonly Case[] = [
  ...Object.entries(ALLOWING).map(([name, kinds]) => ({
    name: `${name}, and nothing else`,
    filter: `only-${name}`,
    passes: passing(kinds),
  })),
  ...Object.entries(REFUSING).map(([name, kinds]) => ({
    name: `${name} alone`,
    filter: name,
    passes: passing(KINDS.filter((kind) => !kinds.includes(kind))),
  })),
].map((each, index): Case => {
  const [number, hex] = [index + 1, (index + 1).toString(16).padStart(2, '0')];
  const guest = {
    port: `vm${number}`,
    mac: `02:00:00:00:00:${hex}`,
    ip: `10.0.0.${number}`,
    ip6: `2001:db8:2::${hex}`,
    number,
  };
  return { ...each, guest };
});

const policy = {
  filters: Object.fromEntries(
    Object.keys(ALLOWING).map((name) => [
      `only-${name}`,
      { rules: [{ filter: name }, { filter: 'no-other-l2-traffic' }] },
    ]),
  ),
  vms: Object.fromEntries(
    cases.map(({ filter, guest: { port, mac, ip, ip6 } }) => {
      const variables = { GATEWAY_MAC: [gateway], DHCPSERVER: [serverIp], DHCPSERVERV6: ['fe80::1'] };
      const addresses = { ipv4: [`${ip}/32`], ipv6: [`${ip6}/128`] };
      return [port, { nics: [{ ifname: port, bridge: 'br0', mac, ...addresses, filter, variables }] }];
    }),
  ),
};

for (const backend of ['bridge', 'netdev'] as const) {
  for (const sets of ['anonymous', 'named', 'auto'] as const) {
    const what = `libvirt's filters: backend ${backend}, ${sets} sets`;
    suite(what, requires('root', 'ip', 'bridge', 'veth'), () => {
      let rig: Rig;
      before(async () => {
        rig = await Rig.build({ br0: { ports: [UPLINK, ...cases.map(({ guest }) => guest.port)] } });
        rig.forget();
        using nft = connect({ netns: rig.netns });
        const host = parseHost({
          bridges: { br0: { uplinks: [UPLINK], mac: '02:00:00:00:01:00', backend } },
          sets,
        });
        const parsed = parsePolicy(policy, { host });
        assert.deepEqual(parsed.problems, []);
        await nft.commit(render({ host, policy: parsed.policy, facts: await factsOf(nft) }).ruleset);
      });
      after(() => rig?.close());

      for (const { name, passes, guest } of cases) {
        test(name, () => {
          const sends = [
            ...Object.values(OUT).map((frame) => ({ port: guest.port, frame: frame(guest), at: UPLINK })),
            ...Object.values(IN).map((frame) => ({ port: UPLINK, frame: frame(guest), at: guest.port })),
          ];
          const { arrivedAt } = rig.deliverAll(sends);
          const passed = KINDS.filter((_, index) => arrivedAt[index]?.includes(sends[index]?.at ?? ''));
          assert.deepEqual(
            passed,
            KINDS.filter((kind) => passes.has(kind)),
          );
        });
      }
    });
  }
}
