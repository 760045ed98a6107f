import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { EtcdStore } from '../../../src/uncloud/index.ts';
import { EtcdClient } from '../../../src/uncloud/store/etcd-client.ts';
import { type Etcd, startEtcd } from '../../support/etcd.ts';
import { requires } from '../../support/requirements.ts';
import { collect, conformance, rejects } from './conformance.ts';

conformance('in etcd', requires('etcd'), async () => {
  const etcd = await startEtcd();
  const store = new EtcdStore(etcd.options);
  const other = new EtcdStore(etcd.options);
  return {
    store,
    other,
    many: 2_500,
    async compact() {
      const { revision } = await other.list('');
      const client = new EtcdClient(etcd.options);
      await client.call('/v3/kv/compaction', { revision: String(revision) }, 'once');
      client.close();
    },
    async [Symbol.asyncDispose]() {
      await store.close();
      await other.close();
      await etcd[Symbol.asyncDispose]();
    },
  };
});

suite('etcd', requires('etcd'), () => {
  test('is unavailable where nobody listens, or nobody answers', async () => {
    await using etcd = await startEtcd();
    await using store = new EtcdStore({ ...etcd.options, timeout: 300 });
    await store.put('k', '1');
    const events = collect(store, '', (await store.list('')).revision + 1);
    await events.until(() => events.all.length > 0);
    etcd.freeze();
    await rejects('unavailable', () => store.get('k'));
    await rejects('unavailable', () => events.until(() => false, 12_000));
    etcd.thaw();
    assert.equal((await store.get('k'))?.value, '1');
    await etcd.kill();
    await rejects('unavailable', () => store.put('k', '2'));
    await etcd.restart();
    assert.equal((await store.get('k'))?.value, '1');
  });

  test('asks another endpoint where one does not answer', async () => {
    await using etcd = await startEtcd();
    const endpoints = ['http://127.0.0.1:1', etcd.endpoint];
    await using store = new EtcdStore({ endpoints });
    await store.put('k', '1');
    assert.equal((await store.get('k'))?.value, '1');
    const events = collect(store, '', (await store.list('')).revision + 1);
    await store.put('k', '2');
    await events.until((state) => state.get('k') === '2');
    await etcd.kill();
    await rejects('unavailable', () => events.until(() => false));
  });

  test('with TLS and a password', async () => {
    await using etcd = await startEtcd({ tls: true });
    await secure(etcd);
    const { endpoints } = etcd.options;
    await using stranger = new EtcdStore({ endpoints });
    await rejects('unavailable', () => stranger.get('k'));
    await using nobody = new EtcdStore(etcd.options);
    await rejects('invalid', () => nobody.get('k')).catch(() => rejects('denied', () => nobody.get('k')));
    await using wrong = new EtcdStore({ ...etcd.options, user: 'root', password: 'wrong' });
    await rejects('denied', () => wrong.get('k'));

    await using store = new EtcdStore({ ...etcd.options, user: 'root', password: 'secret' });
    await store.put('k', '1');
    const events = collect(store, '', (await store.list('')).revision + 1);
    await store.put('k', '2', { ttl: 60 });
    await events.until((state) => state.get('k') === '2');
    await events.stop();
    // A token is in the member's memory alone.
    await etcd.restart();
    assert.equal((await store.get('k'))?.value, '2');
  });
});

/** Lets in nobody but root, with a password. */
async function secure({ options }: Etcd): Promise<void> {
  const admin = new EtcdClient(options);
  const tell = (path: string, body: object) => admin.call(path, body, 'once');
  await tell('/v3/auth/user/add', { name: 'root', password: 'secret' });
  await tell('/v3/auth/role/add', { name: 'root' });
  await tell('/v3/auth/user/grant', { user: 'root', role: 'root' });
  await tell('/v3/auth/enable', {});
  admin.close();
}
