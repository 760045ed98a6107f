import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { type Commands, type Connection, TransactionError, transaction } from '../../src/index.ts';
import { elementsOf, find, withKernel } from '../support/kernel.ts';
import { requires } from '../support/requirements.ts';

const COUNT = 100_000;
const place = { family: 'inet', table: 't' } as const;
const table = { table: { family: 'inet', name: 't' } } as const;

const address = (i: number) => `10.${(i >> 16) & 255}.${(i >> 8) & 255}.${i & 255}`;
const addresses = Array.from({ length: COUNT }, (_, i) => address(i));
const elements = { element: { ...place, name: 's', elem: addresses } };

async function held(nft: Connection, kind: 'set' | 'map' = 'set'): Promise<unknown[]> {
  return (find(await nft.list(), kind, 's').elem ?? []) as unknown[];
}

/** The error that a commit ends with. */
async function refused(nft: Connection, commands: Commands): Promise<TransactionError> {
  const error = await nft.commit(commands).then(
    () => assert.fail('the kernel took it'),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof TransactionError, String(error));
  assert.equal(error.outcome, 'refused');
  return error;
}

suite('100,000 elements', requires('root', 'netns'), () => {
  test('commit whole, in one batch of several messages', () =>
    withKernel(async ({ nft }) => {
      const before = await nft.generation();
      const set = { set: { ...place, name: 's', type: 'ipv4_addr', size: COUNT } } as const;
      const { messages, bytes, generation } = await nft.commit(transaction().add(table, set, elements));
      assert.equal(generation, before + 1);
      assert.equal(await nft.generation(), generation);
      assert.ok(bytes > COUNT * 16 && bytes < COUNT * 24, `${bytes} bytes`);
      assert.ok(messages > bytes / 65_536 && messages < 60, `${messages} messages`);
      assert.deepEqual(new Set(await held(nft)), new Set(addresses));
    }));

  test('commit whole as ranges, the ends of each together', () =>
    withKernel(async ({ nft }) => {
      const ranges = Array.from({ length: COUNT / 2 }, (_, i) => ({
        range: [address(i * 4), address(i * 4 + 2)],
      }));
      const set = { set: { ...place, name: 's', type: 'ipv4_addr', flags: ['interval'], elem: ranges } };
      await nft.commit(transaction().add(table, set as never));
      assert.deepEqual(await held(nft), ranges);
    }));

  test('commit whole in a map', () =>
    withKernel(async ({ nft }) => {
      const pairs = addresses.map((key, i) => [key, i]);
      const map = { map: { ...place, name: 's', type: 'ipv4_addr', map: 'mark', elem: pairs } };
      await nft.commit(transaction().add(table, map as never));
      const listed = new Map((await held(nft, 'map')) as [string, number][]);
      assert.equal(listed.size, COUNT);
      assert.deepEqual(listed, new Map(pairs as [string, number][]));
    }));

  test('a wrong operation in their middle changes nothing, and is named', () =>
    withKernel(async ({ nft }) => {
      const set = { set: { ...place, name: 's', type: 'ipv4_addr', size: COUNT } } as const;
      await nft.commit(transaction().add(table, set));
      const generation = await nft.generation();
      const half = (from: number) => ({
        element: { ...place, name: 's', elem: addresses.slice(from, from + COUNT / 2) },
      });
      const missing = { chain: { ...place, name: 'none' } };
      const error = await refused(
        nft,
        transaction()
          .add(half(0))
          .delete(missing)
          .add(half(COUNT / 2)),
      );
      assert.deepEqual(
        [error.code, error.operation, error.path, error.command],
        ['ENOENT', 1, 'nftables[1].delete.chain', { delete: missing }],
      );
      assert.equal(error.refusals.length, 1);
      assert.deepEqual(await held(nft), []);
      assert.equal(await nft.generation(), generation);
    }));

  for (const at of [0, 31_234, 50_000, COUNT - 1]) {
    test(`a wrong element at ${at} changes nothing, and is named`, () =>
      withKernel(async ({ nft }) => {
        const set = { set: { ...place, name: 's', type: 'ipv4_addr', elem: [address(at)] } } as const;
        await nft.commit(transaction().add(table, set));
        const error = await refused(
          nft,
          transaction()
            .add({ counter: { ...place, name: 'n' } })
            .create(elements),
        );
        assert.deepEqual(
          [error.code, error.operation, error.path],
          ['EEXIST', 1, `nftables[1].create.element.elem[${at}]`],
        );
        assert.deepEqual(await held(nft), [address(at)]);
        assert.equal(elementsOf(await nft.list()).length, 2);
      }));
  }

  test('a wrong command behind them has its own index', () =>
    withKernel(async ({ nft }) => {
      const set = { set: { ...place, name: 's', type: 'ipv4_addr' } } as const;
      const missing = { chain: { ...place, name: 'none' } };
      const error = await refused(nft, transaction().add(table, set, elements).delete(missing));
      assert.deepEqual([error.operation, error.path], [3, 'nftables[3].delete.chain']);
      assert.deepEqual(elementsOf(await nft.list()), []);
    }));

  test('a wrong range is named by its own index', () =>
    withKernel(async ({ nft }) => {
      const range = (i: number) => ({ range: [address(i * 4), address(i * 4 + 2)] });
      const set = { set: { ...place, name: 's', type: 'ipv4_addr', flags: ['interval'] } } as const;
      await nft.commit(transaction().add(table, { set: { ...set.set, elem: [range(7001)] } } as never));
      const elem = Array.from({ length: 20_000 }, (_, i) => range(19_999 - i));
      const error = await refused(nft, [{ create: { element: { ...place, name: 's', elem } } } as never]);
      assert.deepEqual([error.code, error.path], ['EEXIST', `[0].create.element.elem[${19_999 - 7001}]`]);
      assert.deepEqual(await held(nft), [range(7001)]);
    }));
});
