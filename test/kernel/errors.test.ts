import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { type Commands, TransactionError, transaction } from '../../src/index.ts';
import { elementsOf, type Kernel, rulesOf, withKernel } from '../support/kernel.ts';
import { requires } from '../support/requirements.ts';

const place = { family: 'inet', table: 't' } as const;
const table = { table: { family: 'inet', name: 't' } } as const;
const chain = { chain: { ...place, name: 'c' } } as const;
const set = { set: { ...place, name: 's', type: 'ipv4_addr' } } as const;
const accept = { accept: null } as const;
const rule = (...expr: readonly object[]) => ({ rule: { ...place, chain: 'c', expr: expr as never } });

const base = transaction().add(table, chain, set);

/** What the kernel says to commands, after {@link base}. */
async function refusal({ nft }: Kernel, commands: Commands): Promise<TransactionError> {
  const before = await nft.list();
  try {
    await nft.commit(commands);
  } catch (error) {
    assert.ok(error instanceof TransactionError, String(error));
    assert.equal(error.outcome, 'refused');
    assert.deepEqual(await nft.list(), before, 'something took effect');
    return error;
  }
  assert.fail('the kernel took it');
}

function refused(commands: Commands, expected: object): () => Promise<void> {
  return () =>
    withKernel(async (kernel) => {
      await kernel.nft.commit(base);
      const error = await refusal(kernel, commands);
      for (const [key, value] of Object.entries(expected)) {
        const actual = (error as unknown as Record<string, unknown>)[key];
        if (value instanceof RegExp) assert.match(String(actual), value);
        else assert.deepEqual(actual, value, key);
      }
    });
}

suite('what the kernel refuses', requires('root', 'netns'), () => {
  const jump = rule({ jump: { target: 'c' } });

  test(
    'ENOENT: a rule of a chain that is not there',
    refused([{ add: { rule: { ...place, chain: 'x', expr: [accept] } } }], {
      code: 'ENOENT',
      errno: 2,
      operation: 0,
      path: '[0].add.rule',
      command: { add: { rule: { ...place, chain: 'x', expr: [accept] } } },
      advice: /does not exist/,
      message: /^\[0\]\.add\.rule: ENOENT/,
    }),
  );
  test(
    'ENOENT: a jump to nowhere',
    refused(transaction().add(rule({ jump: { target: 'x' } })), {
      code: 'ENOENT',
      path: 'nftables[0].add.rule',
    }),
  );
  test(
    'EOPNOTSUPP: a base chain that is at another hook already',
    refused(
      transaction()
        .add({ chain: { ...place, name: 'b', type: 'filter', hook: 'input', prio: 0 } })
        .add({ chain: { ...place, name: 'b', type: 'filter', hook: 'output', prio: 0 } }),
      { code: /^(EOPNOTSUPP|EEXIST)$/, operation: 1, path: 'nftables[1].add.chain' },
    ),
  );
  test('EBUSY: a chain that a rule jumps to', () =>
    withKernel(async (kernel) => {
      await kernel.nft.commit(base);
      const from = { chain: { ...place, name: 'd' } };
      await kernel.nft.commit(
        transaction().add(from, { rule: { ...place, chain: 'd', expr: jump.rule.expr } }),
      );
      const error = await refusal(kernel, transaction().add(table).delete(chain));
      assert.deepEqual([error.code, error.path], ['EBUSY', 'nftables[1].delete.chain']);
      assert.match(error.advice ?? '', /in use/);
    }));
  test('EBUSY: a set that a rule looks into', () =>
    withKernel(async (kernel) => {
      await kernel.nft.commit(base);
      const left = { payload: { protocol: 'ip', field: 'saddr' } };
      await kernel.nft.commit(transaction().add(rule({ match: { op: '==', left, right: '@s' } }, accept)));
      const error = await refusal(kernel, transaction().delete(set));
      assert.deepEqual([error.code, error.path], ['EBUSY', 'nftables[0].delete.set']);
    }));
  test(
    'EINVAL: a set of another type under the same name',
    refused([{ add: { set: { ...place, name: 's', type: 'ipv6_addr' } } }], {
      code: /^(EEXIST|EINVAL)$/,
      path: '[0].add.set',
    }),
  );
  test(
    'ELOOP: chains that jump in a circle',
    refused(
      transaction()
        .add({ chain: { ...place, name: 'b', type: 'filter', hook: 'input', prio: 0 } })
        .add({ chain: { ...place, name: 'd' } }, { rule: { ...place, chain: 'd', expr: jump.rule.expr } })
        .add({ rule: { ...place, chain: 'b', expr: [{ jump: { target: 'd' } }] } })
        .add(rule({ jump: { target: 'd' } })),
      { code: /^(ELOOP|EMLINK)$/, outcome: 'refused' },
    ),
  );
  test('ENFILE: a set that is full', () =>
    withKernel(async (kernel) => {
      await kernel.nft.commit(
        transaction().add(table, { set: { ...set.set, size: 2, elem: ['192.0.2.1', '192.0.2.2'] } }),
      );
      const more = { element: { ...place, name: 's', elem: ['192.0.2.3'] } };
      const error = await refusal(kernel, transaction().add(more));
      assert.deepEqual(
        [error.code, error.errno, error.path],
        ['ENFILE', 23, 'nftables[0].add.element.elem[0]'],
      );
      assert.match(error.advice ?? '', /larger size/);
    }));
  test('every refusal is told, the first one first', () =>
    withKernel(async (kernel) => {
      await kernel.nft.commit(base);
      const missing = (name: string) => ({ chain: { ...place, name } });
      const error = await refusal(kernel, transaction().delete(missing('x'), chain, missing('y')));
      assert.deepEqual(
        error.refusals.map(({ code, operation, path }) => [code, operation, path]),
        [
          ['ENOENT', 0, 'nftables[0].delete.chain'],
          ['ENOENT', 2, 'nftables[2].delete.chain'],
        ],
      );
      assert.match(error.message, /and 1 more$/);
    }));
});

