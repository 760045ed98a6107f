import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { release } from 'node:os';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { diff, parse, type Ruleset, reconcile, stringify } from '../../src/index.ts';
import { elementsOf, withKernel } from '../support/kernel.ts';
import { type RequirementName, requires, vectorsDirectory } from '../support/requirements.ts';
import { conntrackRulesets, rulesets } from './rulesets.ts';

// Times of day are local.
process.env.TZ = 'UTC-2';

const directory = join(vectorsDirectory, 'rulesets');
const files = existsSync(directory) ? readdirSync(directory).filter((file) => file.endsWith('.json')) : [];

/** Makes a ruleset where nothing is: then nothing differs, neither from it nor from what is listed. */
async function settles(desired: Ruleset): Promise<void> {
  await withKernel(async ({ nft, run }) => {
    run('ip', ['link', 'set', 'lo', 'up']);
    for (const device of devicesOf(desired)) run('ip', ['link', 'add', device, 'type', 'bridge']);
    await reconcile(nft, desired);
    assert.deepEqual((await reconcile(nft, desired)).transaction.nftables, []);
    const listing = await nft.list();
    assert.deepEqual(diff(listing, listing).nftables, []);
  });
}

suite('shared rulesets, once made', requires('root', 'netns', 'ip', 'vectors', 'bridge'), () => {
  for (const file of files) {
    const ruleset = parse(readFileSync(join(directory, file), 'utf8'));
    test(`${file}: nothing differs`, options(ruleset), () => settles(ruleset));
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

function options(ruleset: Ruleset): { skip: string | false } {
  const kinds = new Set(elementsOf(ruleset).flatMap((element) => Object.keys(element)));
  if (kinds.has('secmark')) return { skip: 'security marks need a security module' };
  if (kernelVersion() < 6.02 && stringify(ruleset).includes('"tunnel"')) {
    return { skip: 'Linux 6.2 is the first to look into tunnels' };
  }
  const needs: RequirementName[] = kinds.has('flowtable') ? ['flowtable'] : [];
  return requires(...needs);
}

function devicesOf(ruleset: Ruleset): Set<string> {
  const named = elementsOf(ruleset).flatMap((element) => {
    const node = 'chain' in element ? element.chain : 'flowtable' in element ? element.flowtable : undefined;
    return node?.dev ?? [];
  });
  return new Set(named.filter((device) => device !== 'lo'));
}

/** `6.1.0-37-cloud-amd64` is 6.01. */
function kernelVersion(): number {
  const [major = 0, minor = 0] = release().split('.').map(Number);
  return major + minor / 100;
}
