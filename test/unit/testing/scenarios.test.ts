import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { fakeConnection } from '../../../src/testing/index.ts';
import { play } from './play.ts';
import { scenarios } from './scenarios/index.ts';

// test/kernel/same-suite.test.ts plays the same against the kernel.
suite('the fake kernel refuses what the kernel refuses', () => {
  for (const scenario of scenarios) {
    test(scenario.name, async () => {
      using nft = fakeConnection();
      const played = await play(nft, scenario);
      const outcomes = played.map(({ outcome }) => outcome);
      assert.deepEqual(
        outcomes,
        scenario.steps.map(({ outcome }) => outcome),
      );
      for (const [i, { outcome, generations, listing }] of played.entries()) {
        if (outcome === 'ok') continue;
        assert.equal(generations, 0, 'a refused transaction begins no generation');
        assert.deepEqual(listing, played[i - 1]?.listing ?? [], 'a refused transaction leaves all as it was');
      }
      assert.deepEqual((await nft.list()).nftables.slice(1), []);
    });
  }
});
