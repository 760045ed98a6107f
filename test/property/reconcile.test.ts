import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { type DiffOptions, diff, type Rule, type Ruleset, reconcile } from '../../src/index.ts';
import { withoutHandles } from '../kernel/comparable.ts';
import { elementsOf, type Kernel, withKernel } from '../support/kernel.ts';
import { requires } from '../support/requirements.ts';
import { ruleset } from './tables.ts';
import '../support/seed.ts';

const numRuns = Number(process.env.NFTJS_RUNS ?? 40);

type Node = Record<string, unknown>;

/** A listing whose order is that of the rules alone, without what was counted. */
function comparable(listing: Ruleset): unknown {
  const rules: Record<string, unknown[]> = {};
  const things: string[] = [];
  for (const element of withoutHandles(listing)) {
    const [[kind, node]] = Object.entries(element as object) as [[string, Node]];
    const text = JSON.stringify(uncounted({ [kind]: node }), (_, part) =>
      typeof part === 'object' && part !== null && !Array.isArray(part)
        ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
        : part,
    );
    if (kind !== 'rule') things.push(text);
    else (rules[`${node.family} ${node.table} ${node.chain}`] ??= []).push(text);
  }
  return { rules, things: things.sort() };
}

function uncounted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(uncounted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key]) => key !== 'packets' && key !== 'used')
      .map(([key, part]) => [key, key === 'counter' ? counterName(part) : uncounted(part)]),
  );
}

/** A counter is a name, an object that has one, or nothing but values. */
function counterName(counter: unknown): unknown {
  if (typeof counter !== 'object' || counter === null) return counter;
  const { packets: _, bytes: __, ...rest } = counter as Node;
  return rest;
}

const place = { family: 'ip', table: 'foreign' } as const;
const foreign: Ruleset['nftables'] = [
  { table: { family: 'ip', name: 'foreign' } },
  { counter: { ...place, name: 'c', packets: 5, bytes: 500 } },
  { chain: { ...place, name: 'c', type: 'filter', hook: 'input', prio: 5, policy: 'drop' } },
  { rule: { ...place, chain: 'c', expr: [{ counter: { packets: 1, bytes: 2 } }, { accept: null }] } },
  { table: { family: 'ip6', name: 't' } },
  { set: { family: 'ip6', table: 't', name: 's', type: 'ipv6_addr', elem: ['::1'] } },
];

const empty = async ({ nft }: Kernel) => void (await nft.commit([{ flush: { ruleset: null } }]));
/** The rules by their handles, which are unique in a table as long as that is not made anew. */
function rulesOf(listing: Ruleset): Map<string, Rule> {
  const tables = new Map<string, unknown>();
  const rules = new Map<string, Rule>();
  for (const element of elementsOf(listing)) {
    if ('table' in element) tables.set(`${element.table.family} ${element.table.name}`, element.table.handle);
    if (!('rule' in element)) continue;
    const { family, table, handle } = element.rule;
    rules.set(`${tables.get(`${family} ${table}`)} ${handle}`, element.rule);
  }
  return rules;
}

const others = (listing: Ruleset) =>
  elementsOf(listing).filter((element) => {
    const [[kind, node]] = Object.entries(element) as [[string, Node]];
    return !['inet t', 'ip u'].includes(`${node.family} ${kind === 'table' ? node.name : node.table}`);
  });

async function check(kernel: Kernel, fresh: Kernel, from: Ruleset, to: Ruleset, options: DiffOptions) {
  await empty(kernel);
  await empty(fresh);
  await kernel.nft.commit([...foreign, ...from.nftables]);
  await fresh.nft.commit(to);
  const before = await kernel.nft.list();
  await reconcile(kernel.nft, to, options);
  const after = await kernel.nft.list();
  const mine = { nftables: elementsOf(after).filter((element) => !others(after).includes(element)) };
  assert.deepEqual(comparable(mine), comparable(await fresh.nft.list()));
  assert.deepEqual(others(after), others(before));

  const again = await reconcile(kernel.nft, to, options);
  assert.deepEqual(again.transaction.nftables, []);
  assert.equal(again.changed, false);
  // A listing is as good a desire as what it is a listing of.
  assert.deepEqual(diff(after, await fresh.nft.list(), options).nftables, []);

  // A rule that is replaced may keep its handle.
  if (options.key !== undefined) return;
  const old = rulesOf(before);
  for (const [handle, rule] of rulesOf(after)) {
    const same = old.get(handle);
    if (same !== undefined) assert.deepEqual(rule, same, 'a rule that stays is what it was');
  }
}

suite('reconcile', requires('root', 'netns'), () => {
  const pairs = (options: DiffOptions) =>
    withKernel((kernel) =>
      withKernel((fresh) =>
        fc.assert(
          fc.asyncProperty(ruleset, ruleset, async (from, to) => {
            await check(kernel, fresh, from, to, options);
          }),
          { numRuns },
        ),
      ),
    );

  test('from any ruleset to any other, by content', () => pairs({}));
  test('from any ruleset to any other, by key', () => pairs({ key: ({ comment }: Rule) => comment }));

  test('to itself: nothing is sent', () =>
    withKernel(({ nft }) =>
      fc.assert(
        fc.asyncProperty(ruleset, async (one) => {
          await nft.commit([{ flush: { ruleset: null } }]);
          await nft.commit(one);
          const { transaction, changed } = await reconcile(nft, one);
          assert.deepEqual(transaction.nftables, []);
          assert.equal(changed, false);
        }),
        { numRuns },
      ),
    ));

  test('what is listed and committed elsewhere lists the same there', () =>
    withKernel((kernel) =>
      withKernel((other) =>
        fc.assert(
          fc.asyncProperty(ruleset, async (one) => {
            await empty(kernel);
            await empty(other);
            await kernel.nft.commit(one);
            const { ruleset: listed } = await kernel.nft.snapshot();
            await other.nft.commit(listed);
            assert.deepEqual(comparable(await other.nft.list()), comparable(listed));
          }),
          { numRuns },
        ),
      ),
    ));
});
