import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { applyPolicy } from '../../examples/demo/apply-policy.ts';
import { connect } from '../../src/index.ts';
import { factsOf, renderFaithful } from '../../src/uncloud/index.ts';
import { announcements } from '../support/frames/catalogue/arp.ts';
import {
  otherBridges,
  reservedGroups,
  toTheVm,
  unlisted,
  uplinks,
} from '../support/frames/catalogue/bridge.ts';
import { catalogue, type Section } from '../support/frames/catalogue/index.ts';
import { dynamicHosts, internet } from '../support/frames/catalogue/ipv4.ts';
import { dynamicHosts6, internet6, routers } from '../support/frames/catalogue/ipv6.ts';
import { ethertypes, sources } from '../support/frames/catalogue/link-layer.ts';
import { crowded, host, plan, policy } from '../support/frames/network.ts';
import { Rig } from '../support/frames/rig.ts';
import { mislearnt, type Outcome, run } from '../support/frames/run.ts';
import { fromVm, portModel } from '../support/reference/index.ts';
import { requires } from '../support/requirements.ts';

/** Bridged packets pass the host's own hooks as well, which have no rules here. */
const BR_NETFILTER_ON =
  'for tables in iptables ip6tables arptables; do echo 1 > /proc/sys/net/bridge/bridge-nf-call-$tables; done';

const needs = requires('root', 'ip', 'bridge', 'veth');

/** Outcomes as lines, so that a failure reads as what went wrong. */
function described(outcomes: readonly Outcome[]): string[] {
  return outcomes.map(
    ({ row, arrivedAt }) => `${row.name}, from ${row.from}: ${arrivedAt.join() || 'nobody'}`,
  );
}

/** A way to enforce: how elements are kept, where rules hang, by what they know a bridge, and what is beside them. */
interface Form {
  readonly sets: 'anonymous' | 'named' | 'auto';
  readonly backend: 'bridge' | 'netdev';
  readonly ibrname: boolean;
  readonly brNetfilter: boolean;
}

/** Every set mode, on both backends, by the ports' names and by the bridge's, alone and beside br_netfilter. */
const forms: readonly Form[] = [false, true].flatMap((brNetfilter) =>
  (['bridge', 'netdev'] as const).flatMap((backend) =>
    (['anonymous', 'named', 'auto'] as const).flatMap((sets) =>
      [false, true].map((ibrname) => ({ sets, backend, ibrname, brNetfilter })),
    ),
  ),
);

const isEmulated = process.env.NFTJS_VM === 'true';

/** What asks nothing of a kernel that this one would not answer as any other: emulation is slow. */
const once = (needed: { skip: string | false }) =>
  isEmulated ? { skip: 'the same on every kernel: runs outside of the VM' } : needed;

/** Where the kernel tells a bridge's name, everybody goes by it. */
const enough = isEmulated
  ? forms.filter(({ ibrname, sets, brNetfilter }) => ibrname || (sets === 'named' && !brNetfilter))
  : forms;

for (const { sets, backend, ibrname, brNetfilter } of enough) {
  const what = `${sets} sets, backend ${backend}, by ${ibrname ? 'the bridge’s name' : 'the ports’ names'}`;
  const needed = requires(
    ...(['root', 'ip', 'bridge', 'veth'] as const),
    ...(ibrname ? (['ibrname'] as const) : []),
    ...(brNetfilter ? (['br_netfilter'] as const) : []),
  );
  const bridges = Object.entries(host.bridges).map(([name, bridge]) => [name, { ...bridge, backend }]);
  suite(`port security: ${what}${brNetfilter ? ', with br_netfilter' : ''}`, needed, () => {
    let rig: Rig;
    before(async () => {
      rig = await Rig.build(plan);
      if (brNetfilter) rig.run('sh', ['-ec', BR_NETFILTER_ON]);
      using nft = connect({ netns: rig.netns });
      const described = { ...host, sets, bridges: Object.fromEntries(bridges) };
      const facts = { ...(await factsOf(nft)), ibrname };
      await applyPolicy(nft, described, sets === 'auto' ? crowded : policy, { facts });
      const { nftables } = await nft.list({ terse: true });
      const isNamed = nftables.some((element) => 'set' in element && element.set.name === 'macs');
      assert.equal(isNamed, sets !== 'anonymous');
    });
    after(() => rig?.close());

    for (const section of catalogue) {
      test(section.title, () => {
        const wrong = run(rig, [section]).filter(({ isRight }) => !isRight);
        assert.deepEqual(described(wrong), [], section.because);
      });
    }

    test('no bridge learnt an address where it is not', () => {
      assert.ok(rig.learned().length > 0, 'the bridges learnt nothing at all');
      assert.deepEqual(mislearnt(rig), []);
    });
  });
}

