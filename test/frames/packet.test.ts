import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { Namespace } from '../support/frames/namespace.ts';
import {
  arp,
  BROADCAST,
  destinationOptions,
  echoRequest,
  ethernet,
  fragment,
  hopByHop,
  icmp,
  ipv4,
  ipv6,
  type Layer,
  multicastMac,
  neighbourSolicitation,
  routerAdvertisement,
  slice,
  snap,
  solicitedNode,
  type Tag,
  tcp,
  u8,
  udp,
  zeros,
} from '../support/frames/packet/index.ts';
import { PacketSocket } from '../support/frames/packet-socket.ts';
import { requires } from '../support/requirements.ts';

const we = { mac: '02:00:00:00:00:0a', ipv4: '10.0.0.1', ipv6: '2001:db8::1', linkLocal: 'fe80::ff:fe00:a' };
const kernel = {
  mac: '02:00:00:00:00:0b',
  ipv4: '10.0.0.2',
  ipv6: '2001:db8::2',
  linkLocal: 'fe80::ff:fe00:b',
};
const toKernel = { src: we.mac, dst: kernel.mac };

const v4 = (layer: Layer, change = {}) =>
  ethernet(toKernel, ipv4({ src: we.ipv4, dst: kernel.ipv4, ...change }, layer));
const v6 = (layer: Layer) => ethernet(toKernel, ipv6({ src: we.ipv6, dst: kernel.ipv6 }, layer));

/** Frames of the kernel's by what comes at which offset. */
const ARP_REPLY = [12, '0806', 20, '0002'] as const;
const ECHO_REPLY = [12, '0800', 23, '01', 34, '00'] as const;
const PORT_UNREACHABLE = [12, '0800', 23, '01', 34, '0303'] as const;
const RESET = [12, '0800', 23, '06', 47, '14'] as const;
const ADVERTISEMENT = [12, '86dd', 20, '3a', 54, '88'] as const;
const ECHO_REPLY6 = [12, '86dd', 20, '3a', 54, '81'] as const;
const PORT_UNREACHABLE6 = [12, '86dd', 20, '3a', 54, '0104'] as const;
const RESET6 = [12, '86dd', 20, '06', 67, '14'] as const;

const talk = udp(5000, 5001, u8(...Array(64).keys()));

/** What we send, and what the kernel answers to it only when headers, lengths and checksums are right. */
const exchanges: readonly (readonly [string, readonly Uint8Array[], readonly (number | string)[]])[] = [
  [
    'ARP',
    [ethernet({ ...toKernel, dst: BROADCAST }, arp({ op: 1, sha: we.mac, spa: we.ipv4, tpa: kernel.ipv4 }))],
    ARP_REPLY,
  ],
  ['ICMP', [v4(icmp())], ECHO_REPLY],
  ['IPv4 options', [v4(icmp(), { options: u8(1, 1, 1, 0) })], ECHO_REPLY],
  ['UDP', [v4(talk)], PORT_UNREACHABLE],
  ['TCP', [v4(tcp(40000, 9))], RESET],
  [
    'IPv4 fragments',
    [v4(slice(talk, 0, 32), { moreFragments: true }), v4(slice(talk, 32), { offset: 4 })],
    PORT_UNREACHABLE,
  ],
  [
    'a VLAN tag of VID 0',
    [ethernet(toKernel, ipv4({ src: we.ipv4, dst: kernel.ipv4 }, icmp()), [{ vid: 0 }])],
    ECHO_REPLY,
  ],
  [
    'a neighbour solicitation',
    [
      ethernet(
        { ...toKernel, dst: multicastMac(solicitedNode(kernel.ipv6)) },
        ipv6({ src: we.ipv6, dst: solicitedNode(kernel.ipv6) }, neighbourSolicitation(kernel.ipv6)),
      ),
    ],
    ADVERTISEMENT,
  ],
  ['ICMPv6', [v6(echoRequest())], ECHO_REPLY6],
  ['UDP over IPv6', [v6(talk)], PORT_UNREACHABLE6],
  ['TCP over IPv6', [v6(tcp(40000, 9))], RESET6],
  ['hop-by-hop options', [v6(hopByHop(echoRequest()))], ECHO_REPLY6],
  ['destination options', [v6(destinationOptions(echoRequest(), u8(0x1e, 20, ...zeros(20))))], ECHO_REPLY6],
  ['an atomic fragment', [v6(fragment(echoRequest()))], ECHO_REPLY6],
  [
    'IPv6 fragments',
    [
      v6(fragment(slice(echoRequest(), 0, 8), { moreFragments: true })),
      v6(fragment(slice(echoRequest(), 8), { offset: 1 })),
    ],
    ECHO_REPLY6,
  ],
];

