import { alice, bob, router } from '../network.ts';
import {
  address,
  BROADCAST,
  dhcp,
  ethernet,
  IGMP_QUERY,
  IGMP_V2_REPORT,
  IGMP_V3_REPORT,
  IPV4_ROUTER_ALERT,
  type Ipv4,
  icmp,
  igmp,
  ipv4,
  type Layer,
  raw,
  slice,
  tcp,
  u8,
  u16,
  udp,
  zeros,
} from '../packet/index.ts';
import { drop, pass, type Row, type Section } from './row.ts';

const ANY = '0.0.0.0';
const toAll = { src: alice.mac, dst: BROADCAST };
const talk = udp(5000, 5001, zeros(64));

const toBob = (layer: Layer, change: Partial<Ipv4> = {}): Buffer =>
  ethernet({ src: alice.mac, dst: bob.mac }, ipv4({ src: alice.ipv4, dst: bob.ipv4, ...change }, layer));

const through = (name: string, layer: Layer, change: Partial<Ipv4> = {}): Row =>
  pass(name, alice, toBob(layer, change), [bob]);

const stopped = (name: string, layer: Layer, change: Partial<Ipv4> = {}): Row =>
  drop(name, alice, toBob(layer, change));

export const internet: Section = {
  title: 'IPv4 source',
  because:
    'Ingress filtering at the port (RFC 2827): own sources alone. Later fragments have no ports and pass on their source (RFC 1858).',
  rows: [
    through('ICMP', icmp()),
    through('UDP', talk),
    through('TCP', tcp(40000, 22)),
    through('options', talk, { options: u8(1, 1, 1, 0) }),
    through('first fragment', slice(talk, 0, 32), { moreFragments: true }),
    through('later fragment', slice(talk, 32), { offset: 4 }),
    through('later fragment that looks like a DHCP server', raw(17, u16(67, 68, 40, 0)), { offset: 4 }),
    through('later fragment that looks like an IGMP query', raw(2, u8(IGMP_QUERY, 0, 0, 0)), { offset: 4 }),
    through('an unknown protocol', { protocol: 253, bytes: () => zeros(8) }),
    pass(
      'to a group',
      alice,
      ethernet(
        { src: alice.mac, dst: '01:00:5e:00:00:fb' },
        ipv4({ src: alice.ipv4, dst: '224.0.0.251' }, udp(5353, 5353)),
      ),
    ),
    pass(
      'to the router',
      alice,
      ethernet(
        { src: alice.mac, dst: router.mac },
        ipv4({ src: alice.ipv4, dst: '192.0.2.1' }, tcp(40000, 443)),
      ),
      [router],
    ),
    ...['10.0.0.3', bob.ipv4, router.ipv4, '127.0.0.1', '255.255.255.255', '224.0.0.1', '169.254.1.1'].map(
      (src) => stopped(`from ${src}`, talk, { src }),
    ),
    stopped("TCP from the neighbour's address", tcp(40000, 22), { src: bob.ipv4 }),
    stopped("later fragment from the neighbour's address", slice(talk, 32), { src: bob.ipv4, offset: 4 }),
    stopped("options, from the neighbour's address", talk, { src: bob.ipv4, options: u8(1, 1, 1, 0) }),
  ],
};

const discover = dhcp('discover', alice.mac);
const offer = dhcp('offer', bob.mac);
const unspecified: Ipv4 = { src: ANY, dst: '255.255.255.255' };

const fromNobody = (name: string, layer: Layer, change: Partial<Ipv4> = {}): Row =>
  drop(name, alice, ethernet(toAll, ipv4({ ...unspecified, ...change }, layer)));

export const dynamicHosts: Section = {
  title: 'DHCP',
  because:
    "Without an address there is a DHCP request and nothing else (RFC 2131 4.1); who answers as a server hands out its own gateway. Clients take answers from any port, so both the server's port and the client's are closed (RFC 7610).",
  rows: [
    pass('discover', alice, ethernet(toAll, ipv4(unspecified, discover))),
    through('renewal, from the own address', discover),
    fromNobody('discover, first fragment', slice(discover, 0, 64), { moreFragments: true }),
    fromNobody('discover, later fragment', slice(discover, 64), { offset: 8 }),
    fromNobody('discover to one', discover, { dst: bob.ipv4 }),
    fromNobody("discover, from the neighbour's address", discover, { src: bob.ipv4 }),
    drop(
      "discover, from the neighbour's MAC",
      alice,
      ethernet({ src: bob.mac, dst: BROADCAST }, ipv4(unspecified, discover)),
    ),
    fromNobody('from 0.0.0.0, port 69 to 67', udp(69, 67)),
    fromNobody('from 0.0.0.0, port 68 to 53', udp(68, 53)),
    fromNobody('from 0.0.0.0, port 67 to 68', offer),
    fromNobody('from 0.0.0.0, TCP', tcp(68, 67)),
    fromNobody('from 0.0.0.0, ICMP', icmp()),
    fromNobody('from 0.0.0.0, IGMP', igmp(IGMP_V2_REPORT, address('239.1.2.3'))),
    stopped('server: offer', offer),
    drop('server: offer to all', alice, ethernet(toAll, ipv4({ ...unspecified, src: alice.ipv4 }, offer))),
    stopped('server: offer behind options', offer, { options: u8(1, 1, 1, 0) }),
    stopped('server: first fragment', slice(offer, 0, 64), { moreFragments: true }),
    stopped('server: to an odd port', udp(67, 4011)),
    stopped('server: from an odd port', udp(1067, 68)),
    stopped('server: from an odd port, first fragment', slice(udp(1067, 68, zeros(64)), 0, 32), {
      moreFragments: true,
    }),
    stopped("server: the router's address", offer, { src: router.ipv4 }),
  ],
};

const group = address('239.1.2.3');
const membership = (type: number, dst: string, mac: string): Buffer =>
  ethernet(
    { src: alice.mac, dst: mac },
    ipv4({ src: alice.ipv4, dst, ttl: 1, options: IPV4_ROUTER_ALERT }, igmp(type, group)),
  );

export const groupMembership: Section = {
  title: 'IGMP',
  because:
    "Hosts report (RFC 3376); a query from a VM would make it the segment's querier and stop what snooping bridges forward.",
  rows: [
    pass('version 2 report', alice, membership(IGMP_V2_REPORT, '239.1.2.3', '01:00:5e:01:02:03')),
    pass('version 3 report', alice, membership(IGMP_V3_REPORT, '224.0.0.22', '01:00:5e:00:00:16')),
    drop('query', alice, membership(IGMP_QUERY, '224.0.0.1', '01:00:5e:00:00:01')),
    stopped('query to one, without options', igmp(IGMP_QUERY, address(ANY))),
    stopped('query, first fragment', igmp(IGMP_QUERY, address(ANY)), { moreFragments: true }),
  ],
};
