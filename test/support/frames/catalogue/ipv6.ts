import { alice, bob, type Machine, router } from '../network.ts';
import {
  authentication,
  concat,
  destinationOptions,
  dhcpv6,
  echoRequest,
  ethernet,
  type Fragment,
  fragment,
  hopByHop,
  IPV6_ROUTER_ALERT,
  icmpv6,
  ipv6,
  type Layer,
  mldQuery,
  mldV1Report,
  mldV2Report,
  multicastMac,
  raw,
  redirect,
  routerAdvertisement,
  routerSolicitation,
  routing,
  slice,
  tcp,
  u16,
  udp,
  zeros,
} from '../packet/index.ts';
import { drop, pass, type Row, type Section } from './row.ts';

const ALL_NODES = 'ff02::1';
const talk = udp(5000, 5001, zeros(64));

const toBob = (layer: Layer, src = alice.ipv6): Buffer =>
  ethernet({ src: alice.mac, dst: bob.mac }, ipv6({ src, dst: bob.ipv6 }, layer));

const toGroup = (layer: Layer, dst: string, src = alice.linkLocal): Buffer =>
  ethernet({ src: alice.mac, dst: multicastMac(dst) }, ipv6({ src, dst }, layer));

const through = (name: string, layer: Layer, src?: string): Row =>
  pass(name, alice, toBob(layer, src), [bob]);
const stopped = (name: string, layer: Layer, src?: string): Row => drop(name, alice, toBob(layer, src));

export const internet6: Section = {
  title: 'IPv6 source',
  because:
    'Ingress filtering at the port (RFC 2827) with addresses, delegated prefixes and link-local addresses of its own (RFC 7513).',
  rows: [
    through('UDP', talk),
    through('TCP', tcp(40000, 22)),
    through('echo request', echoRequest()),
    through('from a delegated network', talk, alice.delegated),
    through('from the link-local address', talk, alice.linkLocal),
    through('UDP behind hop-by-hop options', hopByHop(talk)),
    through('UDP behind destination options', destinationOptions(talk)),
    through('UDP in an atomic fragment', fragment(talk)),
    through('no next header', raw(59, zeros(0))),
    pass('to a group', alice, toGroup(udp(5353, 5353), 'ff02::fb')),
    pass(
      'to the router',
      alice,
      ethernet(
        { src: alice.mac, dst: router.mac },
        ipv6({ src: alice.delegated, dst: '2001:db8::1' }, tcp(40000, 443)),
      ),
      [router],
    ),
    ...[
      bob.ipv6,
      bob.linkLocal,
      bob.delegated,
      router.linkLocal,
      '2001:db8::1',
      '::1',
      '::ffff:10.0.0.1',
      'ff02::1',
      'fec0::1',
    ].map((src) => stopped(`from ${src}`, talk, src)),
    stopped("hop-by-hop options, from the neighbour's address", hopByHop(talk), bob.ipv6),
    stopped('UDP from ::', talk, '::'),
    stopped('echo request from ::', echoRequest(), '::'),
  ],
};

const long = udp(5000, 5001, zeros(1600));
const first: Fragment = { moreFragments: true };
const advertisement = routerAdvertisement('2001:db8::');
const serverTalk = dhcpv6('advertise');
const optionsThen = (layer: Layer): Layer => destinationOptions(layer);

type Wrapping = readonly [where: string, wrap: (layer: Layer) => Layer];

const headers: readonly Wrapping[] = [
  ['behind hop-by-hop options', (layer) => hopByHop(layer)],
  ['behind destination options', (layer) => destinationOptions(layer)],
  ['behind a routing header', routing],
];

/** Every way in which a layer can stand behind extension headers and still be believed. */
const chains: readonly Wrapping[] = [
  ...headers,
  [
    'behind long destination options',
    (layer) => destinationOptions(layer, concat(Buffer.of(0x1e, 252), zeros(252))),
  ],
  ['in an atomic fragment', (layer) => fragment(layer)],
  ['behind an authentication header', authentication],
  ['behind hop-by-hop and destination options', (layer) => hopByHop(destinationOptions(layer))],
  ['behind destination options in an atomic fragment', (layer) => fragment(destinationOptions(layer))],
  ['behind four headers', (layer) => hopByHop(destinationOptions(routing(fragment(layer))))],
  [
    'behind eight destination options',
    (layer) => {
      let chain = layer;
      for (let depth = 0; depth < 8; depth++) chain = destinationOptions(chain);
      return chain;
    },
  ],
];

