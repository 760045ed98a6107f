import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { type Store, StoreError, type StoreErrorCode, type StoreEvent } from '../../../src/uncloud/index.ts';

/** A store under test, empty at first. */
export interface Subject extends AsyncDisposable {
  readonly store: Store;
  /** Another view of the same store, as another process has it. */
  readonly other: Store;
  /** So many keys are more than one answer holds. */
  readonly many: number;
  /** Has the store forget its old changes. */
  compact(): Promise<void>;
}

const PREFIX = 'distributed-firewall/';

/** What every store does: the same tests over each kind. */
export function conformance(
  name: string,
  options: { skip: string | false },
  open: () => Promise<Subject>,
): void {
  const on = (what: string, work: (subject: Subject) => Promise<void>) =>
    test(what, async () => {
      await using subject = await open();
      await work(subject);
    });

  suite(`a store ${name}`, options, () => {
    on('is empty at first', async ({ store }) => {
      const { entries, revision, cluster } = await store.list(PREFIX);
      assert.deepEqual(entries, []);
      assert.ok(Number.isSafeInteger(revision) && revision > 0, String(revision));
      assert.ok(cluster.length > 0);
      assert.equal(await store.get(`${PREFIX}vm/1`), undefined);
    });

    on('lists what was put, in order, with revisions that grow and ages that stay', async ({ store }) => {
      const before = (await store.list(PREFIX)).revision;
      const second = await store.put(`${PREFIX}vm/b`, '{"n":1}');
      const first = await store.put(`${PREFIX}vm/a`, '{"n":2}');
      const again = await store.put(`${PREFIX}vm/b`, '{"n":3}');
      assert.ok(before < second && second < first && first < again, `${[before, second, first, again]}`);
      const listing = await store.list(PREFIX);
      assert.deepEqual(
        listing.entries.map(({ key, value, revision }) => [key, value, revision]),
        [
          [`${PREFIX}vm/a`, '{"n":2}', first],
          [`${PREFIX}vm/b`, '{"n":3}', again],
        ],
      );
      assert.equal(listing.revision, again);
      const [a, b] = listing.entries;
      assert.ok(a && b && b.created < a.created && b.created <= second, 'b is older than a');
      assert.deepEqual(await store.get(`${PREFIX}vm/b`), b);
    });

    on('lists a prefix and nothing beside it', async ({ store }) => {
      for (const key of ['a/x/1', 'a/x/2', 'a/xy/1', 'a/w', 'b']) await store.put(key, key);
      const keys = async (prefix: string) => (await store.list(prefix)).entries.map(({ key }) => key);
      assert.deepEqual(await keys('a/x/'), ['a/x/1', 'a/x/2']);
      assert.deepEqual(await keys('a/x'), ['a/x/1', 'a/x/2', 'a/xy/1']);
      assert.deepEqual(await keys('c'), []);
      assert.deepEqual(await keys(''), ['a/w', 'a/x/1', 'a/x/2', 'a/xy/1', 'b']);
    });

    on('keeps any text', async ({ store, other }) => {
      const texts = ['', 'not JSON', '{"ü":"€ 😀 "}\n', 'x'.repeat(300_000), '{"half":'];
      for (const [i, text] of texts.entries()) await store.put(`text/${i}`, text);
      assert.deepEqual(
        (await other.list('text/')).entries.map(({ value }) => value),
        texts,
      );
    });

    on('lists more than one answer holds', async ({ store, many }) => {
      const keys = Array.from({ length: many }, (_, i) => `many/${String(i).padStart(5, '0')}`);
      for (let i = 0; i < keys.length; i += 50)
        await Promise.all(keys.slice(i, i + 50).map((key) => store.put(key, key)));
      const { entries } = await store.list('many/');
      assert.deepEqual(
        entries.map(({ value }) => value),
        keys,
      );
    });

    on('puts only what is as expected', async ({ store, other }) => {
      const first = await store.put('k', '1', { expected: 0 });
      await rejects('conflict', () => other.put('k', '2', { expected: 0 }));
      await rejects('conflict', () => other.put('k', '2', { expected: first + 1 }));
      assert.equal((await other.get('k'))?.value, '1');
      const { revision } = (await other.get('k')) ?? assert.fail();
      await other.put('k', '2', { expected: revision });
      await rejects('conflict', () => store.put('k', '3', { expected: first }));
      assert.equal((await store.get('k'))?.value, '2');
    });

    on('loses no update of two writers', async ({ store, other }) => {
      await store.put('count', '0');
      const raise = async (writer: Store) => {
        for (let done = 0; done < 15; ) {
          const { value, revision } = (await writer.get('count')) ?? assert.fail();
          try {
            await writer.put('count', String(Number(value) + 1), { expected: revision });
            done++;
          } catch (error) {
            if (!(error instanceof StoreError && error.code === 'conflict')) throw error;
          }
        }
      };
      await Promise.all([raise(store), raise(other), raise(store), raise(other)]);
      assert.equal((await store.get('count'))?.value, '60');
    });

    on('deletes, as expected where that is asked', async ({ store, other }) => {
      assert.equal(await store.delete('k'), false);
      await store.put('k', '1');
      const { revision } = (await other.get('k')) ?? assert.fail();
      await rejects('conflict', () => other.delete('k', { expected: revision - 1 }));
      assert.equal(await other.delete('k', { expected: revision }), true);
      assert.equal(await store.get('k'), undefined);
      assert.equal(await store.delete('k'), false);
      await store.put('k', '2', { expected: 0 });
      assert.equal((await other.get('k'))?.value, '2');
    });

    on('tells every change after a listing, and no other', async ({ store, other }) => {
      await store.put('w/old', '0');
      const { revision, cluster } = await store.list('w/');
      await store.put('w/a', '1');
      const events = collect(store, 'w/', revision + 1);
      await store.put('other', 'x');
      await other.put('w/a', '2');
      await other.delete('w/old');
      await store.put('w/sub/b', '3');
      const seen = await events.until(
        (state) => state.get('w/sub/b') === '3' && state.get('w/a') === '2' && !state.has('w/old'),
      );
      assert.deepEqual(Object.fromEntries(seen), { 'w/a': '2', 'w/sub/b': '3' });
      await events.stop();
      assert.ok(events.all.every((event) => event.cluster === cluster));
      assert.ok(events.all.every(({ changes }) => changes.every(({ key }) => key.startsWith('w/'))));
      const revisions = events.all.map((event) => event.revision);
      assert.deepEqual(
        revisions,
        [...revisions].sort((a, b) => a - b),
        'revisions grow',
      );
    });

    on('tells the same from any revision that it knows', async ({ store }) => {
      const { revision } = await store.list('');
      for (let i = 0; i < 5; i++) await store.put('k', String(i));
      const middle = (await store.get('k'))?.revision ?? 0;
      for (let i = 5; i < 10; i++) await store.put('k', String(i));
      for (const [from, first] of [
        [revision + 1, '0'],
        [middle, '4'],
        [middle + 1, '5'],
      ] as const) {
        const events = collect(store, '', from);
        await events.until((state) => state.get('k') === '9');
        await events.stop();
        const told = events.all.flatMap(({ changes }) => changes.map(({ entry }) => entry?.value));
        assert.deepEqual(
          told,
          Array.from({ length: 10 - Number(first) }, (_, i) => String(i + Number(first))),
        );
      }
    });

    on('says at once that it is well', async ({ store }) => {
      const { revision } = await store.list('');
      const watch = store.watch('', revision + 1)[Symbol.asyncIterator]();
      await store.put('k', '1');
      const { value } = await watch.next();
      assert.ok(value.revision >= revision, String(value.revision));
      await watch.return?.();
    });

    on('says when changes are no longer known, or not yet', async (subject) => {
      const { revision } = await subject.store.list('');
      for (let i = 0; i < 5; i++) await subject.store.put('k', String(i));
      await subject.compact();
      const { store } = subject;
      await rejects('compacted', () => drain(store.watch('', revision + 1)));
      await rejects('compacted', () => drain(store.watch('', Number.MAX_SAFE_INTEGER - 1)));
      const listing = await store.list('');
      assert.deepEqual(
        listing.entries.map(({ value }) => value),
        ['4'],
      );
      const events = collect(store, '', listing.revision + 1);
      await store.put('k', 'new');
      await events.until((state) => state.get('k') === 'new');
      await events.stop();
    });

    on('stops watching when asked', async ({ store }) => {
      const { revision } = await store.list('');
      const reason = new Error('enough');
      const controller = new AbortController();
      const watching = drain(store.watch('', revision + 1, { signal: controller.signal }));
      setTimeout(() => controller.abort(reason), 50);
      await assert.rejects(watching, (error) => error === reason);
      const early = AbortSignal.abort(reason);
      const is = (error: unknown) => error === reason;
      await assert.rejects(store.list('', { signal: early }), is);
      await assert.rejects(store.get('k', { signal: early }), is);
      await assert.rejects(store.put('k', '1', { signal: early }), is);
      await assert.rejects(store.delete('k', { signal: early }), is);
      assert.deepEqual((await store.list('')).entries, []);
    });

    on('lets a key go when its time is over, unless it is put again', async ({ store, other }) => {
      const { revision } = await store.list('');
      const events = collect(other, '', (await other.list('')).revision + 1);
      assert.ok(revision > 0);
      await store.put('short', '1', { ttl: 1 });
      await store.put('kept', '1', { ttl: 1 });
      await store.put('fixed', '1', { ttl: 1 });
      await store.put('fixed', '2');
      const keep = setInterval(() => void store.put('kept', '2', { ttl: 30 }), 300);
      try {
        await events.until((state) => state.get('kept') === '2');
        await events.until((state) => !state.has('short'), 8000);
      } finally {
        clearInterval(keep);
      }
      await pause(1200);
      await events.stop();
      const { entries } = await store.list('');
      assert.deepEqual(
        entries.map(({ key, value }) => [key, value]),
        [
          ['fixed', '2'],
          ['kept', '2'],
        ],
      );
    });

    on('refuses what is no key', async ({ store }) => {
      const wrong = ['', '/', 'a//b', '/a', 'a/', '../a', 'a/./b', 'a/.hidden', 'a\0b', 'a\nb', 'a\\b'];
      for (const key of [...wrong, 'x'.repeat(201), `${'x'.repeat(121)}/y`]) {
        await rejects('invalid', () => store.put(key, '1'));
        await rejects('invalid', () => store.get(key));
        await rejects('invalid', () => store.delete(key));
      }
      assert.deepEqual((await store.list('')).entries, []);
    });

    on('ends everything when it is closed', async ({ store }) => {
      const { revision } = await store.list('');
      const watching = rejects('unavailable', () => drain(store.watch('', revision + 1)));
      await pause(50);
      await store.close();
      await watching;
      await rejects('unavailable', () => store.list(''));
      await store.close();
    });
  });
}

