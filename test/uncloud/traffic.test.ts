import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { connect } from '../../src/index.ts';
import { factsOf, parseHost, parsePolicy, render } from '../../src/uncloud/index.ts';
import {
  BROADCAST,
  ethernet,
  icmp,
  icmpv6,
  ipv4,
  ipv6,
  type Layer,
  neighbourSolicitation,
  raw,
  slice,
  type Tag,
  tcp,
  udp,
  zeros,
} from '../support/frames/packet/index.ts';
import { Rig } from '../support/frames/rig.ts';
import { requires } from '../support/requirements.ts';

interface Machine {
  readonly port: string;
  readonly mac: string;
  readonly ip: string;
  readonly ip6: string;
}

const machine = (port: string, n: number): Machine => ({
  port,
  mac: `02:00:00:00:00:0${n}`,
  ip: `10.0.0.${n}`,
  ip6: `2001:db8::${n}`,
});

const web = machine('web0', 1);
const peer = machine('peer0', 2);
const free = machine('free0', 3);
const trunk = machine('trunk0', 4);
const clean = machine('clean0', 5);
const mail = machine('mail0', 6);
const odd = machine('odd0', 7);
const outside = machine('up0', 9);

const nic = ({ port, mac, ip, ip6 }: Machine, more: object = {}) => ({
  nics: [{ ifname: port, bridge: 'br0', mac, ipv4: [`${ip}/32`], ipv6: [`${ip6}/128`], ...more }],
});

const policy = {
  groups: {
    friends: { members: [{ vm: 'peer' }, '203.0.113.0/24', { group: 'monitors' }] },
    monitors: { members: ['198.51.100.7', { mac: '02:00:00:00:00:77' }] },
    web: {
      rules: [
        { direction: 'in', action: 'accept', protocol: 'tcp', ports: ['80', '8000-8080'] },
        {
          direction: 'in',
          action: 'accept',
          protocol: 'tcp',
          ports: [22],
          from: [{ group: 'friends' }, '192.0.2.0/24'],
        },
        { direction: 'in', action: 'drop', protocol: 'udp', ports: [7], from: ['10.0.0.3'] },
        { direction: 'in', action: 'accept', protocol: 'udp', ports: [7, 9] },
        { direction: 'in', action: 'accept', protocol: 'icmp', types: ['echo-request'] },
        { direction: 'out', action: 'reject', protocol: 'tcp', ports: [25] },
      ],
    },
    client: {
      rules: [
        { direction: 'out', action: 'accept', protocol: 'udp', ports: [53] },
        { direction: 'out', action: 'accept', protocol: 'tcp', ports: [443], to: ['0.0.0.0/0'] },
      ],
      default: { in: 'drop' },
    },
  },
  filters: {
    relay: {
      rules: [
        { direction: 'out', action: 'drop', match: { 'tcp.dport': 25, 'ip.daddr': { not: '$RELAYS' } } },
        { direction: 'in', action: 'drop', match: { 'udp.dport': [5000, '6000-6010'] } },
        { filter: 'port-security' },
      ],
    },
    odd: {
      rules: [
        { direction: 'out', action: 'accept', match: { 'ip.saddr': { not: '$IP' } } },
        { direction: 'out', action: 'drop' },
      ],
    },
  },
  vms: {
    web: nic(web, { groups: ['web'] }),
    peer: nic(peer, { groups: ['client'] }),
    free: nic(free),
    trunk: nic(trunk, { vlans: [10, '20-21'] }),
    clean: nic(clean, { filter: 'clean-traffic' }),
    odd: nic(odd, { filter: 'odd' }),
    mail: nic(mail, { filter: 'relay', variables: { RELAYS: ['192.0.2.0/24', '10.0.0.9'] } }),
  },
};

const v4 = (from: Machine, to: Machine, layer: Layer, change: object = {}, tags: Tag[] = []) =>
  ethernet({ src: from.mac, dst: to.mac }, ipv4({ src: from.ip, dst: to.ip, ...change }, layer), tags);
const v6 = (from: Machine, to: Machine, layer: Layer, change: object = {}) =>
  ethernet({ src: from.mac, dst: to.mac }, ipv6({ src: from.ip6, dst: to.ip6, ...change }, layer));

type Row = readonly [name: string, from: Machine, frame: Buffer, passes: boolean, to?: Machine];

const SYN_ACK = 0x12;
const talk = udp(5000, 9, zeros(64));

