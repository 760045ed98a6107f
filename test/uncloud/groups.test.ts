import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { connect } from '../../src/index.ts';
import { factsOf, parseHost, parsePolicy, render } from '../../src/uncloud/index.ts';
import {
  arp,
  authentication,
  BROADCAST,
  concat,
  destinationOptions,
  ethernet,
  fragment,
  hopByHop,
  icmp,
  ipv4,
  ipv6,
  type Layer,
  neighbourSolicitation,
  raw,
  routing,
  slice,
  type Tag,
  tcp,
  u8,
  u16,
  udp,
  zeros,
} from '../support/frames/packet/index.ts';
import { Rig } from '../support/frames/rig.ts';
import { requires } from '../support/requirements.ts';

const nic = (ifname: string, n: number, group: string) => ({
  nics: [
    {
      ifname,
      bridge: 'br0',
      mac: `02:00:00:00:00:0${n}`,
      ipv4: [`10.0.0.${n}/32`],
      ipv6: [`2001:db8::${n}/128`],
      vlans: [5],
      groups: [group],
    },
  ],
});

const policy = {
  vms: { web: nic('web0', 1, 'web'), peer: nic('peer0', 2, 'nomail') },
  groups: {
    web: { rules: [{ direction: 'in', action: 'accept', protocol: 'tcp', ports: [80] }] },
    nomail: {
      rules: [
        { direction: 'out', action: 'drop', protocol: 'tcp', ports: [25] },
        { direction: 'out', action: 'drop', protocol: 'udp', ports: [53], family: 'ip6' },
        { direction: 'in', action: 'drop', protocol: 'tcp', ports: [22] },
      ],
    },
  },
};

/** Outside, web (1) and peer (2) as ends of a frame and as addresses. */
const mac = (n: number) => `02:00:00:00:00:0${n}`;
const v4 = (src: number, dst: number, layer: Layer, more = {}) =>
  ipv4({ src: `10.0.0.${src}`, dst: `10.0.0.${dst}`, ...more }, layer);
const v6 = (src: number, dst: number, layer: Layer) =>
  ipv6({ src: `2001:db8::${src}`, dst: `2001:db8::${dst}` }, layer);

const tags: readonly (readonly [string, readonly Tag[]])[] = [
  ['', []],
  [', in its VLAN', [{ vid: 5 }]],
  [', in its VLAN, with a priority', [{ vid: 5, pcp: 3 }]],
];

const wraps: readonly (readonly [string, (layer: Layer) => Layer])[] = [
  ['', (layer) => layer],
  [' behind hop-by-hop options', (layer) => hopByHop(layer)],
  [' behind destination options', (layer) => destinationOptions(layer)],
  [' behind long ones', (layer) => destinationOptions(layer, concat(u8(0x1e, 60), zeros(60)))],
  [' behind a routing header', routing],
  [' behind two headers', (layer) => hopByHop(destinationOptions(layer))],
  [' in an atomic fragment', (layer) => fragment(layer)],
];

type Row = readonly [
  name: string,
  from: number,
  to: number,
  packet: ReturnType<typeof ipv4>,
  passes: boolean,
];

/** Data that looks like the ports of what is forbidden. */
const looksLike = (protocol: number, port: number) => raw(protocol, u16(1, port, 0, 0, 0, 0, 0, 0, 0, 0));

/** A first fragment that ends with its options; behind the packet the frame goes on with a header that may pass. */
const ending = (hidden: Layer, shown: Layer): ReturnType<typeof ipv6> => {
  const options = slice(destinationOptions(hidden), 0, 8);
  const { ethertype, bytes } = v6(9, 1, fragment(options, { moreFragments: true }));
  return { ethertype, bytes: concat(bytes, shown.bytes({ saddr: zeros(16), daddr: zeros(16) })) };
};

