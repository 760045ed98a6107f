import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { reconcile, table } from '../../../src/index.ts';
import { readMessages } from '../../../src/netlink/message.ts';
import { concerns } from '../../../src/netlink/part.ts';
import { FakeKernel } from '../../../src/testing/index.ts';

const mine = { family: 'inet', table: 'mine' } as const;
const desired = table('inet', 'mine')
  .set('s', { type: 'ipv4_addr', elements: ['192.0.2.1'] })
  .chain('c')
  .rule('c', { accept: null });
const theirs = [
  { table: { family: 'inet', name: 'theirs' } },
  { set: { family: 'inet', table: 'theirs', name: 's', type: 'ipv4_addr', elem: ['192.0.2.9'] } },
  { chain: { family: 'inet', table: 'theirs', name: 'c' } },
  { rule: { family: 'inet', table: 'theirs', chain: 'c', expr: [{ drop: null }] } },
  { table: { family: 'ip', name: 'mine' } },
  { chain: { family: 'ip', table: 'mine', name: 'c' } },
] as const;

/** What of a message stands behind the name of its table becomes attributes that nothing can read. */
function garble(messages: Uint8Array): Uint8Array {
  const bytes = messages.slice();
  for (const message of readMessages(bytes)) {
    if (concerns(message, mine)) continue;
    const { attributes } = message;
    const view = new DataView(attributes.buffer, attributes.byteOffset, attributes.length);
    for (let at = 0; at < attributes.length; at += (view.getUint16(at, true) + 3) & ~3) {
      if ((view.getUint16(at + 2, true) & 0x3fff) !== 1)
        attributes.fill(0xff, at + 4, at + view.getUint16(at, true));
    }
  }
  return bytes;
}

/** A kernel in which the tables of others hold what nobody can read. */
async function strange() {
  const kernel = new FakeKernel();
  using theirConnection = kernel.connect();
  await theirConnection.commit([...theirs]);
  const nft = kernel.connect();
  const { socket } = nft;
  const dump = socket.dump.bind(socket);
  socket.dump = async (request) => {
    const answer = await dump(request);
    return { ...answer, messages: garble(answer.messages) };
  };
  const subscribe = socket.subscribe.bind(socket);
  socket.subscribe = (...args) => {
    const subscription = subscribe(...args);
    const read = subscription.read.bind(subscription);
    subscription.read = async () => {
      const news = await read();
      if (news === undefined) return undefined;
      // Generations belong to no table.
      const end = [...readMessages(news.messages)].at(-1)?.attributes.length ?? 0;
      const at = news.messages.length - end - 20;
      return {
        ...news,
        messages: Buffer.concat([garble(news.messages.slice(0, at)), news.messages.slice(at)]),
      };
    };
    return subscription;
  };
  return { kernel, nft };
}

suite('tables of others that nobody can read', () => {
  test('are no matter to a listing that does not ask for them', async () => {
    const { nft } = await strange();
    await nft.commit(desired.commands);
    for (const scope of [mine, { table: 'mine', chain: 'c', family: 'inet' } as const]) {
      const { nftables } = await nft.list(scope);
      assert.ok(nftables.some((item) => 'rule' in item && item.rule.table === 'mine'));
      assert.ok(!JSON.stringify(nftables).includes('theirs'));
    }
    await assert.rejects(nft.list());
    nft.close();
  });

  test('are no matter to reconcile', async () => {
    const { nft } = await strange();
    assert.equal((await reconcile(nft, desired.toJSON())).changed, true);
    assert.equal((await reconcile(nft, desired.toJSON())).changed, false);
    nft.close();
  });

  test('are no matter to a monitor of one table', async () => {
    const { kernel, nft } = await strange();
    using other = kernel.connect();
    const events = nft.monitor(mine);
    await other.commit([{ add: { chain: { family: 'inet', table: 'theirs', name: 'more' } } }]);
    await other.commit([...desired.commands, { add: { table: { family: 'ip', name: 'new' } } }]);
    const { value } = await events.next();
    assert.ok(value && !value.overrun);
    assert.deepEqual(
      value.changes.map(({ object }) => Object.keys(object)[0]),
      ['table', 'chain', 'set', 'element', 'rule'],
    );
    nft.close();
  });
});