test(
  'the reference model decides every frame of the catalogue as the catalogue does',
  once({ skip: false }),
  () => {
    const nics = new Map(
      Object.values(policy.vms).flatMap(({ nics }) => nics.map((nic) => [nic.ifname, nic] as const)),
    );
    let count = 0;
    for (const { title, rows } of catalogue) {
      if (title === reservedGroups.title) continue;
      for (const { name, from, frame, reaches, bridgeDrops } of rows) {
        const nic = nics.get(from);
        if (!nic || bridgeDrops) continue;
        count++;
        const { decision, reason } = fromVm(portModel(host, nic), frame);
        if (decision === 'either') assert.equal(reaches.length, 0, `${title}: ${name}: ${reason}`);
        // What may leave need not arrive: somebody else may not get it.
        else if (title !== toTheVm.title && name !== 'to a MAC that nobody knows')
          assert.equal(decision, reaches.length > 0 ? 'accept' : 'drop', `${title}: ${name}: ${reason}`);
      }
    }
    assert.ok(count > 300);
  },
);

suite('port security that knows no interface', needs, () => {
  test('keeps ports that no VM lists apart', async () => {
    using rig = await Rig.build(plan);
    using nft = connect({ netns: rig.netns });
    await applyPolicy(nft, host, policy, { facts: {} });
    run(rig, [announcements]);
    const rows = unlisted.rows.filter(({ reaches }) => reaches.length === 0);
    assert.ok(rows.length > 0);
    const wrong = run(rig, [{ ...unlisted, rows }]).filter(({ isRight }) => !isRight);
    assert.deepEqual(described(wrong), []);
  });
});

const fromOddPorts = ({ rows }: Section): string[] =>
  rows.map(({ name }) => name).filter((name) => name.startsWith('server: from an odd port'));

/**
 * The sections of which the article's rules decide as ours do, and the frames in them that they treat
 * otherwise: they know no link-local address, no DHCP client, no tag, no fragment and no server
 * that answers from another port.
 */
const faithful: readonly [section: Section, otherwise: readonly string[]][] = [
  [uplinks, []],
  [ethertypes, ['own IPv4, VID 0']],
  [sources, []],
  [internet, ['later fragment that looks like a DHCP server']],
  [dynamicHosts, ['discover', ...fromOddPorts(dynamicHosts)]],
  [internet6, ['from the link-local address', 'to a group']],
  [routers, ['solicitation', 'solicitation from ::']],
  [dynamicHosts6, ['solicit']],
  [otherBridges, []],
];

const faithfulForms = [
  { by: 'interface', ibrname: false, needed: once(needs) },
  { by: 'bridge name', ibrname: true, needed: requires('root', 'ip', 'bridge', 'veth', 'ibrname') },
];

for (const { by, ibrname, needed } of faithfulForms) {
  suite(`the article's rules, dispatched by ${by}`, needed, () => {
    let rig: Rig;
    before(async () => {
      rig = await Rig.build(plan);
      rig.forget();
      using nft = connect({ netns: rig.netns });
      await applyPolicy(nft, host, policy, { facts: { ibrname }, form: renderFaithful });
    });
    after(() => rig?.close());

    for (const [section, otherwise] of faithful) {
      test(section.title, () => {
        const outcomes = run(rig, [section]);
        const differing = outcomes
          .filter(({ row, arrivedAt }) => arrivedAt.length > 0 !== row.reaches.length > 0)
          .map(({ row }) => row.name);
        assert.deepEqual(differing, otherwise);
      });
    }
  });
}

suite('without rules', once(needs), () => {
  test('every frame that must drop gets through, but for those that bridges drop themselves', async () => {
    using rig = await Rig.build(plan);
    rig.forget();
    const hostile = run(rig, catalogue).filter(({ row }) => row.reaches.length === 0);
    assert.ok(hostile.length > 200);
    const odd = hostile.filter(
      ({ row, arrivedAt }) => (arrivedAt.length === 0) !== (row.bridgeDrops === true),
    );
    assert.deepEqual(described(odd), []);
  });
});
