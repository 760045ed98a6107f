import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { DirectoryStore } from '../../../src/uncloud/index.ts';
import { collect, conformance, rejects } from './conformance.ts';

async function directory(): Promise<{ path: string } & AsyncDisposable> {
  const path = await mkdtemp(join(tmpdir(), 'nftjs-store-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

conformance('in a directory', { skip: false }, async () => {
  const home = await directory();
  let store = new DirectoryStore(home.path);
  const other = new DirectoryStore(home.path);
  const subject = {
    get store() {
      return store;
    },
    other,
    many: 300,
    // Only what one object saw is known to it.
    async compact() {
      await store.close();
      store = new DirectoryStore(home.path);
      await store.list('');
    },
    async [Symbol.asyncDispose]() {
      await store.close();
      await other.close();
      await home[Symbol.asyncDispose]();
    },
  };
  return subject;
});

suite('a store in a directory', () => {
  test('sees what editors, cp, mv and rm do', async () => {
    await using home = await directory();
    await using store = new DirectoryStore(home.path);
    const at = (...names: string[]) => join(home.path, ...names);
    const events = collect(store, '', (await store.list('')).revision + 1);
    await mkdir(at('vm', 'deep'), { recursive: true });
    await writeFile(at('vm', 'deep', 'a.json'), '1');
    await events.until((state) => state.get('vm/deep/a') === '1');
    await writeFile(at('vm', 'deep', 'a.json'), '{"half":');
    await events.until((state) => state.get('vm/deep/a') === '{"half":');
    await writeFile(at('vm', '.swap.json'), 'x');
    await writeFile(at('vm', 'notes.txt'), 'x');
    await writeFile(at('vm', 'new'), '2');
    await rename(at('vm', 'new'), at('vm', 'b.json'));
    await events.until((state) => state.get('vm/b') === '2');
    await rename(at('vm'), at('machines'));
    const state = await events.until(
      (now) => now.size === 2 && now.has('machines/b') && now.has('machines/deep/a'),
    );
    assert.deepEqual(Object.fromEntries(state), { 'machines/deep/a': '{"half":', 'machines/b': '2' });
    await rm(at('machines'), { recursive: true });
    await events.until((now) => now.size === 0);
    await events.stop();
  });

  test('looks again by itself, should no notice come', async () => {
    await using home = await directory();
    await using store = new DirectoryStore(home.path, { rescan: 20 });
    const events = collect(store, '', (await store.list('')).revision + 1);
    await rm(home.path, { recursive: true });
    await rejects('unavailable', () => events.until(() => false));
    await rejects('unavailable', () => store.list(''));
    await mkdir(home.path);
    await writeFile(join(home.path, 'k.json'), '1');
    const listing = await store.list('');
    assert.deepEqual(
      listing.entries.map(({ key }) => key),
      ['k'],
    );
    const again = collect(store, '', listing.revision + 1);
    await writeFile(join(home.path, 'k.json'), '22');
    await again.until((state) => state.get('k') === '22');
    await again.stop();
  });

  test('is not empty where it is not there', async () => {
    await using home = await directory();
    await using store = new DirectoryStore(join(home.path, 'none'));
    await rejects('unavailable', () => store.list(''));
    await store.put('k', '1');
    assert.equal((await store.list('')).entries.length, 1);
  });

  test('leaves keys and nothing else behind, and they are whole for a reader of files', async () => {
    await using home = await directory();
    await using store = new DirectoryStore(home.path);
    await Promise.all(Array.from({ length: 20 }, (_, i) => store.put('vm/k', `${i}`.repeat(10_000))));
    assert.deepEqual(await readdir(join(home.path, 'vm')), ['k.json']);
    assert.equal((await readFile(join(home.path, 'vm', 'k.json'), 'utf8')).length % 10_000, 0);
    assert.ok((await readdir(home.path)).length <= 2, 'vm, and one lock');
  });

  test('lets those read who the umask says: an agent is another user than who writes records', async () => {
    await using home = await directory();
    await using store = new DirectoryStore(home.path);
    const umask = process.umask(0o022);
    try {
      for (const [mask, mode] of [
        [0o022, 0o644],
        [0o077, 0o600],
      ] as const) {
        process.umask(mask);
        await store.put('vm/k', '1');
        assert.equal((await stat(join(home.path, 'vm/k.json'))).mode & 0o777, mode);
      }
    } finally {
      process.umask(umask);
    }
  });

  test('is not locked by a process that was killed with the lock in its hand', async () => {
    await using home = await directory();
    await using store = new DirectoryStore(home.path);
    await store.put('k', '1');
    const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
    const stat = await readFile(`/proc/${child.pid}/stat`, 'utf8');
    const start = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
    await writeFile(join(home.path, '.lock-9'), `${child.pid} ${start}`);
    const put = store.put('k', '2');
    const first = await Promise.race([put, new Promise((resolve) => setTimeout(resolve, 200, 'waiting'))]);
    assert.equal(first, 'waiting');
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await gone;
    await put;
    assert.equal((await store.get('k'))?.value, '2');
  });
});
