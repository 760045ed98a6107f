import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import {
  type Commands,
  type Connection,
  connect,
  type RulesetElement,
  transaction,
} from '../../src/index.ts';
import { elementsOf, find, type Kernel, rulesOf, withKernel } from '../support/kernel.ts';
import { requires } from '../support/requirements.ts';

const place = { family: 'inet', table: 't' } as const;
const table = { table: { family: 'inet', name: 't' } } as const;
const set = { set: { ...place, name: 's', type: 'ipv4_addr' } } as const;
const chain = { chain: { ...place, name: 'c' } } as const;

const base = transaction().add(table, set, chain);
const elements = (...elem: readonly string[]) => ({ element: { ...place, name: 's', elem } });
const addresses = (from: number, count: number) =>
  Array.from({ length: count }, (_, i) => `10.0.${(from + i) >> 8}.${(from + i) & 255}`);

/** Two connections to one namespace. */
function withTwo(work: (one: Connection, other: Connection, kernel: Kernel) => Promise<void>): Promise<void> {
  return withKernel(async (kernel) => {
    await using other = connect({ netns: kernel.netns });
    await kernel.nft.commit(base);
    await work(kernel.nft, other, kernel);
  });
}

suite('generations', requires('root', 'netns'), () => {
  test('guard against what somebody else did since', () =>
    withTwo(async (nft, other) => {
      const generation = await nft.generation();
      await other.commit(transaction().add(elements('192.0.2.1')));
      await assert.rejects(nft.commit(transaction().add(elements('192.0.2.2')), { generation }), {
        name: 'TransactionError',
        outcome: 'refused',
        code: 'ERESTART',
        operation: undefined,
        advice: /read it again/,
      });
      assert.throws(() => nft.commitSync(transaction().add(elements('192.0.2.2')), { generation }), {
        code: 'ERESTART',
      });
      assert.deepEqual(find(await nft.list(), 'set', 's').elem, ['192.0.2.1']);
      const now = await nft.generation();
      const result = await nft.commit(transaction().add(elements('192.0.2.2')), { generation: now });
      assert.equal(result.generation, now + 1);
    }));

  test('are told by a commit: its own, not that of others', () =>
    withTwo(async (nft, other) => {
      const mine: number[] = [];
      const theirs: number[] = [];
      const add = async (connection: Connection, told: number[], from: number) => {
        for (const one of addresses(from, 40)) {
          told.push((await connection.commit(transaction().add(elements(one)))).generation);
        }
      };
      const before = await nft.generation();
      await Promise.all([add(nft, mine, 0), add(other, theirs, 100)]);
      const all = [...mine, ...theirs].sort((a, b) => a - b);
      assert.deepEqual(
        all,
        Array.from({ length: 80 }, (_, i) => before + 1 + i),
      );
    }));

  test('stay as they are where nothing was to do', () =>
    withKernel(async ({ nft }) => {
      const before = await nft.generation();
      await nft.commit([]);
      await nft.commit({ nftables: [{ metainfo: { json_schema_version: 1 } }] });
      assert.equal(await nft.generation(), before);
    }));
});

