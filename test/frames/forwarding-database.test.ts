import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { applyPolicy } from '../../examples/demo/apply-policy.ts';
import { connect } from '../../src/index.ts';
import { announcements } from '../support/frames/catalogue/arp.ts';
import { reserved } from '../support/frames/catalogue/bridge.ts';
import { alice, bob, host, plan, policy } from '../support/frames/network.ts';
import { type BridgePlan, Rig } from '../support/frames/rig.ts';
import { run } from '../support/frames/run.ts';
import { requires } from '../support/requirements.ts';

const guarded: Record<string, BridgePlan> = Object.fromEntries(
  Object.entries(plan).map(([name, bridge]) => [name, { ...bridge, noLinklocalLearn: true }]),
);

/** The frames of alice's, naming bob as their source, after which the bridge takes her port for his. */
function takeovers(rig: Rig): string[] {
  const placeOf = (mac: string) => rig.learned().find((learned) => learned.mac === mac)?.port;
  return reserved(bob.mac)
    .filter(({ frame }) => {
      run(rig, [announcements]);
      assert.equal(placeOf(bob.mac), bob.port);
      rig.deliver(alice.port, frame);
      return placeOf(bob.mac) !== bob.port;
    })
    .map(({ name }) => name);
}

const all = reserved(bob.mac).map(({ name }) => name);

suite(
  "frames to 01:80:c2:00:00:0X with a neighbour's source",
  requires('root', 'ip', 'bridge', 'veth'),
  () => {
    test('take the neighbour over where nothing guards the bridge', async () => {
      using rig = await Rig.build(plan);
      // Linux drops pause frames before it looks at them.
      const expected = all.filter((name) => !name.endsWith(':01'));
      assert.deepEqual(takeovers(rig), expected);
    });

    test('take nobody over under the example policy', async () => {
      using rig = await Rig.build(plan);
      using nft = connect({ netns: rig.netns });
      await applyPolicy(nft, host, policy);
      assert.deepEqual(takeovers(rig), []);
    });

    test('with no_linklocal_learn alone, still do through the first group', async () => {
      using rig = await Rig.build(guarded);
      const expected = all.filter((name) => name.endsWith(':00'));
      assert.deepEqual(takeovers(rig), expected);
    });

    test('with no_linklocal_learn and rules that know no interface, take nobody over', async () => {
      using rig = await Rig.build(guarded);
      using nft = connect({ netns: rig.netns });
      await applyPolicy(nft, host, policy, { facts: {} });
      assert.deepEqual((await nft.list({ family: 'netdev' })).nftables.slice(1), []);
      assert.deepEqual(takeovers(rig), []);
    });
  },
);
