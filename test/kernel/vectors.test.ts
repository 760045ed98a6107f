import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { parse, type Ruleset } from '../../src/index.ts';
import { elementsOf, withKernel } from '../support/kernel.ts';
import { type RequirementName, requires, vectorsDirectory } from '../support/requirements.ts';
import { withoutHandles } from './comparable.ts';

// Times of day are local.
process.env.TZ = 'UTC-2';

const directory = join(vectorsDirectory, 'rulesets');
const files = existsSync(directory) ? readdirSync(directory).filter((file) => file.endsWith('.json')) : [];

suite('shared rulesets', requires('root', 'netns', 'ip', 'vectors', 'bridge'), () => {
  test('are there', () => assert.ok(files.length > 100));

  for (const file of files) {
    const ruleset = parse(readFileSync(join(directory, file), 'utf8'));
    test(`${file} lists as it was committed`, options(ruleset), () =>
      withKernel(async ({ nft, run }) => {
        run('ip', ['link', 'set', 'lo', 'up']);
        for (const device of devicesOf(ruleset)) run('ip', ['link', 'add', device, 'type', 'bridge']);
        await nft.commit(ruleset);
        assert.deepEqual(listed(await nft.list()), listed(ruleset));
      }),
    );
  }
});

function options(ruleset: Ruleset): { skip: string | false } {
  const kinds = new Set(elementsOf(ruleset).flatMap((element) => Object.keys(element)));
  if (kinds.has('secmark')) return { skip: 'security marks need a security module' };
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
