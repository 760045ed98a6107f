import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { suite, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type Command, connect } from '../../src/index.ts';
import { factsOf, parseHost, parsePolicy, type Rendering, render } from '../../src/uncloud/index.ts';
import {
  arp,
  BROADCAST,
  dhcp,
  ethernet,
  fragment,
  icmp,
  ipv4,
  ipv6,
  linkLayer,
  multicastMac,
  NA_OVERRIDE,
  neighbourAdvertisement,
  routerAdvertisement,
  tcp,
  udp,
  zeros,
} from '../support/frames/packet/index.ts';
import type { ProbeOrder, ProbeReport } from '../support/frames/probe.ts';
import { Rig } from '../support/frames/rig.ts';
import { requires } from '../support/requirements.ts';

/** How long, and how fast: what is asked of the firewall is 1,000 transactions and 10,000 frames a second. */
const SECONDS = Number(process.env.NFTJS_CHURN_SECONDS ?? 3);
const TRANSACTIONS = Number(process.env.NFTJS_CHURN_TRANSACTIONS ?? 1000);
const HOSTILE = Number(process.env.NFTJS_CHURN_FRAMES ?? 10_000);
/** After so many transactions everything is made anew, in place of what there was. */
const REPLACED = Number(process.env.NFTJS_CHURN_REPLACED ?? 5);
const LEGITIMATE = 1000;

const machine = (port: string, n: number) => ({
  port,
  mac: `02:00:00:00:00:0${n}`,
  ip: `10.0.0.${n}`,
  ip6: `2001:db8::${n}`,
});
const [victim, attacker, changing, outside] = [
  machine('v0', 1),
  machine('a0', 2),
  machine('c0', 3),
  machine('up0', 9),
];

/**
 * What stays: two VMs. What comes and goes: a third, which lives on another host and is a member of the group
 * that may come in, and members of that group.
 */
function policyWith(isThere: boolean, members: readonly string[]) {
  const nic = ({ port, mac, ip, ip6 }: typeof victim, groups: string[]) => ({
    nics: [{ ifname: port, bridge: 'br0', mac, ipv4: [`${ip}/32`], ipv6: [`${ip6}/128`], groups }],
  });
  return {
    vms: {
      victim: nic(victim, ['web']),
      attacker: nic(attacker, ['friends']),
      ...(isThere && { changing: nic(changing, ['friends']) }),
    },
    groups: {
      friends: { members: ['198.51.100.0/24', ...members] },
      web: {
        rules: [
          { direction: 'in', action: 'accept', protocol: 'udp', ports: [5001] },
          { direction: 'in', action: 'accept', protocol: 'tcp', ports: [443], from: [{ group: 'friends' }] },
        ],
      },
    },
  };
}

type Named = {
  readonly family: string;
  readonly table: string;
  readonly name: string;
  readonly elem?: readonly unknown[];
};

/** The elements of all sets of a rendering. */
function elementsOf({ ruleset }: Rendering): Map<string, { set: Named; elements: Map<string, unknown> }> {
  const found = new Map<string, { set: Named; elements: Map<string, unknown> }>();
  for (const command of ruleset.nftables) {
    const added = 'add' in command ? (command.add as { set?: Named; map?: Named }) : {};
    const set = added.set ?? added.map;
    if (!set) continue;
    const elements = new Map((set.elem ?? []).map((element) => [JSON.stringify(element), element]));
    found.set(`${set.family} ${set.name}`, { set, elements });
  }
  return found;
}

/** The elements that make one rendering of another, as one transaction; their rules have to be the same. */
function difference(from: Rendering, to: Rendering): Command[] {
  const rules = ({ ruleset }: Rendering) =>
    JSON.stringify(
      ruleset.nftables.filter((command) => JSON.stringify(command).startsWith('{"add":{"rule"')),
    );
  assert.equal(rules(from), rules(to));
  const before = elementsOf(from);
  const commands: Command[] = [];
  for (const [id, { set, elements }] of elementsOf(to)) {
    const old = before.get(id)?.elements ?? new Map();
    const place = { family: set.family, table: set.table, name: set.name } as never as {
      family: 'bridge';
      table: string;
      name: string;
    };
    const gone = [...old].filter(([text]) => !elements.has(text)).map(([, element]) => element);
    const fresh = [...elements].filter(([text]) => !old.has(text)).map(([, element]) => element);
    if (gone.length > 0) commands.push({ delete: { element: { ...place, elem: gone as never } } });
    if (fresh.length > 0) commands.push({ add: { element: { ...place, elem: fresh as never } } });
  }
  assert.ok(commands.length > 0);
  return commands;
}

