import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import type { Connection, Feed, MonitorEvent } from '../../../src/index.ts';
import { FakeKernel, fakeConnection } from '../../../src/testing/index.ts';
import { comparableTo, Replica } from '../../support/replica.ts';
import { add, remove, within } from './commands.ts';
import { furniture, randomTransaction } from './random.ts';
import '../../support/seed.ts';

const t = within('inet');
const TABLE = [add(t.table())];

async function next(events: Feed<MonitorEvent>): Promise<MonitorEvent> {
  const { value, done } = await events.next();
  assert.ok(!done);
  return value;
}

/** Commits what can be committed of random transactions. */
async function tryAll(nft: Connection, transactions: readonly (readonly object[])[]): Promise<void> {
  for (const commands of transactions) await nft.commit(commands as never).catch(() => {});
}

// That it tells what the kernel tells is what test/kernel/same-suite.test.ts finds out.
suite('monitors of a fake kernel', () => {
  test('hear of every commit, and whose it was', async () => {
    const kernel = new FakeKernel();
    using nft = kernel.connect();
    using other = kernel.connect();
    using events = nft.monitor();
    await nft.commit(TABLE);
    await other.commit([add(t.chain('c'))]);
    await assert.rejects(nft.commit([remove(t.chain('none'))]));
    await nft.check([add(t.chain('d'))]);
    kernel.interfere([add(t.chain('faster'))]);
    await nft.commit([add(t.chain('e'))]);
    const told = [];
    for (let i = 0; i < 4; i++) told.push(await next(events));
    assert.deepEqual(
      told.map((event) => !event.overrun && [event.generation, event.own, event.changes.length]),
      [
        [2, true, 1],
        [3, false, 1],
        [4, false, 1],
        [5, true, 1],
      ],
    );
    assert.ok(!told[0]?.overrun && told[0]?.process?.pid === process.pid);
  });

  test('wait, and end when they are closed', async () => {
    const kernel = new FakeKernel();
    const nft = kernel.connect();
    const events = nft.monitor();
    const waiting = next(events);
    setTimeout(() => nft.commitSync(TABLE), 5);
    assert.equal((await waiting).overrun, false);
    const last = events.next();
    setTimeout(() => nft.close(), 5);
    assert.equal((await last).done, true);
    assert.throws(() => nft.monitor(), { code: 'EBADF' });
  });

  test('of one table hear of no other', async () => {
    using nft = fakeConnection();
    using events = nft.monitor({ family: 'inet', table: 't' });
    await nft.commit([add(within('ip').table())]);
    await nft.commit(TABLE);
    const event = await next(events);
    assert.ok(!event.overrun && event.generation === 3);
  });

  test('keep a picture of random transactions, overruns included', () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(randomTransaction, { minLength: 5, maxLength: 20 }),
        fc.boolean(),
        async (transactions, lose) => {
          using nft = fakeConnection();
          using events = nft.monitor();
          const replica = new Replica();
          replica.load(await nft.snapshot());
          await tryAll(nft, [furniture, ...transactions]);
          if (lose) nft.kernel.overrun();
          await tryAll(nft, [...transactions, TABLE, [add(t.chain('last'))]]);
          await replica.follow(nft, events, nft.kernel.generation);
          assert.equal(replica.overruns, lose ? 1 : 0);
          assert.deepEqual(replica.contents(), comparableTo(await nft.list()));
        },
      ),
      { numRuns: 200 },
    ));

  test('lose what does not fit into their buffer', async () => {
    using nft = fakeConnection();
    using events = nft.monitor({ receiveBuffer: 1000 });
    await nft.commit(TABLE);
    for (let i = 0; i < 100; i++) nft.commitSync([add(t.chain(`c${i}`))]);
    assert.deepEqual(await next(events), { overrun: true, generation: 102 });
    nft.commitSync([add(t.chain('after'))]);
    const event = await next(events);
    assert.ok(!event.overrun && event.generation === 103 && event.own);
  });

  test('hear of no packets: there are none', () => {
    using nft = fakeConnection();
    assert.throws(() => nft.trace(), { code: 'EOPNOTSUPP', message: /carries no packets/ });
  });
});
