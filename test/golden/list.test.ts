import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { datatype } from '../../src/datatype/index.ts';
import { formatRuleset, type Ruleset, type Statement, TransactionError } from '../../src/index.ts';
import { comparable, sortedText } from '../kernel/comparable.ts';
import { type Kernel, rulesOf, withKernel } from '../support/kernel.ts';
import { type RequirementName, requires } from '../support/requirements.ts';
import { optionsOf, prepare, rulesetsForKernel } from '../support/shared-rulesets.ts';
import { withoutState } from '../unit/delinearize/vector.ts';
import { declarationsOf, objectsOf, type RuleVector, ruleGroups, stable } from './kernel-vectors.ts';

// Times of day are local.
process.env.TZ = 'UTC-2';

const needs = requires('root', 'netns', 'nft', 'ip', 'bridge', 'vectors');

/** What nft 1.0.6 lists otherwise. */
const misprinted: Readonly<Record<string, string>> = {
  'nft-f__0017ct_timeout_obj_0.json': 'an empty policy is null',
};

/** Rulesets whose text nft 1.0.6 does not read, or reads otherwise. */
const unreadable: Readonly<Record<string, string>> = {
  'bitwise__0040mark_binop_4.json': 'a shift must stay within the field',
  'bitwise__0040mark_binop_5.json': 'a shift must stay within the field',
  'bitwise__0040mark_binop_6.json': 'a mark cannot be computed from a field',
  'bitwise__0040mark_binop_9.json': 'a shift must stay within the field',
  'sets__inner_0.json': 'it knows nothing of what is inside tunnels',
};

suite('list of rulesets', needs, () => {
  for (const shared of rulesetsForKernel()) {
    const { name, path, ruleset } = shared;
    test(`${name} lists as nft lists it, and survives what is made of it`, optionsOf(ruleset), () =>
      withKernel(async (kernel) => {
        prepare(kernel, ruleset);
        const isLoaded = loads(kernel, path);
        if (!isLoaded) await kernel.nft.commit(ruleset);
        const listing = await kernel.nft.list();
        if (isLoaded && !Object.hasOwn(misprinted, name)) {
          assert.deepEqual(comparable(listing), comparable(kernel.json()));
        }
        await withKernel((copy) => writesBack(kernel, copy, listing));
        await withKernel((copy) => readsText(copy, listing, name));
      }),
    );
  }
});

function loads({ run }: Kernel, path: string): boolean {
  try {
    run('nft', ['-j', '-f', path]);
    return true;
  } catch {
    return false;
  }
}

/** A listing that is committed elsewhere lists as it was, also in nft's words. */
async function writesBack(kernel: Kernel, copy: Kernel, listing: Ruleset): Promise<void> {
  prepare(copy, listing);
  await copy.nft.commit(listing);
  assert.deepEqual(stable(await copy.nft.list()), stable(listing));
  assert.deepEqual(sortedText(copy.text()), sortedText(kernel.text()));
}

/** A listing's text makes the same ruleset when nft reads it. */
async function readsText(copy: Kernel, listing: Ruleset, name: string): Promise<void> {
  prepare(copy, listing);
  const text = formatRuleset(listing);
  const reads = async () => {
    copy.load(text);
    assert.deepEqual(stable(await copy.nft.list()), stable(listing));
  };
  if (Object.hasOwn(unreadable, name)) await assert.rejects(reads, `${name} is explained, and yet the same`);
  else await reads();
}

/** Rules that not every kernel takes: by what it is that they need, or since when it is there. */
const kernels: readonly (readonly [rule: RegExp, needs: RequirementName | string])[] = [
  [/^bridge\/reject\.t:/, 'bridge-reject'],
  [/^any\/queue\.t:/, 'queue'],
  [/^bridge\/meta\.t:.*ibrname/, 'ibrname'],
  [/^bridge\/meta\.t:.*ibrvproto/, 'ibrpvid'],
  [/^inet\/osf\.t:ip6:/, 'no kernel has osf in the family ip6'],
  [/^ip\/objects\.t:.*synproxy name tcp dport map/, 'no kernel has maps of synproxies'],
];