/** What must be the same on every kernel, connections or not: what opens something. */
const rows: readonly Row[] = [
  ['HTTP', outside, v4(outside, web, tcp(40000, 80)), true],
  ['HTTP over IPv6', outside, v6(outside, web, tcp(40000, 80)), true],
  ['the last of a range', outside, v4(outside, web, tcp(40000, 8080)), true],
  ['behind a range', outside, v4(outside, web, tcp(40000, 8081)), false],
  ['SSH from anybody', outside, v4(outside, web, tcp(40000, 22)), false],
  ['SSH from a block', outside, v4(outside, web, tcp(40000, 22), { src: '192.0.2.77' }), true],
  [
    'SSH from a member that is a block',
    outside,
    v4(outside, web, tcp(40000, 22), { src: '203.0.113.5' }),
    true,
  ],
  ['SSH from beside it', outside, v4(outside, web, tcp(40000, 22), { src: '203.0.114.5' }), false],
  ["SSH from a member's member", outside, v4(outside, web, tcp(40000, 22), { src: '198.51.100.7' }), true],
  [
    "SSH from a member's MAC",
    outside,
    v4({ ...outside, mac: '02:00:00:00:00:77' }, web, tcp(40000, 22)),
    true,
  ],
  ['SSH from a VM without groups', free, v4(free, web, tcp(40000, 22)), false],
  ['SSH from a VM that may not send it', peer, v4(peer, web, tcp(40000, 22)), false],
  ['UDP to a closed port', outside, v4(outside, web, udp(5000, 4000)), false],
  ['UDP that a rule drops first', free, v4(free, web, udp(5000, 7)), false],
  ['the same from another', outside, v4(outside, web, udp(5000, 7)), true],
  ['ping', outside, v4(outside, web, icmp(8)), true],
  ['ICMP of another type', outside, v4(outside, web, icmp(13)), false],
  ['ping over IPv6', outside, v6(outside, web, icmpv6(128, zeros(20))), false],
  ['neighbour solicitation', outside, v6(outside, web, neighbourSolicitation(web.ip6)), true],
  ['from a VM: anything', web, v4(web, outside, udp(4000, 5000)), true],
  ['from a VM: SMTP', web, v4(web, outside, tcp(40000, 25)), false],
  ['from a VM: SMTP over IPv6', web, v6(web, outside, tcp(40000, 25)), false],
  [
    'a spoofed source gets no further for groups',
    web,
    v4(web, outside, udp(4000, 5000), { src: peer.ip }),
    false,
  ],
  ['a client: DNS', peer, v4(peer, outside, udp(40000, 53)), true],
  ['a client: HTTPS', peer, v4(peer, outside, tcp(40000, 443)), true],
  [
    'a client: HTTPS over IPv6, which its rule does not name',
    peer,
    v6(peer, outside, tcp(40000, 443)),
    false,
  ],
  ['a client: anything else', peer, v4(peer, outside, tcp(40000, 80)), false],
  ['to a client: HTTPS', outside, v4(outside, peer, tcp(40000, 443)), false],
  [
    'a client: DHCP',
    peer,
    ethernet(
      { src: peer.mac, dst: BROADCAST },
      ipv4({ src: '0.0.0.0', dst: '255.255.255.255' }, udp(68, 67)),
    ),
    true,
    outside,
  ],
  ['to a client: DHCP', outside, v4(outside, peer, udp(67, 68)), true],
  ['without groups: anything', outside, v4(outside, free, udp(1, 2)), true],

  ['trunk: untagged', trunk, v4(trunk, outside, talk), true],
  ['trunk: a tag of its own', trunk, v4(trunk, outside, talk, {}, [{ vid: 10 }]), true],
  ['trunk: a tag of a range', trunk, v4(trunk, outside, talk, {}, [{ vid: 21 }]), true],
  ['trunk: another tag', trunk, v4(trunk, outside, talk, {}, [{ vid: 11 }]), false],
  ['trunk: VID 0', trunk, v4(trunk, outside, talk, {}, [{ vid: 0 }]), false],
  ['trunk: 802.1ad', trunk, v4(trunk, outside, talk, {}, [{ vid: 10, tpid: 0x88a8 }]), false],
  ['trunk: stacked tags', trunk, v4(trunk, outside, talk, {}, [{ vid: 10 }, { vid: 10 }]), false],
  ['trunk: a spoofed source inside', trunk, v4(trunk, outside, talk, { src: free.ip }, [{ vid: 10 }]), false],
  ['trunk: a spoofed MAC', trunk, v4({ ...trunk, mac: free.mac }, outside, talk, {}, [{ vid: 10 }]), false],
  ['no trunk: a tag', free, v4(free, outside, talk, {}, [{ vid: 10 }]), false],
  ['to a trunk: its tag', outside, v4(outside, trunk, talk, {}, [{ vid: 20 }]), true],
  ['to a trunk: another', outside, v4(outside, trunk, talk, {}, [{ vid: 22 }]), false],

  ['clean-traffic: own address', clean, v4(clean, outside, talk), true],
  ['clean-traffic: another address', clean, v4(clean, outside, talk, { src: free.ip }), false],
  ['clean-traffic: another MAC', clean, v4({ ...clean, mac: free.mac }, outside, talk), false],
  ['clean-traffic: IPv6', clean, v6(clean, outside, talk), false],
  ['clean-traffic: to it', outside, v4(outside, clean, talk), true],
  ['clean-traffic: IPv6 to it', outside, v6(outside, clean, talk), false],
  ['own filter: SMTP to a relay', mail, v4(mail, outside, tcp(40000, 25)), true],
  [
    'own filter: SMTP to a relay in a block',
    mail,
    v4(mail, outside, tcp(40000, 25), { dst: '192.0.2.200' }),
    true,
  ],
  ['own filter: SMTP to others', mail, v4(mail, outside, tcp(40000, 25), { dst: '192.0.3.200' }), false],
  ['own filter: other ports', mail, v4(mail, outside, tcp(40000, 26), { dst: '192.0.3.200' }), true],
  ['own filter: SMTP over IPv6, which has no IPv4 address', mail, v6(mail, outside, tcp(40000, 25)), true],
  [
    'own filter: an address that must not match: another',
    odd,
    v4(odd, outside, talk, { src: free.ip }),
    true,
  ],
  ['own filter: an address that must not match: its own', odd, v4(odd, outside, talk), false],
  ['own filter: an address that must not match: none', odd, v6(odd, outside, talk), false],
  ['own filter: port security behind it', mail, v4(mail, outside, talk, { src: free.ip }), false],
  ['own filter: to it', outside, v4(outside, mail, udp(1, 6011)), true],
  ['own filter: to it, a port of a range', outside, v4(outside, mail, udp(1, 6010)), false],
];

