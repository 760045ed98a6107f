import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { type Followed, follow } from '../../../src/uncloud/agent/follow.ts';
import { Records } from '../../../src/uncloud/agent/records.ts';
import { MemoryStore } from '../../../src/uncloud/index.ts';

const PREFIX = 'fw/';
const backoff = { first: 5, most: 20 };

/** Follows a store into records, as an agent does. */
function following(store: MemoryStore, records = new Records()) {
  const controller = new AbortController();
  const told: Followed[] = [];
  const end = (async () => {
    for await (const one of follow(store, PREFIX, { signal: controller.signal, backoff })) {
      told.push(one);
      records.take([one]);
    }
  })();
  return {
    told,
    records,
    values: () => Object.fromEntries([...records.entries].map(([key, { value }]) => [key, value])),
    kinds: () => told.map(({ kind }) => kind),
    async until(isSo: () => boolean) {
      for (const limit = Date.now() + 3000; !isSo(); ) {
        assert.ok(Date.now() < limit, JSON.stringify(told.map(({ kind }) => kind)));
        await new Promise((resolve) => setTimeout(resolve, 2));
      }
    },
    async stop() {
      const reason = new Error('enough');
      controller.abort(reason);
      await assert.rejects(end, (error) => error === reason);
    },
  };
}

suite('following a store', () => {
  test('lists, then tells what changes, under its prefix alone', async () => {
    await using store = new MemoryStore();
    await store.put('fw/a', '1');
    await store.put('elsewhere', '1');
    const host = following(store);
    await host.until(() => host.records.entries.size === 1);
    await store.put('fw/b', '2');
    await store.delete('fw/a');
    await store.put('elsewhere', '2');
    await host.until(() => 'fw/b' in host.values() && !('fw/a' in host.values()));
    assert.deepEqual(host.values(), { 'fw/b': '2' });
    assert.equal(host.kinds().filter((kind) => kind === 'listed').length, 1);
    await host.stop();
  });

  test('keeps what it has while the store is away, and goes on from there', async () => {
    await using store = new MemoryStore();
    await store.put('fw/a', '1');
    const host = following(store);
    await host.until(() => host.records.entries.size === 1);
    store.faults.fail();
    await host.until(() => host.kinds().filter((kind) => kind === 'lost').length >= 3);
    assert.deepEqual(host.values(), { 'fw/a': '1' });
    const waits = host.told.flatMap((one) => (one.kind === 'lost' ? [one.wait] : []));
    assert.ok(
      waits.every((wait) => wait > 0 && wait <= 20),
      String(waits),
    );
    store.faults.mend();
    await store.put('fw/b', '2');
    await host.until(() => host.records.entries.size === 2);
    assert.equal(host.kinds().filter((kind) => kind === 'listed').length, 1, 'no need to list again');
    await host.stop();
  });

  const LOST_TRACK: readonly [
    string,
    (store: MemoryStore, host: ReturnType<typeof following>) => Promise<void>,
  ][] = [
    [
      'forgot changes that it did not see',
      async (store, host) => {
        store.faults.fail();
        await host.until(() => host.kinds().includes('lost'));
        store.faults.mend();
        await store.put('fw/b', '2');
        await store.delete('fw/a');
        store.faults.compact();
      },
    ],
    [
      'went back to an older revision',
      async (store) => {
        await store.delete('fw/a');
        await store.put('fw/b', '2');
        const backup = store.faults.backup();
        await store.put('fw/a', '3');
        await store.delete('fw/b');
        store.faults.restore(backup);
      },
    ],
    [
      'is another one',
      async (store) => {
        store.faults.replace();
        await store.put('fw/b', '2');
      },
    ],
  ];
  for (const [what, happen] of LOST_TRACK) {
    test(`lists again when the store ${what}`, async () => {
      await using store = new MemoryStore();
      await store.put('fw/a', '1');
      for (let i = 0; i < 20; i++) await store.put('elsewhere', String(i));
      const host = following(store);
      await host.until(() => host.records.entries.size === 1);
      await happen(store, host);
      await host.until(() => JSON.stringify(host.values()) === '{"fw/b":"2"}');
      assert.ok(host.kinds().filter((kind) => kind === 'listed').length >= 2);
      await host.stop();
    });
  }
});

suite('records', () => {
  const entry = (key: string, value = '1') => ({ key, value, revision: 1, created: 1 });
  const listed = (...keys: string[]): Followed => ({
    kind: 'listed',
    prefix: '',
    listing: { cluster: 'c', revision: 1, entries: keys.map((key) => entry(key)) },
  });
  const hundred = Array.from({ length: 100 }, (_, i) => `vm/${i}`);
  const changed = (...keys: string[]): Followed => ({
    kind: 'changed',
    revision: 2,
    changes: keys.map((key) => ({ key })),
  });

  test('a listing without a key deletes it', () => {
    const records = new Records();
    records.take([listed('a', 'b')]);
    records.take([listed('b', 'c')]);
    assert.deepEqual([...records.entries.keys()].sort(), ['b', 'c']);
    assert.equal(records.held, undefined);
  });

  test('too many deletions at once wait for a word, however the store tells them', () => {
    for (const gone of [listed(...hundred.slice(40)), changed(...hundred.slice(0, 40))]) {
      const records = new Records();
      records.take([listed(...hundred)]);
      records.take([gone]);
      assert.equal(records.entries.size, 100);
      assert.deepEqual([records.held?.keys.length, records.held?.of], [40, 100]);
      records.confirm();
      assert.deepEqual([records.entries.size, records.held], [60, undefined]);
    }
  });

  test('what is put again meanwhile was never gone; what has its share may go', () => {
    const records = new Records({ share: 0.25, least: 10 });
    records.take([listed(...hundred)]);
    records.take([changed(...hundred.slice(0, 30))]);
    assert.equal(records.held?.keys.length, 30);
    records.take([listed(...hundred.slice(20))]);
    assert.deepEqual([records.entries.size, records.held], [80, undefined]);
  });

  test('changes of other keys go on while deletions wait', () => {
    const records = new Records();
    records.take([listed(...hundred)]);
    records.take([changed(...hundred)]);
    records.take([{ kind: 'changed', revision: 3, changes: [{ key: 'vm/new', entry: entry('vm/new') }] }]);
    assert.equal(records.entries.size, 101);
    assert.equal(records.held?.keys.length, 100);
  });
});