suite('what is refused here', requires('root', 'netns'), () => {
  const ip = { payload: { protocol: 'ip', field: 'saddr' } };
  const cases: Record<string, readonly [command: object, path: string, words: RegExp]> = {
    'a set that is not there': [
      rule({ match: { op: '==', left: ip, right: '@none' } }),
      'nftables[1].add.rule.expr[0].match.right',
      /none/,
    ],
    'an address that is none': [
      rule({ match: { op: '==', left: ip, right: '192.0.2.256' } }),
      'nftables[1].add.rule.expr[0].match.right',
      /192\.0\.2\.256/,
    ],
    'a statement that is none': [rule({ acept: null }), 'nftables[1].add.rule.expr[0]', /acept/],
    'an element of another type': [
      { element: { ...place, name: 's', elem: ['192.0.2.1', '2001:db8::1'] } },
      'nftables[1].add.element.elem[1]',
      /2001:db8::1/,
    ],
    'an element of a set that is not there': [
      { element: { ...place, name: 'none', elem: ['192.0.2.1'] } },
      'nftables[1].add.element.name',
      /none/,
    ],
    'a rule without statements': [{ rule: { ...place, chain: 'c' } }, 'nftables[1].add.rule', /expr/],
    'an index that no rule has': [
      { rule: { ...place, chain: 'c', index: 3, expr: [accept] } },
      'nftables[1].add.rule.index',
      /0 rules/,
    ],
    'a comment that is too long': [
      { rule: { ...place, chain: 'c', expr: [accept], comment: 'x'.repeat(129) } },
      'nftables[1].add.rule.comment',
      /128/,
    ],
    'a map without values': [
      { map: { ...place, name: 'm', type: 'ipv4_addr' } },
      'nftables[1].add.map',
      /map/,
    ],
    'overlapping intervals': [
      {
        set: {
          ...place,
          name: 'o',
          type: 'ipv4_addr',
          flags: ['interval'],
          elem: [
            { prefix: { addr: '10.0.0.0', len: 8 } },
            '192.0.2.1',
            { prefix: { addr: '10.1.0.0', len: 16 } },
          ],
        },
      },
      'nftables[1].add.set.elem[2]',
      /overlaps/,
    ],
  };
  for (const [name, [command, path, words]] of Object.entries(cases)) {
    test(`${name}: nothing is sent`, () =>
      withKernel(async ({ nft }) => {
        await nft.commit(base);
        const before = await nft.generation();
        const commands = {
          nftables: [{ add: { table: { family: 'ip', name: 'other' } } }, { add: command }],
        };
        for (const attempt of [nft.commit(commands as never), nft.check(commands as never)]) {
          await assert.rejects(attempt, (error: { name: string; path: string; message: string }) => {
            assert.deepEqual([error.name, error.path], ['CompileError', path]);
            assert.match(error.message, words);
            return true;
          });
        }
        assert.throws(() => nft.commitSync(commands as never), { name: 'CompileError', path });
        assert.equal(await nft.generation(), before);
      }));
  }
});

suite('check', requires('root', 'netns'), () => {
  test('commits nothing, and finds what commit would', () =>
    withKernel(async ({ nft }) => {
      await nft.commit(base);
      const before = await nft.list();
      const generation = await nft.generation();
      const fine = transaction()
        .add(rule(accept))
        .delete(set)
        .add({ table: { family: 'ip', name: 'other' } });
      await nft.check(fine);
      await assert.rejects(nft.check(fine.concat(transaction().delete(set))), {
        name: 'TransactionError',
        outcome: 'refused',
        code: 'ENOENT',
        operation: 3,
        path: 'nftables[3].delete.set',
      });
      assert.deepEqual(await nft.list(), before);
      assert.equal(await nft.generation(), generation);
      await nft.commit(fine);
      const after = await nft.list();
      assert.deepEqual(rulesOf(after, 'c'), [[accept]]);
      assert.equal(elementsOf(after).length, 4);
    }));
});