/** In the test VM, only rules that other kernels may not take: emulation is slow. */
function wanted(group: readonly RuleVector[]): readonly RuleVector[] {
  if (process.env.NFTJS_VM !== 'true') return group;
  return group.filter(({ id }) => kernels.some(([rule, reason]) => rule.test(id) && !reason.includes(' ')));
}

/** What nft lists without something that the kernel compares, and that recompiling would not bring back. */
const kept: Readonly<Record<string, string>> = {
  'inet/ether.t:bridge:tcp dport 22 iiftype ether ether saddr 00:0f:54:0c:11:4 accept': 'iiftype',
  'bridge/reject.t:bridge:ether type ip reject':
    'the type in the link header, where recompiling asks meta protocol',
  'bridge/reject.t:bridge:ether type ip6 reject': 'the same',
};

suite('list of rules', needs, () => {
  for (const group of needs.skip === false
    ? ruleGroups()
        .map(wanted)
        .filter(({ length }) => length > 0)
    : []) {
    const [{ family, chain, base, sets, objects }] = group as [RuleVector];
    const more = [...sets, ...objects].map(({ name }) => name).join(' ');
    test(`${family} ${chain}: ${base} ${more}`, () =>
      withKernel(async (kernel) => {
        kernel.run('ip', ['link', 'set', 'lo', 'up']);
        await kernel.nft.commit(declarationsOf(group));
        kernel.load(objectsOf(group));
        const taken = await commitAll(kernel, group);
        const listing = await kernel.nft.list();
        const listed = rulesOf(listing, chain) as Statement[][];
        assert.equal(listed.length, taken.length);
        const wrong = taken.flatMap((vector, i) => {
          const read = withoutState(listed[i] as Statement[]);
          const expected = withoutState(vector.expr_output ?? vector.expr);
          return isDeepStrictEqual(numeric(read), numeric(expected)) !== Object.hasOwn(kept, vector.id)
            ? []
            : [{ id: vector.id, read, expected }];
        });
        assert.deepEqual(wrong, []);
        await withKernel(async (copy) => {
          copy.run('ip', ['link', 'set', 'lo', 'up']);
          await copy.nft.commit(listing);
          assert.deepEqual(stable(await copy.nft.list()), stable(listing));
        });
      }));
  }
});

/** Commits all rules that the kernel takes, and answers with them; the others need a reason. */
async function commitAll({ nft }: Kernel, group: readonly RuleVector[]): Promise<readonly RuleVector[]> {
  const [{ family, table, chain }] = group as [RuleVector];
  const unexplained: string[] = [];
  let rest = group;
  for (let isDone = false; !isDone; ) {
    try {
      await nft.commit(rest.map(({ expr }) => ({ add: { rule: { family, table, chain, expr } } })));
      isDone = true;
    } catch (error) {
      if (!(error instanceof TransactionError)) throw error;
      const refused = new Map(error.refusals.map(({ operation, code }) => [operation, code]));
      rest.forEach((vector, i) => {
        const code = refused.get(i);
        if (code !== undefined && !isExplained(vector)) unexplained.push(`${code} ${vector.id}`);
      });
      rest = rest.filter((_, i) => !refused.has(i));
    }
  }
  assert.deepEqual(unexplained, []);
  return rest;
}

function isExplained({ id }: RuleVector): boolean {
  const reason = kernels.find(([rule]) => rule.test(id))?.[1];
  if (reason === undefined) return false;
  return reason.includes(' ') || requires(reason as RequirementName).skip !== false;
}

const protocols = datatype('inet_proto');

/** Names of protocols as their numbers: the vectors were listed with numbers. */
function numeric(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(numeric);
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, numeric(part)]));
  }
  if (typeof value !== 'string') return value;
  try {
    return Number(protocols.parse(value, 8));
  } catch {
    return value;
  }
}
