import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { diff, type Ruleset, reconcile } from '../../src/index.ts';
import { withKernel } from '../support/kernel.ts';
import { requires } from '../support/requirements.ts';
import { optionsOf, prepare, sharedRulesets } from '../support/shared-rulesets.ts';
import { conntrackRulesets, rulesets } from './rulesets.ts';

// Times of day are local.
process.env.TZ = 'UTC-2';

/** Makes a ruleset where nothing is: then nothing differs, neither from it nor from what is listed. */
async function settles(desired: Ruleset): Promise<void> {
  await withKernel(async (kernel) => {
    prepare(kernel, desired);
    const { nft } = kernel;
    await reconcile(nft, desired);
    assert.deepEqual((await reconcile(nft, desired)).transaction.nftables, []);
    const listing = await nft.list();
    assert.deepEqual(diff(listing, listing).nftables, []);
  });
}

suite('shared rulesets, once made', requires('root', 'netns', 'ip', 'vectors', 'bridge'), () => {
  for (const { name, ruleset } of sharedRulesets()) {
    test(`${name}: nothing differs`, optionsOf(ruleset), () => settles(ruleset));
  }
});

for (const [title, listed, needs] of [
  ['rulesets of nft, once made', rulesets, requires('root', 'netns', 'ip', 'nft', 'bridge')],
  [
    'rulesets of nft with connection tracking, once made',
    conntrackRulesets,
    requires('root', 'netns', 'ip', 'nft', 'bridge', 'conntrack', 'nat'),
  ],
] as const) {
  suite(title, needs, () => {
    for (const [name, text] of Object.entries(listed)) {
      test(`${name}: nothing differs`, async () => {
        const listing = await withKernel(async ({ nft, load }) => {
          load(text);
          const own = await nft.list();
          assert.deepEqual(diff(own, own).nftables, []);
          return own;
        });
        await settles(listing);
      });
    }
  });
}
