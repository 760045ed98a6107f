import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { connect, type RulesetElement, transaction } from '../../src/index.ts';
import { elementsOf, find, withKernel } from '../support/kernel.ts';
import { requires } from '../support/requirements.ts';

// Kernels before 6.3 have no such message: there, this is what looking first comes to.

const place = { family: 'inet', table: 't' } as const;
const table = { table: { family: 'inet', name: 't' } } as const;
const chain = { chain: { ...place, name: 'c' } } as const;
const set = { set: { ...place, name: 's', type: 'ipv4_addr' } } as const;
const nets = { set: { ...place, name: 'n', type: 'ipv4_addr', flags: ['interval'] } } as const;
const elements = (name: string, ...elem: readonly unknown[]): RulesetElement =>
  ({ element: { ...place, name, elem } }) as never;

suite('destroy', requires('root', 'netns'), () => {
  test('takes away what is there and minds nothing else, in one transaction', () =>
    withKernel(async ({ nft }) => {
      await nft.commit(transaction().add(table, chain, set, elements('s', '192.0.2.1', '192.0.2.2')));
      await nft.commit(
        transaction().destroy(
          { chain: { ...place, name: 'none' } },
          chain,
          { set: { ...place, name: 'none', type: 'ipv4_addr' } },
          elements('s', '192.0.2.2', '192.0.2.3'),
          { table: { family: 'ip6', name: 'none' } },
          { counter: { ...place, name: 'none' } },
        ),
      );
      const ruleset = await nft.list();
      assert.deepEqual(find(ruleset, 'set', 's').elem, ['192.0.2.1']);
      assert.equal(elementsOf(ruleset).length, 2);
    }));

  test('takes away a rule by its handle, and minds none that is gone', () =>
    withKernel(async ({ nft }) => {
      const rule = { rule: { ...place, chain: 'c', expr: [{ accept: null }] } } as const;
      const { handles } = await nft.commit(transaction().add(table, chain, rule));
      const gone = { rule: { ...place, chain: 'c', handle: Number(handles.get(2)) } };
      await nft.commit(transaction().destroy(gone));
      await nft.commit(transaction().destroy(gone));
      assert.equal(elementsOf(await nft.list()).length, 2);
    }));

  test('takes away ranges', () =>
    withKernel(async ({ nft }) => {
      const [a, b] = [{ prefix: { addr: '10.0.0.0', len: 8 } }, { range: ['192.0.2.1', '192.0.2.9'] }];
      await nft.commit(transaction().add(table, nets, elements('n', a, b)));
      await nft.commit(transaction().destroy(elements('n', b, '198.51.100.1')));
      assert.deepEqual(find(await nft.list(), 'set', 'n').elem, [a]);
    }));

  test('and made again: what a program begins with', () =>
    withKernel(async ({ nft }) => {
      const anew = transaction().destroy(table).add(table, chain, set, elements('s', '192.0.2.1'));
      for (let i = 0; i < 3; i++) await nft.commit(anew);
      nft.commitSync(anew);
      assert.equal(elementsOf(await nft.list()).length, 3);
    }));

  test('a table that is made and destroyed is gone', () =>
    withKernel(async ({ nft }) => {
      await nft.commit(transaction().add(table, chain).destroy(table));
      assert.deepEqual(elementsOf(await nft.list()), []);
    }));

  test('is sure whoever else adds and deletes the same meanwhile', () =>
    withKernel(async ({ nft, netns }) => {
      await using other = connect({ netns });
      await nft.commit(transaction().add(table, set));
      const one = elements('s', '192.0.2.1');
      const toggling = async () => {
        for (let i = 0; i < 40; i++) {
          await other.commit(transaction().add(one));
          await other.commit(transaction().destroy(one));
        }
      };
      const destroying = async () => {
        for (let i = 0; i < 40; i++) await nft.commit(transaction().destroy(one));
      };
      await Promise.all([toggling(), destroying()]);
      assert.equal(find(await nft.list(), 'set', 's').elem, undefined);
    }));
});
