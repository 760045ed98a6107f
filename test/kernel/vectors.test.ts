import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { Ruleset } from '../../src/index.ts';
import { withKernel } from '../support/kernel.ts';
import { requires } from '../support/requirements.ts';
import { optionsOf, prepare, sharedRulesets } from '../support/shared-rulesets.ts';
import { withoutHandles } from './comparable.ts';

// Times of day are local.
process.env.TZ = 'UTC-2';

const rulesets = sharedRulesets();

suite('shared rulesets', requires('root', 'netns', 'ip', 'vectors', 'bridge'), () => {
  test('are there', () => assert.ok(rulesets.length > 100));

  for (const { name, ruleset } of rulesets) {
    test(`${name} lists as it was committed`, optionsOf(ruleset), () =>
      withKernel(async (kernel) => {
        prepare(kernel, ruleset);
        await kernel.nft.commit(ruleset);
        assert.deepEqual(listed(await kernel.nft.list()), listed(ruleset));
      }),
    );
  }
});

/** Elements by table, kind and name: versions of nft list them in different orders. Rules keep theirs. */
function listed(ruleset: Ruleset): unknown[] {
  return withoutHandles(ruleset)
    .map((element) => [placeOf(element as never), element] as const)
    .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
    .map(([, element]) => element);
}

function placeOf(element: Record<string, { family: string; table?: string; chain?: string; name: string }>) {
  const [[kind, { family, table, chain, name }]] = Object.entries(element) as [[string, never]];
  return [family, table ?? name, table === undefined ? 0 : 1, kind, kind === 'rule' ? chain : name].join(' ');
}