const toAll = { src: attacker.mac, dst: BROADCAST };
const group = { src: attacker.mac, dst: multicastMac('ff02::1') };
const advertisement = routerAdvertisement('2001:db8:bad::');
const from = (src: string, dst = victim.ip) => ipv4({ src, dst }, icmp());

const hostile: [string, Buffer][] = [
  ...[victim.mac, changing.mac, outside.mac].map((src): [string, Buffer] => [
    attacker.port,
    ethernet({ src, dst: BROADCAST }, from(attacker.ip)),
  ]),
  ...[victim.ip, changing.ip, outside.ip, '192.0.2.1'].map((src): [string, Buffer] => [
    attacker.port,
    ethernet(toAll, from(src)),
  ]),
  ...[victim, changing, outside].flatMap(({ ip, ip6 }): [string, Buffer][] => [
    [attacker.port, ethernet(toAll, arp({ op: 2, sha: attacker.mac, spa: ip, tpa: victim.ip }))],
    [
      attacker.port,
      ethernet(
        group,
        ipv6(
          { src: attacker.ip6, dst: 'ff02::1' },
          neighbourAdvertisement(ip6, NA_OVERRIDE, linkLayer(2, attacker.mac)),
        ),
      ),
    ],
  ]),
  [attacker.port, ethernet(group, ipv6({ src: attacker.ip6, dst: 'ff02::1' }, advertisement))],
  [attacker.port, ethernet(group, ipv6({ src: attacker.ip6, dst: 'ff02::1' }, fragment(advertisement)))],
  [attacker.port, ethernet(group, ipv6({ src: attacker.ip6, dst: 'ff02::1' }, advertisement), [{ vid: 0 }])],
  [
    attacker.port,
    ethernet(toAll, ipv4({ src: attacker.ip, dst: '255.255.255.255' }, dhcp('offer', victim.mac))),
  ],
  // Past port security, but not into the group; and from outside, where nothing but the group stops it.
  [
    attacker.port,
    ethernet(
      { src: attacker.mac, dst: victim.mac },
      ipv4({ src: attacker.ip, dst: victim.ip }, tcp(40000, 22)),
    ),
  ],
  [
    outside.port,
    ethernet(
      { src: outside.mac, dst: victim.mac },
      ipv4({ src: outside.ip, dst: victim.ip }, tcp(40000, 443)),
    ),
  ],
  [
    outside.port,
    ethernet(
      { src: outside.mac, dst: victim.mac },
      ipv6({ src: outside.ip6, dst: victim.ip6 }, tcp(40000, 22)),
    ),
  ],
  [
    outside.port,
    ethernet(
      { src: outside.mac, dst: '02:00:00:00:77:01' },
      ipv4({ src: outside.ip, dst: victim.ip }, icmp()),
    ),
  ],
];

/** A stream of datagrams between two machines, with room for a number in their data. */
function stream(sender: typeof victim, receiver: typeof victim): ProbeOrder['legitimate'][number] {
  const packet = ipv4({ src: sender.ip, dst: receiver.ip }, udp(5000, 5001, zeros(32)));
  const frame = ethernet({ src: sender.mac, dst: receiver.mac }, packet);
  // Without a checksum, which the number would change (RFC 768).
  frame.writeUInt16BE(0, 14 + 20 + 6);
  return { from: sender.port, to: receiver.port, frame: frame.toString('hex'), at: frame.length - 4 };
}

interface Setting {
  readonly backend: 'bridge' | 'netdev';
  /** After so many transactions everything is made anew. */
  readonly replaced?: number;
}