/** Where frames are judged by themselves: answers, and what looks like them. */
const stateless: readonly Row[] = [
  ['an answer to HTTPS', outside, v4(outside, peer, tcp(443, 40000, SYN_ACK)), true],
  ['a connection from port 443', outside, v4(outside, peer, tcp(443, 40000)), false],
  ['an answer to HTTP', outside, v4(outside, peer, tcp(80, 40000, SYN_ACK)), false],
  ['an answer to DNS', outside, v4(outside, peer, udp(53, 40000)), true],
  ['a later fragment', outside, v4(outside, web, raw(17, zeros(32)), { offset: 4 }), true],
  [
    'a first fragment to a closed port',
    outside,
    v4(outside, web, slice(udp(1, 4000, zeros(64)), 0, 32), { moreFragments: true }),
    false,
  ],
  ['an error about what was sent', outside, v4(outside, peer, icmp(3)), true],
];

const plan = { br0: { ports: [web, peer, free, trunk, clean, mail, odd, outside].map(({ port }) => port) } };

for (const backend of ['bridge', 'netdev'] as const) {
  for (const sets of ['anonymous', 'named', 'auto'] as const) {
    suite(`backend ${backend}, ${sets} sets`, requires('root', 'ip', 'bridge', 'veth'), () => {
      let rig: Rig;
      before(async () => {
        rig = await Rig.build(plan);
        rig.forget();
        using nft = connect({ netns: rig.netns });
        const host = parseHost({
          bridges: { br0: { uplinks: ['up0'], mac: '02:00:00:00:01:00', backend } },
          sets,
        });
        const parsed = parsePolicy(policy, { host });
        assert.deepEqual(parsed.problems, []);
        const facts = { ...(await factsOf(nft)), conntrack: false, reject: false };
        await nft.commit(render({ host, policy: parsed.policy, facts }).ruleset);
      });
      after(() => rig?.close());

      for (const [name, from, frame, passes, to] of [...rows, ...stateless]) {
        test(name, () => {
          const { arrivedAt } = rig.deliver(from.port, frame);
          const mac = frame.toString('hex', 0, 6).replace(/(..)(?=.)/g, '$1:');
          const machines = [web, peer, free, trunk, clean, mail, odd, outside];
          const port = (to ?? machines.find((each) => each.mac === mac))?.port as string;
          assert.equal(arrivedAt.includes(port), passes);
        });
      }
    });
  }
}
