import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { type Commands, type Connection, connect, transaction } from '../../src/index.ts';
import { elementsOf, type Kernel, withKernel } from '../support/kernel.ts';
import { requires } from '../support/requirements.ts';

const place = { family: 'inet', table: 't', chain: 'c' } as const;
const base = transaction().add(
  { table: { family: 'inet', name: 't' } },
  { chain: { family: 'inet', table: 't', name: 'c' } },
);
const rule = (comment: string, rest: object = {}) => ({
  rule: { ...place, comment, expr: [{ accept: null }] as const, ...rest },
});

/** The comments of the chain's rules, in their order, and their handles. */
async function order(nft: Connection): Promise<string> {
  return (await placed(nft)).map(([comment]) => comment).join('');
}

async function placed(nft: Connection): Promise<[string, number][]> {
  return elementsOf(await nft.list()).flatMap((element) =>
    'rule' in element ? [[element.rule.comment ?? '', Number(element.rule.handle)] as [string, number]] : [],
  );
}

/** Runs `work` with a chain of the rules a, b and c. */
const withRules = (work: (kernel: Kernel, handle: (comment: string) => number) => Promise<void>) =>
  withKernel(async (kernel) => {
    await kernel.nft.commit(base.add(rule('a'), rule('b'), rule('c')));
    const handles = new Map(await placed(kernel.nft));
    await work(kernel, (comment) => handles.get(comment) as number);
  });

/** What becomes of a, b and c. */
const becomes = (commands: (handle: (comment: string) => number) => Commands, expected: string) => () =>
  withRules(async ({ nft }, handle) => {
    await nft.commit(commands(handle));
    assert.equal(await order(nft), expected);
  });

suite('where rules go', requires('root', 'netns'), () => {
  test(
    'add: to the end',
    becomes(() => transaction().add(rule('x'), rule('y')), 'abcxy'),
  );
  test(
    'insert: to the beginning',
    becomes(() => transaction().insert(rule('x'), rule('y')), 'yxabc'),
  );
  test(
    'add by index: behind',
    becomes(() => transaction().add(rule('x', { index: 1 })), 'abxc'),
  );
  test(
    'insert by index: before',
    becomes(() => transaction().insert(rule('x', { index: 1 })), 'axbc'),
  );
  test(
    'add by handle: behind',
    becomes((handle) => transaction().add(rule('x', { handle: handle('a') })), 'axbc'),
  );
  test(
    'insert by handle: before',
    becomes((handle) => transaction().insert(rule('x', { handle: handle('c') })), 'abxc'),
  );
  test(
    'replace by handle: in its place',
    becomes((handle) => transaction().replace(rule('x', { handle: handle('b') })), 'axc'),
  );
  test(
    'delete by handle',
    becomes((handle) => transaction().delete(rule('', { handle: handle('b') })), 'ac'),
  );
  test(
    'by index among rules of the same transaction',
    becomes(
      () =>
        transaction()
          .add(rule('x'))
          .insert(rule('y', { index: 3 }))
          .add(rule('z', { index: 3 })),
      'abcyzx',
    ),
  );
  test(
    'by index, when rules were inserted before',
    becomes(
      () =>
        transaction()
          .insert(rule('x'))
          .insert(rule('y', { index: 1 })),
      'xyabc',
    ),
  );
  test(
    'by index, when a rule was deleted before',
    becomes(
      (handle) =>
        transaction()
          .delete(rule('', { handle: handle('a') }))
          .insert(rule('x', { index: 1 })),
      'bxc',
    ),
  );
  test(
    'by index, when a rule was put in the place of another before',
    becomes(
      (handle) =>
        transaction()
          .replace(rule('x', { handle: handle('b') }))
          .add(rule('y', { index: 1 })),
      'axyc',
    ),
  );
  test(
    'by index, before a rule that was put in the place of another',
    becomes(
      (handle) =>
        transaction()
          .replace(rule('x', { handle: handle('b') }))
          .insert(rule('y', { index: 1 })),
      'ayxc',
    ),
  );
  test(
    'by index, when a rule was placed by handle before',
    becomes(
      (handle) =>
        transaction()
          .add(rule('x', { handle: handle('a') }))
          .insert(rule('y', { index: 2 })),
      'axybc',
    ),
  );
  test(
    'by index, when the chain was emptied before',
    becomes(
      () =>
        transaction()
          .flush({ chain: { family: 'inet', table: 't', name: 'c' } })
          .add(rule('x'), rule('y'))
          .insert(rule('z', { index: 1 })),
      'xzy',
    ),
  );
  test(
    'by index, when the table was made anew before',
    becomes(
      () =>
        transaction()
          .delete({ table: { family: 'inet', name: 't' } })
          .concat(base)
          .add(rule('x'), rule('y', { index: 0 })),
      'xy',
    ),
  );
  test('a hundred rules by index, each before the last', () =>
    withKernel(async ({ nft }) => {
      const names = Array.from({ length: 100 }, (_, i) => String.fromCharCode(0x4e00 + i));
      const [first = '', ...rest] = names;
      await nft.commit(rest.reduce((tx, name) => tx.insert(rule(name, { index: 0 })), base.add(rule(first))));
      assert.equal(await order(nft), [...names].reverse().join(''));
    }));
  test('an index is that of the moment of the commit, whoever else adds rules meanwhile', () =>
    withRules(async ({ nft, netns }) => {
      await using other = connect({ netns });
      const busy = async () => {
        for (let i = 0; i < 30; i++) await other.commit(transaction().add(rule('.')));
      };
      const placing = async () => {
        for (let i = 0; i < 10; i++) await nft.commit(transaction().insert(rule('x', { index: 0 })));
      };
      await Promise.all([busy(), placing()]);
      assert.equal(await order(nft), `${'x'.repeat(10)}abc${'.'.repeat(30)}`);
    }));
});

