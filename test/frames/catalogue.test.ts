import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { applyPolicy, factsOf } from '../../examples/demo/apply-policy.ts';
import { announcements } from '../support/frames/catalogue/arp.ts';
import { unlisted } from '../support/frames/catalogue/bridge.ts';
import { catalogue } from '../support/frames/catalogue/index.ts';
import { host, plan, policy } from '../support/frames/network.ts';
import { Rig } from '../support/frames/rig.ts';
import { mislearnt, type Outcome, run } from '../support/frames/run.ts';
import { requires } from '../support/requirements.ts';

const needs = requires('root', 'ip', 'nft', 'bridge', 'veth');

/** Outcomes as lines, so that a failure reads as what went wrong. */
function described(outcomes: readonly Outcome[]): string[] {
  return outcomes.map(
    ({ row, arrivedAt }) => `${row.name}, from ${row.from}: ${arrivedAt.join() || 'nobody'}`,
  );
}

const dispatches = [
  { by: 'interface', ibrname: false, needed: needs },
  { by: 'bridge name', ibrname: true, needed: requires('root', 'ip', 'nft', 'bridge', 'veth', 'ibrname') },
];

for (const { by, ibrname, needed } of dispatches) {
  suite(`port security, dispatched by ${by}`, needed, () => {
    let rig: Rig;
    before(async () => {
      rig = await Rig.build(plan);
      applyPolicy(rig.netns, host, policy, { ...factsOf(rig.netns), ibrname });
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
    applyPolicy(rig.netns, host, policy, {});
    run(rig, [announcements]);
    const rows = unlisted.rows.filter(({ reaches }) => reaches.length === 0);
    assert.ok(rows.length > 0);
    const wrong = run(rig, [{ ...unlisted, rows }]).filter(({ isRight }) => !isRight);
    assert.deepEqual(described(wrong), []);
  });
});

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
