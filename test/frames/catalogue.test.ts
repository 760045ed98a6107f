import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { applyPolicy } from '../../examples/demo/apply-policy.ts';
import { connect } from '../../src/index.ts';
import { factsOf, renderFaithful } from '../../src/uncloud/index.ts';
import { announcements } from '../support/frames/catalogue/arp.ts';
import { otherBridges, unlisted, uplinks } from '../support/frames/catalogue/bridge.ts';
import { catalogue, type Section } from '../support/frames/catalogue/index.ts';
import { dynamicHosts, internet } from '../support/frames/catalogue/ipv4.ts';
import { dynamicHosts6, internet6, routers } from '../support/frames/catalogue/ipv6.ts';
import { ethertypes, sources } from '../support/frames/catalogue/link-layer.ts';
import { host, plan, policy } from '../support/frames/network.ts';
import { Rig } from '../support/frames/rig.ts';
import { mislearnt, type Outcome, run } from '../support/frames/run.ts';
import { requires } from '../support/requirements.ts';

const needs = requires('root', 'ip', 'bridge', 'veth');

/** Outcomes as lines, so that a failure reads as what went wrong. */
function described(outcomes: readonly Outcome[]): string[] {
  return outcomes.map(
    ({ row, arrivedAt }) => `${row.name}, from ${row.from}: ${arrivedAt.join() || 'nobody'}`,
  );
}

const forms = [
  { by: 'interface', sets: 'anonymous', ibrname: false, needed: needs },
  { by: 'interface', sets: 'named', ibrname: false, needed: needs },
  {
    by: 'bridge name',
    sets: 'anonymous',
    ibrname: true,
    needed: requires('root', 'ip', 'bridge', 'veth', 'ibrname'),
  },
] as const;

for (const { by, sets, ibrname, needed } of forms) {
  suite(`port security by ${sets} sets, dispatched by ${by}`, needed, () => {
    let rig: Rig;
    before(async () => {
      rig = await Rig.build(plan);
      using nft = connect({ netns: rig.netns });
      await applyPolicy(nft, { ...host, sets }, policy, { facts: { ...(await factsOf(nft)), ibrname } });
      const named = (await nft.list({ terse: true })).nftables.filter((element) => 'set' in element);
      assert.equal(named.length > 0, sets === 'named');
    });
    after(() => rig?.close());

    for (const section of catalogue) {
      test(section.title, () => {
        const wrong = run(rig, [section]).filter(({ isRight }) => !isRight);
        assert.deepEqual(described(wrong), []);
      });
    }

    test('no bridge learnt an address where it is not', () => {
      assert.ok(rig.learned().length > 0, 'the bridges learnt nothing at all');
      assert.deepEqual(mislearnt(rig), []);
    });
  });
}

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
  { by: 'interface', ibrname: false, needed: needs },
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

suite('without rules', needs, () => {
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