/** What is called rejects with a {@link StoreError} of this code. */
export async function rejects(code: StoreErrorCode, work: () => Promise<unknown>): Promise<void> {
  await assert.rejects(
    async () => work(),
    (error) => {
      assert.ok(error instanceof StoreError, `${error}`);
      assert.equal(error.code, code, error.message);
      return true;
    },
  );
}

async function drain(events: AsyncIterable<StoreEvent>): Promise<void> {
  for await (const _ of events);
}

/** Follows a watch, and knows the state that it tells. */
export function collect(store: Store, prefix: string, from: number) {
  const all: StoreEvent[] = [];
  const state = new Map<string, string>();
  const controller = new AbortController();
  let failure: unknown;
  let told = () => {};
  const end = (async () => {
    for await (const event of store.watch(prefix, from, { signal: controller.signal })) {
      all.push(event);
      for (const { key, entry } of event.changes) {
        if (entry === undefined) state.delete(key);
        else state.set(key, entry.value);
      }
      told();
    }
  })().catch((error) => {
    failure = error;
    told();
  });
  return {
    all,
    async until(isReached: (state: ReadonlyMap<string, string>) => boolean, milliseconds = 5000) {
      const limit = AbortSignal.timeout(milliseconds);
      while (!isReached(state)) {
        if (failure !== undefined) throw failure;
        if (limit.aborted) assert.fail(`told so far: ${JSON.stringify([...state])}`);
        await new Promise<void>((resolve) => {
          told = resolve;
          setTimeout(resolve, 100);
        });
      }
      return state;
    },
    async stop() {
      controller.abort();
      await end;
    },
  };
}