const rows: readonly Row[] = [
  ['TCP to 80', 9, 1, v4(9, 1, tcp(1, 80)), true],
  ['TCP to 22', 9, 1, v4(9, 1, tcp(1, 22)), false],
  ['TCP to 22 behind options', 9, 1, v4(9, 1, tcp(1, 22), { options: zeros(8) }), false],
  ['TCP to 22, first fragment', 9, 1, v4(9, 1, slice(tcp(1, 22), 0, 16), { moreFragments: true }), false],
  ['UDP to 80', 9, 1, v4(9, 1, udp(1, 80)), false],
  ['ICMP', 9, 1, v4(9, 1, icmp()), false],
  ['an unknown protocol', 9, 1, v4(9, 1, raw(253, zeros(60))), false],
  ['a neighbour solicitation', 9, 1, v6(9, 1, neighbourSolicitation('2001:db8::1')), true],
  ['mail', 2, 9, v4(2, 9, tcp(1, 25)), false],
  ['what is not mail', 2, 9, v4(2, 9, tcp(1, 26)), true],
  ['names by IPv4', 2, 9, v4(2, 9, udp(1, 53)), true],
  ['a later fragment that looks like mail', 2, 9, v4(2, 9, looksLike(6, 25), { offset: 9 }), true],
  ['a later fragment that looks like TCP to 22', 9, 2, v4(9, 2, looksLike(6, 22), { offset: 9 }), true],
  ...wraps.flatMap(([where, wrap]): Row[] => [
    [`TCP to 80 by IPv6${where}`, 9, 1, v6(9, 1, wrap(tcp(1, 80))), true],
    [`TCP to 22 by IPv6${where}`, 9, 1, v6(9, 1, wrap(tcp(1, 22))), false],
    [`mail by IPv6${where}`, 2, 9, v6(2, 9, wrap(tcp(1, 25))), false],
    [`what is not mail by IPv6${where}`, 2, 9, v6(2, 9, wrap(tcp(1, 26))), true],
    [`names by IPv6${where}`, 2, 9, v6(2, 9, wrap(udp(1, 53))), false],
  ]),
  // RFC 7112: the rest of the headers comes in the next fragment.
  ['TCP that shows port 80 where its packet ended', 9, 1, ending(tcp(1, 22), tcp(1, 80)), false],
  ['UDP that shows a DHCP server’s ports there', 9, 1, ending(udp(1, 22), udp(547, 546)), false],
  ['ICMPv6 that shows an error there', 9, 1, ending(raw(58, zeros(8)), raw(58, u8(1, 0, 0, 0))), false],
  ['TCP to 80 in a first fragment', 9, 1, v6(9, 1, fragment(tcp(1, 80), { moreFragments: true })), true],
  // Nobody sees what is behind it: an allow-list lets none of it in.
  ['TCP to 80 behind an authentication header', 9, 1, v6(9, 1, authentication(tcp(1, 80))), false],
];

for (const backend of ['bridge', 'netdev']) {
  suite(`groups, backend ${backend}`, requires('root', 'ip', 'bridge', 'veth'), () => {
    let rig: Rig;
    before(async () => {
      const host = parseHost({ bridges: { br0: { uplinks: ['up0'], backend } } });
      const { policy: valid, problems } = parsePolicy(policy, { host });
      assert.deepEqual(problems, []);
      rig = await Rig.build({ br0: { ports: ['up0', 'web0', 'peer0'] } });
      rig.forget();
      using nft = connect({ netns: rig.netns });
      // Without connections, whatever the kernel has: each frame is judged by itself.
      const facts = { ...(await factsOf(nft)), conntrack: false };
      await nft.commit(render({ host, policy: valid, facts }).ruleset);
    });
    after(() => rig?.close());

    const portOf = (n: number) => ({ 1: 'web0', 2: 'peer0' })[n] ?? 'up0';
    for (const [how, stack] of tags) {
      test(`see ports${how}, and behind what headers there are`, () => {
        const wrong = rows.filter(([, from, to, packet, passes]) => {
          const frame = ethernet({ src: mac(from), dst: mac(to) }, packet, stack);
          return rig.deliver(portOf(from), frame).arrivedAt.includes(portOf(to)) !== passes;
        });
        assert.deepEqual(
          wrong.map(([name]) => name),
          [],
        );
      });

      test(`never judge ARP${how}`, () => {
        const request = arp({ op: 1, sha: mac(9), spa: '10.0.0.9', tpa: '10.0.0.1' });
        const frame = ethernet({ src: mac(9), dst: BROADCAST }, request, stack);
        assert.deepEqual(rig.deliver('up0', frame).arrivedAt, ['web0', 'peer0']);
      });
    }
  });
}