/** A UDP header, and room, for whoever reads on behind the end of the packet. */
const harmless = concat(u16(5000, 5001, 8, 0), zeros(64));

export const fragments: Section = {
  title: 'IPv6 fragments',
  because:
    'A first fragment has the whole header chain (RFC 7112), or else what it carries is not known: the evasion of RFC 7113.',
  rows: [
    through('first fragment with its headers', fragment(slice(talk, 0, 32), first)),
    through(
      'first fragment, options, its headers',
      fragment(slice(destinationOptions(long), 0, 1224), first),
    ),
    through('later fragment', fragment(slice(talk, 32), { offset: 4 })),
    ...headers.flatMap(([where, wrap]) => [
      through(`first fragment with its headers, ${where}`, wrap(fragment(slice(long, 0, 1216), first))),
      stopped(
        `first fragment ends with its options, ${where}`,
        wrap(fragment(slice(optionsThen(advertisement), 0, 8), first)),
      ),
      drop(
        `first fragment ends with its options, ${where}, a harmless header behind the packet`,
        alice,
        concat(toBob(wrap(fragment(slice(optionsThen(serverTalk), 0, 8), first))), harmless),
      ),
      drop(
        `first fragment without anything, ${where}, a harmless header behind the packet`,
        alice,
        concat(toBob(wrap(fragment(slice(serverTalk, 0, 0), first))), harmless),
      ),
    ]),
    drop(
      'first fragment without anything, a harmless header behind the packet',
      alice,
      concat(toBob(fragment(slice(serverTalk, 0, 0), first)), harmless),
    ),
    through(
      'later fragment that looks like a DHCPv6 server',
      fragment(raw(17, u16(547, 546, 40, 0)), { offset: 4 }),
    ),
    through(
      'later fragment that looks like a router advertisement',
      fragment(slice(advertisement, 0, 24), { offset: 4 }),
    ),
    through('TCP, first fragment with its header', fragment(slice(tcp(40000, 22), 0, 20), first)),
    stopped("first fragment from the neighbour's address", fragment(slice(talk, 0, 32), first), bob.ipv6),
    stopped(
      "later fragment from the neighbour's address",
      fragment(slice(talk, 32), { offset: 4 }),
      bob.ipv6,
    ),
    stopped('first fragment ends with its options', fragment(slice(optionsThen(advertisement), 0, 8), first)),
    stopped(
      'first fragment ends within its options',
      fragment(slice(destinationOptions(talk, zeros(14)), 0, 8), first),
    ),
    stopped('first fragment without anything', fragment(slice(advertisement, 0, 0), first)),
    stopped('first fragment ends within TCP', fragment(slice(tcp(40000, 22), 0, 16), first)),
    drop(
      'first fragment ends with its options, a harmless header behind the packet',
      alice,
      concat(toBob(fragment(slice(optionsThen(serverTalk), 0, 8), first)), harmless),
    ),
    stopped(
      'two fragment headers, the first ends',
      fragment(fragment(slice(advertisement, 0, 0), first), first),
    ),
    stopped(
      'router advertisement, first fragment',
      fragment(slice(advertisement, 0, 24), first),
      alice.linkLocal,
    ),
    stopped(
      'router advertisement, first fragment behind options',
      destinationOptions(fragment(slice(advertisement, 0, 24), first)),
      alice.linkLocal,
    ),
    stopped(
      'router advertisement, first fragment with options',
      fragment(slice(optionsThen(advertisement), 0, 32), first),
      alice.linkLocal,
    ),
    stopped('DHCPv6 server, first fragment', fragment(slice(serverTalk, 0, 8), first), alice.linkLocal),
  ],
};

const hidden = (what: string, layer: Layer, dst: string): Row[] =>
  chains.map(([where, wrap]) => drop(`${what} ${where}`, alice, toGroup(wrap(layer), dst)));

