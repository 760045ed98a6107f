import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { suite, test } from 'node:test';
import { commitGrowing, connect, counter, drop, grow, ip, TransactionError, table } from '../../src/index.ts';
import { elementsOf, find, type Kernel, withKernel } from '../support/kernel.ts';
import { requires } from '../support/requirements.ts';

const ref = { family: 'inet', table: 't', name: 's' } as const;

const add = (...elem: readonly string[]) => [{ add: { element: { ...ref, elem } } }] as const;
const addresses = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, i) => `10.0.${(from + i) >> 8}.${(from + i) & 255}`);

async function contents({ nft }: Kernel): Promise<{ size: unknown; count: number }> {
  const { size, elem = [] } = find(await nft.list(), 'set', 's');
  return { size, count: (elem as unknown[]).length };
}

/** A set that lets packets pass, and a rule that counts the others. */
const filter = (...elements: readonly string[]) =>
  table('inet', 't')
    .set('s', { type: 'ipv4_addr', size: 4, elements })
    .chain('out', { type: 'filter', hook: 'output', priority: 'filter', policy: 'accept' })
    .rule('out', ip.daddr.notIn('@s'), counter(), drop());

suite('sets that grow', requires('root', 'netns'), () => {
  test('a full set gets twice the room, as often as it takes, with all that was in it', () =>
    withKernel(async (kernel) => {
      await kernel.nft.commit(filter('127.0.0.1').commands);
      await commitGrowing(kernel.nft, add('10.9.0.1', '10.9.0.2', '10.9.0.3'));
      assert.deepEqual(await contents(kernel), { size: 4, count: 4 });
      const { generation } = await commitGrowing(kernel.nft, add(...addresses(0, 30)));
      assert.equal(generation, await kernel.nft.generation());
      assert.deepEqual(await contents(kernel), { size: 64, count: 34 });
      assert.equal(elementsOf(await kernel.nft.list()).filter((item) => 'rule' in item).length, 1);
    }));

  test('to a capacity that is asked for, and never to a smaller one', () =>
    withKernel(async (kernel) => {
      await kernel.nft.commit(filter('127.0.0.1').commands);
      assert.equal(await grow(kernel.nft, ref, { capacity: 1000 }), 1000);
      assert.equal(await grow(kernel.nft, ref, { capacity: 10 }), 1000);
      assert.deepEqual(await contents(kernel), { size: 1000, count: 1 });
      await assert.rejects(grow(kernel.nft, { ...ref, name: 'none' }), RangeError);
    }));

  test('what is refused for another reason stays refused', () =>
    withKernel(async ({ nft }) => {
      await nft.commit(filter('127.0.0.1').commands);
      const again = [{ create: { element: { ...ref, elem: ['127.0.0.1'] } } }] as const;
      await assert.rejects(commitGrowing(nft, again), { code: 'EEXIST' });
      const generation = await nft.generation();
      await assert.rejects(commitGrowing(nft, add(...addresses(0, 9)), { generation }), TransactionError);
    }));

  test('packets find what is in it all the while', () =>
    withKernel(async (kernel) => {
      kernel.run('ip', ['link', 'set', 'lo', 'up'], '');
      await kernel.nft.commit(filter('127.0.0.1').commands);
      const sender = spawn('nsenter', [`--net=${kernel.netns}`, process.execPath, '--eval', SENDER], {
        stdio: ['pipe', 'pipe', 'inherit'],
      });
      const ended = once(sender, 'close');
      let told = '';
      sender.stdout.setEncoding('utf8').on('data', (text: string) => {
        told += text;
      });
      try {
        await once(sender.stdout, 'data');
        using other = connect({ netns: kernel.netns });
        for (let i = 0; i < 10; i++) await commitGrowing(other, add(...addresses(i * 50, (i + 1) * 50)));
      } finally {
        sender.stdin.end();
        await ended;
      }
      const sent = Number(told.trim().split('\n').at(-1));
      assert.ok(sent > 100, `only ${sent} packets were sent`);
      const { size, count } = await contents(kernel);
      assert.deepEqual([size, count], [512, 501]);
      const [rule] = elementsOf(await kernel.nft.list()).flatMap((item) =>
        'rule' in item ? [item.rule] : [],
      );
      const counted = rule?.expr?.flatMap((statement) => ('counter' in statement ? [statement.counter] : []));
      assert.deepEqual(counted, [{ packets: 0, bytes: 0 }], 'a packet found nothing in the set');
    }));
});

/** Sends to itself until its input ends, and says when it has begun and how many packets it sent. */
const SENDER = `
const socket = require('node:dgram').createSocket('udp4');
let sent = 0, running = true;
const next = () => {
  if (!running) return socket.close(() => console.log(sent));
  socket.send('x', 9, '127.0.0.1', (error) => {
    if (error) throw error;
    if (sent++ === 0) console.log('begun');
    setImmediate(next);
  });
};
process.stdin.on('end', () => { running = false; }).resume();
next();`;
