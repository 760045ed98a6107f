import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import ipaddr from 'ipaddr.js';
import { connect } from '../../src/index.ts';
import { Machines, ROUTER_IPV4, ROUTER_IPV6 } from '../support/frames/machines.ts';
import { alice, bob, router } from '../support/frames/network.ts';
import { PacketSocket } from '../support/frames/packet-socket.ts';
import { requires } from '../support/requirements.ts';
import { enforce, modes } from './modes.ts';

/** Advertisements of prefixes that say how they came, and a neighbour's lie, as no ordinary tool sends them. */
const SCAPY = `
from scapy.all import *
me, mac, router = sys.argv[1:4]
def ra(prefix): return ICMPv6ND_RA(routerlifetime=0) / ICMPv6NDOptPrefixInfo(prefix=prefix, prefixlen=64)
ether = lambda: Ether(src=mac, dst='33:33:00:00:00:01')
ip = lambda **more: IPv6(src=me, dst='ff02::1', hlim=255, **more)
frames = [
  ether() / ip() / IPv6ExtHdrDestOpt() / ra('2001:db8:bad:a::'),
  ether() / ip() / IPv6ExtHdrHopByHop() / IPv6ExtHdrDestOpt() / IPv6ExtHdrDestOpt() / ra('2001:db8:bad:b::'),
  ether() / Dot1Q(vlan=0) / ip() / ra('2001:db8:bad:c::'),
  ether() / ip() / IPv6ExtHdrFragment(m=0, offset=0) / ra('2001:db8:bad:d::'),
  ether() / ip() / IPv6ExtHdrDestOpt() / ICMPv6ND_NA(tgt=router, R=0, S=0, O=1) / ICMPv6NDOptDstLLAddr(lladdr=mac),
]
whole = raw(IPv6ExtHdrDestOpt(options=[PadN(optdata=b'0' * 250)]) / ra('2001:db8:bad:e::'))
for offset in range(0, len(whole), 64):
  more = 1 if offset + 64 < len(whole) else 0
  frames.append(ether() / ip() / IPv6ExtHdrFragment(nh=60, m=more, offset=offset // 8, id=7) / whole[offset:offset + 64])
sendp(frames, iface='eth0', verbose=False)
`;

/** Attacks by name, with what each does to the victim where nothing stops it. */
interface Harm {
  /** Prefixes of addresses that it made itself. */
  readonly prefixes: readonly string[];
  /** Whether it took the attacker for the router: by ARP, by neighbour discovery, by redirect or advertisement. */
  readonly believed: { readonly arp: boolean; readonly neighbour: boolean; readonly route: boolean };
  readonly leaseOf4: boolean;
  readonly leaseOf6: boolean;
  /** The lies that reached the victim: of those in fragments Linux believes none, other systems do. */
  readonly lies: readonly string[];
}

const lies = new Map([
  [134, 'router advertisement'],
  [136, 'neighbour advertisement'],
  [137, 'redirect'],
]);

/** The lie that a frame tells, and how it is wrapped; undefined where it tells none. */
function lieIn(frame: Buffer): string | undefined {
  const byte = (at: number) => frame[at] ?? 0;
  let wrapping = frame.readUInt16BE(12) === 0x8100 ? 'tagged ' : '';
  let at = wrapping ? 18 : 14;
  if (frame.readUInt16BE(at - 2) !== 0x86dd) return;
  let next = byte(at + 6);
  for (at += 40; next === 0 || next === 60 || next === 44; ) {
    if (next === 44 && frame.readUInt16BE(at + 2) >> 3 !== 0) return;
    if (next === 44) wrapping += 'fragmented ';
    else if (!wrapping.includes('hidden')) wrapping += 'hidden ';
    const length = next === 44 ? 8 : 8 * (byte(at + 1) + 1);
    [next, at] = [byte(at), at + length];
    if (at >= frame.length) return `${wrapping}something`;
  }
  if (next !== 58 || !lies.has(byte(at))) return;
  // The router may say where it is itself.
  const isTrue = byte(at) === 136 && (!about(frame, at, ROUTER_IPV6) || comesFrom(frame, router.mac));
  return isTrue ? undefined : wrapping + lies.get(byte(at));
}

