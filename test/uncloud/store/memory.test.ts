import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { MemoryStore } from '../../../src/uncloud/index.ts';
import { collect, conformance, rejects } from './conformance.ts';

conformance('in memory', { skip: false }, async () => {
  const store = new MemoryStore();
  return {
    store,
    other: store,
    many: 5_000,
    compact: async () => store.faults.compact(),
    [Symbol.asyncDispose]: () => store.close(),
  };
});

suite('faults of a store in memory', () => {
  test('it does not answer, and answers again', async () => {
    await using store = new MemoryStore();
    const { revision } = await store.list('');
    const events = collect(store, '', revision + 1);
    store.faults.fail();
    await rejects('unavailable', () => store.list(''));
    await rejects('unavailable', () => events.until(() => false));
    store.faults.mend();
    await store.put('k', '1');
    assert.equal((await store.get('k'))?.value, '1');
  });

  test('it goes back to a backup: watchers hear of it, and listing tells the older revision', async () => {
    await using store = new MemoryStore();
    await store.put('k', '1');
    const backup = store.faults.backup();
    await store.put('k', '2');
    const events = collect(store, '', (await store.list('')).revision + 1);
    store.faults.restore(backup);
    await rejects('compacted', () => events.until(() => false));
    const { entries, revision } = await store.list('');
    assert.deepEqual([entries[0]?.value, revision], ['1', backup.revision]);
  });

  test('another store is in its place: that has another name', async () => {
    await using store = new MemoryStore();
    await store.put('k', '1');
    const { cluster, revision } = await store.list('');
    const events = collect(store, '', revision + 1);
    store.faults.replace();
    await rejects('unavailable', () => events.until(() => false));
    const listing = await store.list('');
    assert.notEqual(listing.cluster, cluster);
    assert.deepEqual(listing.entries, []);
  });
});
