import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { type Ruleset, TransactionError } from '../../../src/index.ts';
import { FakeKernel, fakeConnection } from '../../../src/testing/index.ts';
import { accept, add, create, from, remove, reset, timed, within } from './commands.ts';

const t = within('inet');
const TABLE = [add(t.table())];
const set = (more: object = {}) => [...TABLE, add(t.set('s', { ...more }))];

async function elements(nft: { list(): Promise<Ruleset> }): Promise<unknown> {
  const { nftables } = await nft.list();
  const found = nftables.find((item) => 'set' in item) as { set: { elem?: unknown } } | undefined;
  return found?.set.elem ?? [];
}

const refusal = (code: string) => (error: unknown) => {
  assert.ok(error instanceof TransactionError, String(error));
  assert.equal(error.code, code);
  assert.equal(error.outcome, 'refused');
  return true;
};

suite('a fake kernel', () => {
  test('tells which transactions took effect', async () => {
    using nft = fakeConnection();
    assert.equal(nft.kernel.generation, 1);
    const { generation, handles } = await nft.commit(TABLE);
    await assert.rejects(nft.commit([create(t.table())]), refusal('EEXIST'));
    await nft.check([add(within('ip').table())]);
    nft.commitSync([add(t.chain('c'))]);
    assert.equal(generation, 2);
    assert.deepEqual([...handles], [[0, 1n]]);
    assert.deepEqual(
      nft.kernel.commits.map(({ commands, generation }) => ({ commands, generation })),
      [
        { commands: TABLE, generation: 2 },
        { commands: [add(t.chain('c'))], generation: 3 },
      ],
    );
    assert.equal(await nft.generation(), 3);
    assert.equal(nft.kernel.generation, 3);
  });

  test('checks without effect', async () => {
    using nft = fakeConnection();
    await nft.check(set({ elem: ['192.0.2.1'] }));
    assert.deepEqual((await nft.list()).nftables.slice(1), []);
    await assert.rejects(nft.check([add(t.chain('c'))]), refusal('ENOENT'));
    assert.equal(nft.kernel.generation, 1);
  });

  test('fails when it is told to, once', async () => {
    using nft = fakeConnection();
    nft.kernel.failNext({ code: 'EBUSY', operation: 0, message: 'not now' });
    nft.kernel.failNext({ code: 'ENOBUFS' });
    await assert.rejects(nft.commit(TABLE), (error: TransactionError) => {
      assert.equal(error.code, 'EBUSY');
      assert.equal(error.outcome, 'refused');
      assert.equal(error.path, '[0].add.table');
      assert.equal(error.refusals[0]?.message, 'not now');
      return true;
    });
    await assert.rejects(nft.commit(TABLE), (error: TransactionError) => {
      assert.equal(error.code, 'ENOBUFS');
      assert.equal(error.operation, undefined);
      return true;
    });
    await nft.commit(TABLE);
    assert.equal(nft.kernel.commits.length, 1);
    assert.throws(() => nft.kernel.failNext({ code: 'ENOSUCH' }), TypeError);
  });

  test('loses an answer: the transaction took effect', async () => {
    using nft = fakeConnection();
    nft.kernel.loseNextAnswer();
    await assert.rejects(nft.commit(TABLE), (error: TransactionError) => {
      assert.equal(error.outcome, 'unknown');
      return true;
    });
    await assert.rejects(nft.commit([create(t.table())]), refusal('EEXIST'));
  });

  test('refuses a transaction that was made for another generation', async () => {
    using nft = fakeConnection();
    const { generation } = await nft.snapshot();
    nft.kernel.interfere([add(within('ip').table())]);
    await assert.rejects(nft.commit(TABLE, { generation }), refusal('ERESTART'));
    assert.equal(nft.kernel.commits.length, 1);
    await nft.commit(TABLE, { generation: await nft.generation() });
  });

  test('lets a transaction that looks first look again when somebody was faster', async () => {
    using nft = fakeConnection();
    await nft.commit([...TABLE, add(t.chain('c')), add(t.rule('c', [accept], { comment: 'first' }))]);
    nft.kernel.interfere([add(t.rule('c', [accept], { comment: 'other' }))]);
    await nft.commit([add(t.rule('c', [accept], { comment: 'mine', index: 0 }))]);
    const comments = (await nft.list()).nftables.flatMap((item) =>
      'rule' in item ? [item.rule.comment] : [],
    );
    assert.deepEqual(comments, ['first', 'mine', 'other']);
  });

  test('keeps a table with an owner from others, until the owner is gone', async () => {
    const kernel = new FakeKernel();
    using other = kernel.connect();
    {
      using owner = kernel.connect();
      await owner.commit([add(t.table({ flags: 'owner' })), add(t.chain('c'))]);
      await assert.rejects(other.commit([add(t.chain('d'))]), refusal('EPERM'));
      await other.commit([{ flush: { ruleset: null } } as never]);
      assert.equal((await other.list()).nftables.length, 3);
    }
    assert.deepEqual((await other.list()).nftables.slice(1), []);
  });

  test('lets elements expire by its clock', async () => {
    let now = 1000;
    using nft = fakeConnection({ now: () => now });
    await nft.commit([...set({ timeout: 60 }), add(t.elem('s', '10.0.0.1', timed('10.0.0.2', 90)))]);
    now += 59_000;
    assert.deepEqual(await elements(nft), [
      { elem: { val: '10.0.0.1', expires: 1 } },
      { elem: { val: '10.0.0.2', timeout: 90, expires: 31 } },
    ]);
    now += 1_000;
    assert.deepEqual(await elements(nft), [{ elem: { val: '10.0.0.2', timeout: 90, expires: 30 } }]);
    await nft.commit([create(t.elem('s', '10.0.0.1'))]);
    await assert.rejects(nft.commit([remove(t.elem('s', '10.0.0.3'))]), refusal('ENOENT'));
    now += 60_000;
    assert.deepEqual(await elements(nft), []);
  });

  test('what expires lets go of what it named', async () => {
    let now = 0;
    using nft = fakeConnection({ now: () => now });
    const jumping = [timed('10.0.0.1', 5), { jump: { target: 'c' } }];
    await nft.commit([
      ...TABLE,
      add(t.chain('c')),
      add(t.map('m', { flags: 'timeout' })),
      add(t.elem('m', jumping)),
    ]);
    await assert.rejects(nft.commit([remove(t.chain('c'))]), refusal('EBUSY'));
    now = 5000;
    await nft.commit([remove(t.chain('c'))]);
  });

  test('has the interfaces and lacks the features that it is told', async () => {
    const interfaces = [
      { name: 'lo', index: 1, mac: '00:00:00:00:00:00' },
      { name: 'br0', index: 2, mac: '02:00:00:00:00:01' },
      { name: 'tap0', index: 3, master: 2 },
    ];
    using nft = fakeConnection({ interfaces, without: ['bridge reject', 'flowtable'] });
    assert.deepEqual(await nft.interfaces(), interfaces);
    assert.equal(await nft.supports('bridge reject'), false);
    assert.equal(await nft.supports('flowtable'), false);
    assert.equal(await nft.supports('bridge ct'), true);
    assert.equal(await nft.supports('queue'), true);
    assert.equal(await fakeConnection().supports('flowtable'), true);
  });

  test('resets counters and quotas', async () => {
    using nft = fakeConnection();
    const counter = t.counter('n', { packets: 5, bytes: 700 });
    await nft.commit([...TABLE, add(counter), add(t.quota('q', { used: 10 }))]);
    const { reset: found } = await nft.commit([reset(t.named('counter')('n')), reset(t.named('quota')('q'))]);
    const state = (told: readonly unknown[] | undefined) =>
      told?.map((one) => Object.values(one as object)[0].packets ?? Object.values(one as object)[0].used);
    assert.deepEqual(state(found.get(0)), [5]);
    assert.deepEqual(state(found.get(1)), [10]);
    const again = await nft.commit([reset(t.named('counter')('n'))]);
    assert.deepEqual(state(again.reset.get(0)), [0]);
  });

  test('undoes what many elements did, and empties large sets at once', async () => {
    using nft = fakeConnection();
    const many = Array.from({ length: 20_000 }, (_, i) => `10.1.${i >> 8}.${i & 255}`);
    await nft.commit([...set(), add(t.elem('s', ...many))]);
    await assert.rejects(
      nft.commit([{ flush: t.set('s') } as never, add(t.elem('s', '10.9.9.9')), remove(t.chain('x'))]),
    );
    const there = (await elements(nft)) as string[];
    assert.equal(there.length, many.length);
    assert.deepEqual(new Set(there), new Set(many));
    await assert.rejects(
      nft.commit([create(t.elem('s', '10.2.0.1', '10.1.0.7'))]),
      (error: TransactionError) => {
        assert.equal(error.path, '[0].create.element.elem[1]');
        return true;
      },
    );
  });

  test('is closed for good', async () => {
    const nft = fakeConnection();
    nft.close();
    nft.close();
    await assert.rejects(nft.commit(TABLE), { name: 'NetlinkSocketError', syscall: 'close' });
    await assert.rejects(nft.list(), { name: 'NetlinkSocketError' });
    assert.throws(() => nft.commitSync(TABLE), { name: 'NetlinkSocketError' });
  });

  test('heeds a signal', async () => {
    using nft = fakeConnection();
    await assert.rejects(nft.commit(TABLE, { signal: AbortSignal.abort() }), { name: 'AbortError' });
    assert.equal(nft.kernel.commits.length, 0);
  });

  test('names what is wrong in a rule where it was written', async () => {
    using nft = fakeConnection();
    await nft.commit([...set(), add(t.chain('c'))]);
    const commands = {
      nftables: [add(t.rule('c', [from('@s'), accept])), add(t.rule('c', [{ jump: { target: 'x' } }]))],
    };
    await assert.rejects(nft.commit(commands), (error: TransactionError) => {
      assert.equal(error.path, 'nftables[1].add.rule');
      assert.equal(error.operation, 1);
      assert.deepEqual(error.command, commands.nftables[1]);
      return true;
    });
  });
});
