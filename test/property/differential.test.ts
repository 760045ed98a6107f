import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import type { Answer } from '../support/nft-oracle.ts';
import { requires } from '../support/requirements.ts';
import { seed } from '../support/seed.ts';
import { agree, nfts, ours, text } from './agreement.ts';
import { type RuleCase, ruleCase } from './arbitrary/rule.ts';

// Times of day are local, here and for nft.
process.env.TZ = 'UTC-2';

const cases = Number(process.env.NFTJS_CASES ?? 3000);
/** How many failures are shrunk and shown. */
const shown = 5;

suite('random rules', requires('root', 'netns', 'nft'), () => {
  test(`${cases} rules compile as nft compiles them (NFTJS_SEED=${seed})`, (t) => {
    const rules: RuleCase[] = [];
    fc.assert(
      fc.property(ruleCase, (rule) => void rules.push(rule)),
      { numRuns: cases, seed },
    );
    const mine = rules.map(ours);
    const nft = nfts(rules);
    const failures = rules.flatMap((rule, i) =>
      agree(rule, mine[i] as Answer, nft[i] as Answer) ? [] : [i],
    );
    const refused = nft.filter((answer) => 'error' in answer).length;
    const both = nft.filter((answer, i) => 'error' in answer && 'error' in (mine[i] as Answer)).length;
    t.diagnostic(`nft refuses ${refused} of ${cases}, we ${both} of those`);
    assert.ok(refused < cases / 4, 'too few of the rules are valid');
    if (failures.length === 0) return;
    const small = failures.slice(0, shown).map((index) => shrink(index));
    assert.fail(
      `${failures.length} of ${cases} differ (NFTJS_SEED=${seed} NFTJS_CASES=${cases}):\n\n${small.join('\n\n')}`,
    );
  });
});

/** The smallest case that a failing one shrinks to, and what both make of it. */
function shrink(index: number): string {
  const { counterexample } = fc.check(
    fc.property(ruleCase, (rule) => agree(rule, ours(rule, 0), nfts([rule])[0] as Answer)),
    { seed, path: String(index), numRuns: 1, interruptAfterTimeLimit: 10_000 },
  );
  if (counterexample === null) return `case ${index} does not fail alone`;
  const [rule] = counterexample;
  return [
    `case ${index}: ${JSON.stringify(rule)}`,
    `  ours: ${text(ours(rule, 0))}`,
    `  nft:  ${text(nfts([rule])[0] as Answer)}`,
  ].join('\n');
}
