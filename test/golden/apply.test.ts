import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { sortedText } from '../kernel/comparable.ts';
import { type Kernel, withKernel } from '../support/kernel.ts';
import { requires } from '../support/requirements.ts';
import { optionsOf, prepare, rulesetsForKernel, type SharedRuleset } from '../support/shared-rulesets.ts';
import { stable } from './kernel-vectors.ts';

// Times of day are local.
process.env.TZ = 'UTC-2';

/** What nft 1.0.6 refuses although the kernel takes it, by what it says. */
const refused: readonly (readonly [says: RegExp, why: string])[] = [
  [/Invalid set flag/, 'its JSON has no flag "dynamic"'],
  [/Left shift of \d+ bits is undefined/, 'a shift must stay within the field'],
  [/expected packet mark, expression has type/, 'a mark cannot be computed from a field'],
  [/Missing `device' in this chain/, 'its JSON knows one device a chain'],
  [/missing options/, 'its JSON has no expectations without options'],
  [/Unknown object passed to add/, 'its JSON has no object of that kind'],
  [/exit null/, 'it crashes'],
];

/** What nft 1.0.6 loads without all that the file says. */
const incomplete: Readonly<Record<string, string>> = {
  'maps__0009vmap_0.json': 'statements of elements are forgotten',
  'nft-f__0017ct_timeout_obj_0.json': 'the policy of a timeout is forgotten',
  'sets__0052overlap_0.json': 'auto-merge is forgotten',
  'sets__0054comments_set_0.json': 'comments of sets are forgotten',
  'sets__0069interval_merge_0.json': 'auto-merge is forgotten',
  'transactions__0002table_0.json': 'flags of tables are forgotten',
};

/** What nft says against the file; undefined where it loads it. */
function refusal({ run }: Kernel, { path }: SharedRuleset): string | undefined {
  try {
    run('nft', ['-j', '-f', path]);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

const rulesets = rulesetsForKernel();

suite('apply', requires('root', 'netns', 'nft', 'ip', 'bridge', 'vectors'), () => {
  test('there are rulesets', () => assert.ok(rulesets.length > 0));

  for (const shared of rulesets) {
    const { name, ruleset } = shared;
    test(`${name} is loaded as nft loads it`, optionsOf(ruleset), () =>
      withKernel((theirs) =>
        withKernel(async (ours) => {
          prepare(theirs, ruleset);
          prepare(ours, ruleset);
          const says = refusal(theirs, shared);
          await ours.nft.commit(ruleset);
          if (says !== undefined) {
            assert.ok(
              refused.some(([reason]) => reason.test(says)),
              says,
            );
          } else if (Object.hasOwn(incomplete, name)) {
            assert.notDeepEqual(
              sortedText(ours.text()),
              sortedText(theirs.text()),
              `${name} is explained, and yet the same`,
            );
          } else {
            assert.deepEqual(stable(ours.json()), stable(theirs.json()));
            assert.deepEqual(sortedText(ours.text()), sortedText(theirs.text()));
          }
        }),
      ),
    );
  }
});