suite('packets that a kernel believes', requires('root', 'ip', 'veth'), () => {
  let inside: Namespace;
  let outside: Namespace;
  let socket: PacketSocket;

  before(() => {
    inside = new Namespace();
    outside = new Namespace();
    inside.run(
      'ip',
      ['-batch', '-'],
      [
        `link add k0 address ${kernel.mac} type veth peer name k1 address ${we.mac} netns ${outside.path}`,
        `addr add ${kernel.ipv4}/24 dev k0`,
        `addr add ${kernel.ipv6}/64 dev k0 nodad`,
        'link set k0 up',
        `neigh add ${we.ipv4} lladdr ${we.mac} dev k0`,
        `neigh add ${we.ipv6} lladdr ${we.mac} dev k0`,
        '',
      ].join('\n'),
    );
    outside.run('sh', ['-ec', 'echo 1 > /proc/sys/net/ipv6/conf/k1/disable_ipv6; ip link set k1 up']);
    socket = new PacketSocket(outside.path, 'k1');
  });

  after(() => {
    socket?.close();
    outside?.close();
    inside?.close();
  });

  for (const [name, frames, answer] of exchanges) {
    test(`answers ${name}`, () => {
      while (socket.receive(0));
      for (const frame of frames) socket.send(frame);
      assert.ok(receives(socket, answer), 'no answer');
    });
  }

  const prefixed = (number: number) =>
    ipv6({ src: we.linkLocal, dst: 'ff02::1' }, routerAdvertisement(`2001:db8:${number}::`));
  const toNodes = { src: we.mac, dst: multicastMac('ff02::1') };
  const stacks: Record<string, Tag[]> = {
    'as it should be': [],
    'tagged with VID 0': [{ vid: 0 }],
    'tagged with VID 0 of 802.1ad': [{ vid: 0, tpid: 0x88a8 }],
  };
  for (const [number, [name, tags]] of Object.entries(stacks).entries()) {
    test(`configures itself by a router advertisement ${name}`, () => {
      socket.send(ethernet(toNodes, prefixed(number + 1), tags));
      assert.match(
        inside.run('ip', ['-6', 'address', 'show', 'dev', 'k0']),
        new RegExp(`2001:db8:${number + 1}:`),
      );
    });
  }

  test('does not by one that is tagged with VID 5, or in SNAP', () => {
    socket.send(ethernet(toNodes, prefixed(8), [{ vid: 5 }]));
    socket.send(snap(toNodes, prefixed(9)));
    assert.doesNotMatch(inside.run('ip', ['-6', 'address', 'show', 'dev', 'k0']), /2001:db8:[89]:/);
  });
});

/** Whether a frame with these bytes at these offsets comes within a second of the one before it. */
function receives(socket: PacketSocket, pattern: readonly (number | string)[]): boolean {
  for (;;) {
    const frame = socket.receive(1000)?.toString('hex');
    if (frame === undefined) return false;
    const isIt = pattern.every((part, at) => {
      const offset = pattern[at - 1];
      return typeof offset !== 'number' || frame.startsWith(String(part), offset * 2);
    });
    if (isIt) return true;
  }
}