suite('at the same time', requires('root', 'netns'), () => {
  test('tell whether elements changed anything, also where that is found out by trying', () =>
    withTwo(async (nft, other) => {
      const map = { map: { ...place, name: 'm', type: 'ipv4_addr', map: 'mark' } } as const;
      const value = (mark: number) => ({ element: { ...place, name: 'm', elem: [['192.0.2.1', mark]] } });
      await nft.commit(transaction().add(map as RulesetElement));
      const ways = {
        commit: (commands: Commands) => nft.commit(commands),
        commitSync: async (commands: Commands) => nft.commitSync(commands),
      };
      for (const [name, commit] of Object.entries(ways)) {
        const step = async (commands: Commands, by: number) => {
          const before = await other.generation();
          assert.equal((await commit(commands)).generation, before + by, name);
          assert.equal(await other.generation(), before + by, name);
        };
        await step(transaction().add(elements('192.0.2.1')), 1);
        await step(transaction().add(elements('192.0.2.1')), 0);
        await step(transaction().add(elements('192.0.2.1', '192.0.2.2')), 1);
        await step(transaction().delete(elements('192.0.2.1', '192.0.2.2')), 1);
        await assert.rejects(commit(transaction().delete(elements('192.0.2.1'))), { code: 'ENOENT' });
        await step(transaction().add(value(1) as RulesetElement), 1);
        await step(transaction().add(value(1) as RulesetElement), 0);
        await assert.rejects(commit(transaction().add(value(2) as RulesetElement)), { code: 'EEXIST' });
        await assert.rejects(commit(transaction().create(elements('192.0.2.3', '192.0.2.3'))), {
          code: 'EEXIST',
        });
        await step(transaction().delete(value(1) as RulesetElement), 1);
      }
    }));

  test('commits of two connections all take effect', () =>
    withTwo(async (nft, other) => {
      const all = addresses(0, 200);
      await Promise.all(
        all.map((one, i) => (i % 2 === 0 ? nft : other).commit(transaction().add(elements(one)))),
      );
      assert.deepEqual(new Set(find(await nft.list(), 'set', 's').elem as string[]), new Set(all));
    }));

  test('commits of one connection take effect in the order they were given', () =>
    withTwo(async (nft) => {
      const rule = (comment: string) => ({
        rule: { ...place, chain: 'c', comment, expr: [{ accept: null }] as const },
      });
      const names = Array.from({ length: 100 }, (_, i) => String(i));
      // Every third has to look first, where the last rule is.
      const add = (name: string, i: number) =>
        i % 3 === 2 ? { ...rule(name).rule, index: i - 1 } : rule(name).rule;
      await Promise.all(names.map((name, i) => nft.commit(transaction().add({ rule: add(name, i) }))));
      const comments = elementsOf(await nft.list()).flatMap((element) =>
        'rule' in element ? [element.rule.comment] : [],
      );
      assert.deepEqual(comments, names);
    }));

  test('a refused one leaves its neighbours alone', () =>
    withTwo(async (nft) => {
      const results = await Promise.allSettled([
        nft.commit(transaction().add(elements('192.0.2.1'))),
        nft.commit(transaction().delete(elements('192.0.2.9'))),
        nft.commit(transaction().add(elements('192.0.2.2'))),
      ]);
      assert.deepEqual(
        results.map(({ status }) => status),
        ['fulfilled', 'rejected', 'fulfilled'],
      );
      assert.deepEqual([...(find(await nft.list(), 'set', 's').elem as string[])].sort(), [
        '192.0.2.1',
        '192.0.2.2',
      ]);
    }));

  test('a listing is the picture of one moment, whatever is committed meanwhile', () =>
    withTwo(async (nft, other) => {
      // Every commit moves all elements from one set to the other: a torn picture shows them twice, or not at all.
      const all = addresses(0, 3000);
      const twin = { set: { ...set.set, name: 'u' } };
      await nft.commit(transaction().add(twin, elements(...all)));
      let [from, to] = ['s', 'u'];
      let busy = true;
      let moves = 0;
      const moving = (async () => {
        while (busy) {
          await other.commit(
            transaction()
              .delete({ element: { ...place, name: from, elem: all } })
              .add({ element: { ...place, name: to, elem: all } }),
          );
          [from, to] = [to, from];
          moves++;
          await new Promise((resolve) => setTimeout(resolve, 15));
        }
      })();
      try {
        for (let i = 0; i < 8; i++) {
          const ruleset = await nft.list();
          const held = ['s', 'u'].map(
            (name) => ((find(ruleset, 'set', name).elem ?? []) as unknown[]).length,
          );
          assert.deepEqual(held.sort(), [0, all.length]);
        }
      } finally {
        busy = false;
        await moving;
      }
      assert.ok(moves > 1, `only ${moves} commits came between`);
    }));
});

suite('giving up', requires('root', 'netns'), () => {
  test('before it is sent: nothing takes effect', () =>
    withTwo(async (nft) => {
      const before = await nft.generation();
      const signal = AbortSignal.abort(new Error('too late'));
      for (const attempt of [
        nft.commit(transaction().delete(set), { signal }),
        nft.check(transaction().delete(set), { signal }),
        nft.list({ signal }),
        nft.interfaces({ signal }),
        nft.generation({ signal }),
      ]) {
        await assert.rejects(attempt, /too late|aborted/i);
      }
      assert.equal(await nft.generation(), before);
    }));

  test('while it waits behind others: they take effect, and it does not', () =>
    withTwo(async (nft) => {
      const control = new AbortController();
      const first = nft.commit(transaction().add(elements(...addresses(0, 5000))));
      const second = nft.commit(transaction().add(elements('192.0.2.1')), { signal: control.signal });
      control.abort();
      await Promise.all([first, assert.rejects(second, { name: 'AbortError' })]);
      assert.equal((find(await nft.list(), 'set', 's').elem as unknown[]).length, 5000);
    }));

  test('closing lets what is under way come to its end, and refuses what follows', () =>
    withTwo(async (nft, _, { netns }) => {
      const closing = connect({ netns });
      const own = { set: { ...set.set, name: 'own', elem: addresses(0, 2000) } };
      const sent = closing.commit(transaction().add(own));
      const looking = closing.commit(transaction().add(elements('192.0.2.1')));
      closing.close();
      closing.close();
      await Promise.all([sent, assert.rejects(looking, /closed/)]);
      await assert.rejects(closing.commit(transaction().add(elements('192.0.2.1'))), /closed/);
      assert.throws(() => closing.commitSync(transaction().add(elements('192.0.2.1'))), /closed/);
      const ruleset = await nft.list();
      assert.equal((find(ruleset, 'set', 'own').elem as unknown[]).length, 2000);
      assert.equal(find(ruleset, 'set', 's').elem, undefined);
    }));
});

suite('commitSync', requires('root', 'netns'), () => {
  test('does what commit does', () =>
    withTwo(async (nft, other) => {
      const { messages, bytes } = nft.commitSync(
        transaction().add(elements('192.0.2.1'), {
          rule: {
            ...place,
            chain: 'c',
            expr: [
              {
                match: { op: '==', left: { payload: { protocol: 'ip', field: 'saddr' } }, right: '@s' },
              },
              { accept: null },
            ],
          },
        }),
      );
      assert.deepEqual([messages, bytes > 100], [5, true]);
      const ruleset = await other.list();
      assert.deepEqual(find(ruleset, 'set', 's').elem, ['192.0.2.1']);
      assert.equal(rulesOf(ruleset, 'c').length, 1);
      assert.throws(() => nft.commitSync(transaction().create(set)), {
        name: 'TransactionError',
        code: 'EEXIST',
        path: 'nftables[0].create.set',
      });
    }));
});
