import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { diff, type Ruleset } from '../../src/index.ts';
import { fakeConnection } from '../../src/testing/index.ts';
import { type Commands, compileCommands } from '../../src/transaction/index.ts';
import { seed } from '../support/seed.ts';
import { commandsOf } from './agreement.ts';
import { rawRule } from './arbitrary/raw.ts';
import { type RuleCase, ruleCase } from './arbitrary/rule.ts';

// Times of day are local.
process.env.TZ = 'UTC-2';

const numRuns = Number(process.env.NFTJS_RUNS ?? 1000);

/** Whether a set is told an element twice: `host` and `unicast` are one. The kernel keeps one of them. */
function repeats(commands: Commands): boolean {
  return compileCommands(commands)
    .flat()
    .some((line) => {
      const keys = [...line.matchAll(/element ([0-9a-f ]+?) +:/g)].map(([, key]) => key);
      return new Set(keys).size < keys.length;
    });
}

/** What differs between a rule and its listing, once it is committed. */
async function difference(rule: RuleCase): Promise<readonly unknown[]> {
  using nft = fakeConnection();
  const commands = commandsOf(rule, 0) as unknown as { readonly add: object }[];
  try {
    await nft.commit(commands as unknown as Ruleset['nftables']);
  } catch {
    return [];
  }
  if (repeats(commands as unknown as Commands)) return [];
  const desired = { nftables: commands.map(({ add }) => add) } as unknown as Ruleset;
  return diff(await nft.list(), desired).nftables;
}

for (const [what, arbitrary] of [
  ['any rule', ruleCase],
  ['rules about bytes of the packet', rawRule],
] as const) {
  test(`once made, nothing differs: ${what} (NFTJS_SEED=${seed})`, () =>
    fc.assert(
      fc.asyncProperty(arbitrary, async (rule) => assert.deepEqual(await difference(rule), [])),
      { numRuns },
    ));
}
