import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Ruleset } from '../../src/index.ts';
import { type Kernel, withKernel } from '../support/kernel.ts';
import { requires } from '../support/requirements.ts';
import { comparable, sortedText, withoutHandles } from './comparable.ts';
import { conntrackRulesets, rulesets, typeofRulesets } from './rulesets.ts';

// Times of day are local.
process.env.TZ = 'UTC-2';

const needs = requires('root', 'netns', 'nft');
const needsConntrack = requires('root', 'netns', 'nft', 'conntrack', 'nat');

for (const [name, text] of Object.entries({ ...rulesets, ...conntrackRulesets })) {
  test(`${name}: as nft lists it, and back again`, name in conntrackRulesets ? needsConntrack : needs, () =>
    withKernel(async (kernel) => {
      kernel.load(text);
      const listing = await kernel.nft.list();
      assert.deepEqual(comparable(listing), comparable(kernel.json()));
      await roundTrip(kernel, listing);
    }),
  );
}

for (const [name, text] of Object.entries(typeofRulesets)) {
  test(`${name}: there and back again`, needs, () =>
    withKernel(async (kernel) => {
      kernel.load(text);
      await roundTrip(kernel, await kernel.nft.list());
    }),
  );
}

/** Commits a listing into another namespace, where everything must list the same. */
async function roundTrip(kernel: Kernel, listing: Ruleset): Promise<void> {
  await withKernel(async (copy) => {
    await copy.nft.commit(listing);
    assert.deepEqual(withoutHandles(await copy.nft.list()), withoutHandles(listing));
    assert.deepEqual(sortedText(copy.text()), sortedText(kernel.text()));
  });
}