export const routers: Section = {
  title: 'ICMPv6 of routers',
  because:
    "RA-Guard (RFC 6105) where no header hides the type (RFC 7113); redirects, renumbering (RFC 2894), certification paths (RFC 3971) and router discovery of multicast (RFC 4286) are the routers' too. A rule on the ICMPv6 type alone lets tagged and fragmented ones through.",
  rows: [
    pass('solicitation', alice, toGroup(routerSolicitation(), 'ff02::2')),
    pass('solicitation from ::', alice, toGroup(routerSolicitation(), 'ff02::2', '::')),
    drop(
      'solicitation from ::, with an option',
      alice,
      toGroup(
        routerSolicitation(Buffer.from(`0101${alice.mac.replaceAll(':', '')}`, 'hex')),
        'ff02::2',
        '::',
      ),
    ),
    drop(
      "solicitation from ::, the neighbour's MAC",
      alice,
      ethernet(
        { src: bob.mac, dst: multicastMac('ff02::2') },
        ipv6({ src: '::', dst: 'ff02::2' }, routerSolicitation()),
      ),
    ),
    drop('a message of its size from ::', alice, toGroup(icmpv6(128), 'ff02::2', '::')),
    drop('advertisement', alice, toGroup(advertisement, ALL_NODES)),
    drop('advertisement to one', alice, toBob(advertisement, alice.linkLocal)),
    drop("advertisement, the router's address", alice, toGroup(advertisement, ALL_NODES, router.linkLocal)),
    drop('advertisement from ::', alice, toGroup(advertisement, ALL_NODES, '::')),
    ...hidden('advertisement', advertisement, ALL_NODES),
    stopped('redirect', redirect(alice.linkLocal, '2001:db8::1'), alice.linkLocal),
    ...hidden('redirect', redirect(alice.linkLocal, '2001:db8::1'), ALL_NODES).slice(0, 5),
    ...[138, 148, 149, 150, 151].flatMap((type) => [
      drop(`type ${type}`, alice, toGroup(icmpv6(type), ALL_NODES)),
      drop(
        `type ${type} behind destination options`,
        alice,
        toGroup(destinationOptions(icmpv6(type)), ALL_NODES),
      ),
    ]),
    drop('header without message', alice, toGroup(raw(58, zeros(0)), ALL_NODES).subarray(0, 14 + 40)),
  ],
};

const alert = (layer: Layer): Layer => hopByHop(layer, IPV6_ROUTER_ALERT);

export const listeners: Section = {
  title: 'MLD',
  because:
    "Hosts report (RFC 3810), from :: as well before they have an address (RFC 3590); queries are the routers'.",
  rows: [
    pass('version 2 report', alice, toGroup(alert(mldV2Report('ff02::fb')), 'ff02::16')),
    pass('version 2 report from ::', alice, toGroup(alert(mldV2Report('ff02::fb')), 'ff02::16', '::')),
    pass('version 1 report', alice, toGroup(alert(mldV1Report('ff02::fb')), 'ff02::fb')),
    drop(
      'version 2 report from :: behind destination options',
      alice,
      toGroup(destinationOptions(mldV2Report('ff02::fb')), 'ff02::16', '::'),
    ),
    drop(
      'version 2 report from :: behind two headers',
      alice,
      toGroup(alert(destinationOptions(mldV2Report('ff02::fb'))), 'ff02::16', '::'),
    ),
    drop('version 1 report from ::', alice, toGroup(alert(mldV1Report('ff02::fb')), 'ff02::fb', '::')),
    drop(
      "version 2 report, the neighbour's address",
      alice,
      toGroup(alert(mldV2Report('ff02::fb')), 'ff02::16', bob.linkLocal),
    ),
    drop('version 1 query', alice, toGroup(alert(mldQuery(1)), ALL_NODES)),
    drop('version 2 query', alice, toGroup(alert(mldQuery(2)), ALL_NODES)),
    drop('query from ::', alice, toGroup(alert(mldQuery(2)), ALL_NODES, '::')),
    drop('query without options', alice, toGroup(mldQuery(2), ALL_NODES)),
    ...hidden('query', mldQuery(2), ALL_NODES),
  ],
};

const server = (name: string, layer: Layer, from: Machine = alice): Row =>
  drop(name, alice, toBob(layer, from.linkLocal));

export const dynamicHosts6: Section = {
  title: 'DHCPv6',
  because:
    "DHCPv6-Shield (RFC 7610): no server behind a VM's port, from whatever port it answers and behind whatever headers.",
  rows: [
    pass('solicit', alice, toGroup(dhcpv6('solicit'), 'ff02::1:2')),
    server('server: advertise', serverTalk),
    server("server: the router's address", serverTalk, router),
    server('server: to an odd port', udp(547, 4011)),
    server('server: from an odd port', udp(41800, 546)),
    ...chains.map(([where, wrap]) => server(`server: from an odd port ${where}`, wrap(udp(41800, 546)))),
    ...chains.map(([where, wrap]) => server(`server: advertise ${where}`, wrap(serverTalk))),
  ],
};
