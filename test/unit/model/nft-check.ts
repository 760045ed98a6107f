import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { parse, type RulesetElement, stringify, type TableBuilder } from '../../../src/model/index.ts';

/**
 * Has nft load a table into a network namespace of its own, and checks that what it lists is all there:
 * chains as they were written, and as many sets, maps, objects and rules.
 */
export function checkWithNft(table: TableBuilder<never>): void {
  const { status, stdout, stderr } = spawnSync(
    'unshare',
    ['--net', 'sh', '-c', 'nft -j "$1" && nft -j list ruleset', 'sh', stringify(table)],
    { encoding: 'utf8' },
  );
  assert.equal(status, 0, stderr);
  const written = table.commands.map(({ add }) => add).filter((part) => !('element' in part));
  const listed = parse(stdout).nftables.filter((part): part is RulesetElement => !('metainfo' in part));
  assert.deepEqual(kinds(listed), kinds(written));
  assert.deepEqual(chains(listed), chains(written));
}

const kinds = (parts: readonly RulesetElement[]) => parts.flatMap((part) => Object.keys(part)).sort();

function chains(parts: readonly RulesetElement[]) {
  return parts.flatMap((part) => {
    if (!('chain' in part)) return [];
    // nft 1.0.6 lists no comments of chains in JSON, and the policy always.
    const { handle, comment, policy, ...chain } = part.chain;
    return [chain.hook ? { ...chain, policy: policy ?? 'accept' } : chain];
  });
}