suite('handles', requires('root', 'netns'), () => {
  test('of everything that was made are told, by command', () =>
    withKernel(async ({ nft }) => {
      const { handles } = await nft.commit(
        base.add(
          { set: { family: 'inet', table: 't', name: 's', type: 'ipv4_addr', elem: ['192.0.2.1'] } },
          { counter: { family: 'inet', table: 't', name: 'n' } },
          rule('a'),
          { rule: { ...place, expr: [{ match: vmap }, { accept: null }] } },
        ),
      );
      const listed = elementsOf(await nft.list()).map((element) => {
        const [[kind, { handle }]] = Object.entries(element) as [[string, { handle: number }]];
        return [kind, handle] as const;
      });
      assert.deepEqual([...handles.keys()].sort(), [0, 1, 2, 3, 4, 5]);
      const kinds = ['table', 'chain', 'set', 'counter', 'rule', 'rule'];
      for (const [index, kind] of kinds.entries()) {
        const told = Number(handles.get(index));
        assert.ok(
          listed.some(([is, handle]) => is === kind && handle === told),
          `${kind} ${told}`,
        );
      }
      assert.notEqual(handles.get(4), handles.get(5));
    }));

  test('of a rule that replaced another are told too', () =>
    withRules(async ({ nft }, handle) => {
      const { handles } = await nft.commit(transaction().replace(rule('x', { handle: handle('b') })));
      assert.deepEqual(
        (await placed(nft)).find(([comment]) => comment === 'x'),
        ['x', Number(handles.get(0))],
      );
    }));

  test('commitSync tells them as well', () =>
    withKernel(async ({ nft }) => {
      const { handles, generation } = nft.commitSync(base.add(rule('a'), rule('b', { index: 0 })));
      assert.deepEqual(
        (await placed(nft)).map(([, handle]) => BigInt(handle)),
        [handles.get(2), handles.get(3)],
      );
      assert.equal(generation, await nft.generation());
      assert.throws(() => nft.commitSync(transaction().delete(rule('', { handle: 999 }))), {
        code: 'ENOENT',
        path: 'nftables[0].delete.rule',
      });
    }));
});

const vmap = {
  op: '==',
  left: { payload: { protocol: 'tcp', field: 'dport' } },
  right: { set: [22, 80] },
} as const;