const forms: readonly (Setting & { what: string })[] = [
  {
    what: 'by their elements, let no hostile frame through, and lose none of a legitimate stream',
    backend: 'bridge',
  },
  { what: 'by their elements, on the ports themselves, let none through and lose none', backend: 'netdev' },
  // The kernel takes an old chain's rules away before its hook: what it meets in between drops, by its policy.
  { what: 'by tables made anew, let no hostile frame through', backend: 'bridge', replaced: REPLACED },
  {
    what: 'by tables made anew, on the ports themselves, let none through',
    backend: 'netdev',
    replaced: REPLACED,
  },
];

suite('VMs and groups that change under attack', requires('root', 'ip', 'bridge', 'veth'), () => {
  for (const { what, ...setting } of forms) {
    test(what, { timeout: (SECONDS + 60) * 1000 }, () => attack(setting));
  }
});

async function attack({ backend, replaced = 0 }: Setting): Promise<void> {
  const host = parseHost({ bridges: { br0: { uplinks: ['up0'], backend } }, sets: 'named' });
  using rig = await Rig.build({
    br0: { ports: [victim, attacker, outside].map(({ port }) => port) },
  });
  await using nft = connect({ netns: rig.netns });
  const facts = await factsOf(nft);
  const states = [[], ['203.0.113.7'], ['203.0.113.7', '198.18.5.0/24']].flatMap((members) =>
    [true, false].map((isThere) => {
      const { policy, problems } = parsePolicy(policyWith(isThere, members), { host });
      assert.deepEqual(problems, []);
      return render({ host, policy, facts });
    }),
  );
  await nft.commit(states[0]!.ruleset);
  // The bridge learns where everybody is, as it would from the first packet.
  for (const { port, mac, ip } of [victim, attacker, outside]) {
    rig.deliver(port, ethernet({ src: mac, dst: BROADCAST }, arp({ op: 1, sha: mac, spa: ip, tpa: ip })));
  }

  const child = fork(fileURLToPath(new URL('../support/frames/probe.ts', import.meta.url)), {
    execArgv: ['--import', 'tsx'],
  });
  const gone = once(child, 'exit');
  try {
    const order: ProbeOrder = {
      netns: rig.outside,
      ports: [victim, attacker, outside].map(({ port }) => port),
      hostile: hostile.map(([port, frame]) => [port, frame.toString('hex')]),
      legitimate: [stream(victim, outside), stream(outside, victim)],
      hostilePerSecond: HOSTILE,
      legitimatePerSecond: LEGITIMATE,
    };
    child.send(order);
    await once(child, 'message');
    const start = performance.now();
    let transactions = 0;
    let state = 0;
    const steps = states.map((one, index) => difference(one, states[(index + 1) % states.length]!));
    while (performance.now() - start < SECONDS * 1000) {
      if (transactions >= ((performance.now() - start) / 1000) * TRANSACTIONS) {
        await sleep(1);
        continue;
      }
      if (replaced > 0 && transactions % replaced === replaced - 1) {
        await nft.commit(states[state]!.ruleset);
      } else {
        nft.commitSync(steps[state]!);
        state = (state + 1) % states.length;
      }
      transactions++;
    }
    const rate = transactions / ((performance.now() - start) / 1000);
    child.send('over');
    const [report] = (await once(child, 'message')) as [ProbeReport];
    if (process.env.NFTJS_TALLY) console.log({ ...report, transactions, rate });
    assert.deepEqual(report.leaked.slice(0, 5), []);
    assert.ok(report.legitimateSent > (SECONDS * LEGITIMATE) / 2);
    if (replaced === 0) assert.equal(report.legitimateSeen, report.legitimateSent);
    else assert.ok(report.legitimateSeen > report.legitimateSent / 2, `${report.legitimateSeen} arrived`);
    assert.ok(report.hostileSent >= SECONDS * HOSTILE * 0.5, `${report.hostileSent} hostile frames`);
    // A busy machine is slower; what is proved is that nothing gets through however fast it goes.
    assert.ok(transactions > (replaced || SECONDS * 20), `${rate} transactions a second`);
  } finally {
    child.kill();
    await gone;
  }
}