const about = (frame: Buffer, at: number, address: string): boolean =>
  frame.subarray(at + 8, at + 24).equals(Buffer.from(ipaddr.parse(address).toByteArray()));

const comesFrom = (frame: Buffer, mac: string): boolean =>
  frame.toString('hex', 6, 12) === mac.replaceAll(':', '');

/** Attacks, for so long that it has to work, and longer where what is expected is not there yet. */
async function attack(machines: Machines, expected: Harm): Promise<void> {
  const { alice: victim, bob: attacker } = machines;
  const file = (name: string, content: string) => {
    const path = join(machines.directory, name);
    writeFileSync(path, content, { mode: 0o755 });
    return path;
  };
  await machines.up();
  const routerLocal = ipaddr.parse(router.linkLocal).toString();
  victim.run('ip', 'address', 'add', `${alice.ipv4}/24`, 'dev', 'eth0');
  victim.run('ip', 'address', 'add', `${alice.ipv6}/64`, 'dev', 'eth0', 'nodad');
  victim.run('ip', '-6', 'route', 'add', 'default', 'via', router.linkLocal, 'dev', 'eth0');
  attacker.run('ip', 'address', 'add', `${bob.ipv4}/24`, 'dev', 'eth0');
  attacker.run('ip', 'address', 'add', `${bob.ipv6}/64`, 'dev', 'eth0', 'nodad');
  attacker.run('sh', '-ec', 'echo 1 > /proc/sys/net/ipv6/conf/all/forwarding');
  // Addresses of the link are ready when duplicate address detection is over.
  await sleep(2500);
  for (const to of [ROUTER_IPV4, ROUTER_IPV6]) victim.run('ping', '-c', '1', '-W', '2', to);

  using card = new PacketSocket(victim.netns, 'eth0');
  const heard = new Set<string>();
  const listen = () => {
    for (let frame = card.receive(0); frame; frame = card.receive(0)) {
      const lie = lieIn(frame);
      if (lie) heard.add(lie);
    }
  };

  const radvd =
    'interface eth0 { AdvSendAdvert on; MinRtrAdvInterval 3; MaxRtrAdvInterval 4; prefix 2001:db8:bad:1::/64 {}; };';
  attacker.start(
    'radvd',
    '-n',
    '-m',
    'stderr',
    '-C',
    file('radvd.conf', radvd),
    '-p',
    join(machines.directory, 'radvd.pid'),
  );
  const dnsmasq = attacker.start(
    'dnsmasq',
    ...['--keep-in-foreground', '--no-resolv', '--no-hosts', '--port=0', '--user=root', '--log-facility=-'],
    ...[
      `--pid-file=${join(machines.directory, 'pid')}`,
      `--dhcp-leasefile=${join(machines.directory, 'leases')}`,
    ],
    ...['--interface=eth0', '--dhcp-range=10.0.0.70,10.0.0.79,2m', '--dhcp-authoritative', '--no-ping'],
  );
  attacker.start('arpspoof', '-i', 'eth0', '-t', alice.ipv4, ROUTER_IPV4);
  const evasions: string[][] = [[], ['-E', 'H'], ['-E', '1'], ['-E', 'D']];
  for (const [index, evasion] of evasions.entries()) {
    const prefix = `2001:db8:bad:${index + 2}::/64`;
    attacker.start('atk6-fake_router26', ...evasion, '-A', prefix, '-n', '2', '-i', '1', 'eth0');
  }
  attacker.start(
    'atk6-fake_advertise6',
    '-O',
    '-n',
    '4',
    '-w',
    '1',
    'eth0',
    ROUTER_IPV6,
    alice.ipv6,
    bob.mac,
  );
  attacker.start('atk6-fake_dhcps6', 'eth0', '2001:db8:bad:6::/64', '2001:db8:bad:6::53');
  const scapy = attacker.start(
    '/usr/bin/python3',
    file('attack.py', SCAPY),
    bob.linkLocal,
    bob.mac,
    ROUTER_IPV6,
  );

  const noLease = file('script', '#!/bin/sh\n[ "$1" != bound ]\n');
  const dhcp4 = victim.start('udhcpc', '-i', 'eth0', '-n', '-q', '-f', '-t', '3', '-T', '1', '-s', noLease);
  const bound = file('script6', `#!/bin/sh\n[ "$reason" != BOUND6 ] || echo "lease of $new_ip6_address"\n`);
  const files = [
    '-lf',
    join(machines.directory, 'lease6'),
    '-pf',
    join(machines.directory, 'pid6'),
    '-sf',
    bound,
  ];
  const dhcp6 = victim.start('dhclient', '-6', '-1', '-d', '-cf', '/dev/null', ...files, 'eth0');
  // A lie holds until the truth is heard again: what counts is whether it was ever believed.
  const believed = { arp: false, neighbour: false, route: false };
  const watch = async (milliseconds: number) => {
    for (const end = Date.now() + milliseconds; Date.now() < end; await sleep(150)) {
      listen();
      const entries: { dst: string; lladdr?: string }[] = JSON.parse(
        victim.run('ip', '-j', 'neigh', 'show', 'dev', 'eth0'),
      );
      const liar = (address: string) =>
        entries.some(({ dst, lladdr }) => dst === address && lladdr === bob.mac);
      believed.arp ||= liar(ROUTER_IPV4);
      believed.neighbour ||= liar(ROUTER_IPV6);
      believed.route ||= !victim
        .run('ip', '-6', 'route', 'get', '2001:db8:77::1')
        .includes(`via ${routerLocal} `);
    }
  };
  await scapy.end(10);
  await watch(2000);
  // Advertisements of the same neighbour would undo what a redirect does.
  attacker.start('atk6-redir6', 'eth0', alice.ipv6, '2001:db8:77::1', routerLocal, bob.linkLocal);
  await watch(2500);
  const tally = (): Harm => {
    const [link] = JSON.parse(victim.run('ip', '-j', '-6', 'address', 'show', 'dev', 'eth0'));
    const prefixes = ((link?.addr_info ?? []) as { local: string }[]).map(
      ({ local }) => /^2001:db8:bad:(\w+):/.exec(local)?.[1] ?? '',
    );
    return {
      prefixes: prefixes.filter((each) => each !== '').sort(),
      believed,
      leaseOf4: /lease of 10\.0\.0\.\d+ obtained/.test(dhcp4.said),
      leaseOf6: /lease of 2001:db8:bad:6/.test(dhcp6.said),
      lies: [...heard].sort(),
    };
  };
  // A busy machine takes longer to do harm.
  for (let more = 0; more < 20 && !isDeepStrictEqual(tally(), expected); more++) await watch(1000);
  await Promise.all([dhcp4.end(4), dhcp6.end(1)]);
  const harm = tally();
  if (process.env.NFTJS_TALLY)
    console.log(scapy.said, dnsmasq.said, dhcp4.said.slice(-300), dhcp6.said.slice(-600));
  assert.deepEqual(harm, expected);
}

const whole: Harm = {
  prefixes: ['1', '2', '3', '4', 'a', 'b', 'c'],
  believed: { arp: true, neighbour: true, route: true },
  leaseOf4: true,
  leaseOf6: true,
  lies: [
    'fragmented hidden something',
    'fragmented router advertisement',
    'hidden neighbour advertisement',
    'hidden router advertisement',
    'neighbour advertisement',
    'redirect',
    'router advertisement',
    'tagged router advertisement',
  ],
};

const harmless: Harm = {
  prefixes: [],
  believed: { arp: false, neighbour: false, route: false },
  leaseOf4: false,
  leaseOf6: false,
  lies: [],
};

// They wait more than they work.
suite('real attackers behind a port', {
  ...requires('root', 'ip', 'bridge', 'veth', 'clients'),
  concurrency: 4,
}, () => {
  test('do harm where nothing guards the bridge', async () => {
    await using machines = await Machines.build();
    await attack(machines, whole);
  });

  for (const mode of modes)
    test(`do none under the example policy: ${mode.name}`, async () => {
      await using machines = await Machines.build();
      using nft = connect({ netns: machines.netns });
      await enforce(nft, mode);
      await attack(machines, harmless);
    });
});
