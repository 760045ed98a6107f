import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { type Commands, connect, type RulesetElement, transaction } from '../../src/index.ts';
import { find, type Kernel, rulesOf, withKernel } from '../support/kernel.ts';
import { requires } from '../support/requirements.ts';
import { sortedText } from './comparable.ts';

const place = { family: 'inet', table: 't' } as const;
const table = { table: { family: 'inet', name: 't' } } as const;
const chain = { chain: { ...place, name: 'c' } } as const;
const field = (protocol: string, name: string) => ({ payload: { protocol, field: name } });
const saddr = field('ip', 'saddr');
const dport = field('tcp', 'dport');
const rule = (...expr: readonly object[]) => ({ rule: { ...place, chain: 'c', expr: expr as never } });
const accept = { accept: null };
const prefix = (addr: string, len: number) => ({ prefix: { addr, len } });

/** A set or map, a rule that looks into it, and the same in nft's syntax. */
interface Lookup {
  readonly made: readonly RulesetElement[];
  readonly rule: readonly object[];
  readonly text: string;
}

const lookups: Readonly<Record<string, Lookup>> = {
  'a set': {
    made: [{ set: { ...place, name: 's', type: 'ipv4_addr', elem: ['192.0.2.1'] } }],
    rule: [{ match: { op: '==', left: saddr, right: '@s' } }, accept],
    text: 'set s { type ipv4_addr; elements = { 192.0.2.1 }; }\n chain c { ip saddr @s accept; }',
  },
  'an interval set': {
    made: [
      {
        set: {
          ...place,
          name: 's',
          type: 'ipv4_addr',
          flags: ['interval'],
          elem: [prefix('10.0.0.0', 8), prefix('11.0.0.0', 8), '192.0.2.1'],
        },
      },
    ],
    rule: [{ match: { op: '!=', left: saddr, right: '@s' } }, accept],
    text: 'set s { type ipv4_addr; flags interval; elements = { 10.0.0.0/8, 11.0.0.0/8, 192.0.2.1 }; }\n chain c { ip saddr != @s accept; }',
  },
  'an interval set in host byte order': {
    made: [
      { set: { ...place, name: 's', type: 'mark', flags: ['interval'], elem: [{ range: [1, 256] }, 4096] } },
    ],
    rule: [{ match: { op: '==', left: { meta: { key: 'mark' } }, right: '@s' } }, accept],
    text: 'set s { type mark; flags interval; elements = { 1-256, 4096 }; }\n chain c { meta mark @s accept; }',
  },
  'a concatenated set': {
    made: [
      {
        set: {
          ...place,
          name: 's',
          type: ['ipv4_addr', 'inet_service'],
          elem: [{ concat: ['192.0.2.1', 80] }],
        },
      },
    ],
    rule: [{ match: { op: '==', left: { concat: [saddr, dport] }, right: '@s' } }, accept],
    text: 'set s { type ipv4_addr . inet_service; elements = { 192.0.2.1 . 80 }; }\n chain c { ip saddr . tcp dport @s accept; }',
  },
  'a concatenated interval set': {
    made: [
      {
        set: {
          ...place,
          name: 's',
          type: ['ipv4_addr', 'inet_service', 'mark'],
          flags: ['interval'],
          elem: [{ concat: [prefix('10.0.0.0', 8), { range: [80, 90] }, { range: [1, 256] }] }],
        },
      },
    ],
    rule: [
      { match: { op: '==', left: { concat: [saddr, dport, { meta: { key: 'mark' } }] }, right: '@s' } },
      accept,
    ],
    text: 'set s { type ipv4_addr . inet_service . mark; flags interval; elements = { 10.0.0.0/8 . 80-90 . 1-256 }; }\n chain c { ip saddr . tcp dport . meta mark @s accept; }',
  },
  'a map': {
    made: [{ map: { ...place, name: 's', type: 'ipv4_addr', map: 'mark', elem: [['192.0.2.1', 7]] } }],
    rule: [{ mangle: { key: { meta: { key: 'mark' } }, value: { map: { key: saddr, data: '@s' } } } }],
    text: 'map s { type ipv4_addr : mark; elements = { 192.0.2.1 : 7 }; }\n chain c { meta mark set ip saddr map @s; }',
  },
  'a verdict map': {
    made: [
      { chain: { ...place, name: 'd' } },
      {
        map: {
          ...place,
          name: 's',
          type: 'inet_service',
          map: 'verdict',
          elem: [
            [22, { accept: null }],
            [80, { jump: { target: 'd' } }],
          ] as never,
        },
      },
    ],
    rule: [{ vmap: { key: dport, data: '@s' } }],
    text: 'map s { type inet_service : verdict; elements = { 22 : accept, 80 : jump d }; }\n chain d { }\n chain c { tcp dport vmap @s; }',
  },
  'a map of ranges to verdicts': {
    made: [
      {
        map: {
          ...place,
          name: 's',
          type: 'ipv4_addr',
          map: 'verdict',
          flags: ['interval'],
          elem: [
            [prefix('10.0.0.0', 8), { drop: null }],
            [prefix('11.0.0.0', 8), { accept: null }],
          ] as never,
        },
      },
    ],
    rule: [{ vmap: { key: saddr, data: '@s' } }],
    text: 'map s { type ipv4_addr : verdict; flags interval; elements = { 10.0.0.0/8 : drop, 11.0.0.0/8 : accept }; }\n chain c { ip saddr vmap @s; }',
  },
  'a map of objects': {
    made: [
      { counter: { ...place, name: 'n' } },
      { map: { ...place, name: 's', type: 'ipv4_addr', map: 'counter', elem: [['192.0.2.1', 'n']] } },
    ],
    rule: [{ counter: { map: { key: saddr, data: '@s' } } }],
    text: 'counter n { }\n map s { type ipv4_addr : counter; elements = { 192.0.2.1 : "n" }; }\n chain c { counter name ip saddr map @s; }',
  },
  'a set that rules fill': {
    made: [{ set: { ...place, name: 's', type: 'ipv4_addr', size: 100, timeout: 60, flags: ['dynamic'] } }],
    rule: [{ set: { op: 'update', elem: { elem: { val: saddr, timeout: 5 } }, set: '@s' } }],
    text: 'set s { type ipv4_addr; size 100; timeout 60s; flags dynamic; }\n chain c { update @s { ip saddr timeout 5s }; }',
  },
};

/** What the kernel has, as libnftnl prints it. */
function bytecode({ run }: Kernel): string[] {
  return run('nft', ['--debug=netlink', 'list', 'ruleset'])
    .split('\n')
    .filter((line) => line.includes('['))
    .sort();
}

suite('rules that name', requires('root', 'netns', 'nft'), () => {
  for (const [name, { made, rule: expr, text }] of Object.entries(lookups)) {
    const together = transaction().add(table, chain, ...made, rule(...expr));
    const [first, second] = [transaction().add(table, chain, ...made), transaction().add(rule(...expr))];
    const ways: Record<string, readonly Commands[]> = {
      'of the same transaction': [together],
      'that the kernel has': [first, second],
    };
    for (const [where, steps] of Object.entries(ways)) {
      test(`${name} ${where}: as nft makes them`, () =>
        withKernel(async (ours) => {
          for (const commands of steps) await ours.nft.commit(commands);
          assert.deepEqual(rulesOf(await ours.nft.list(), 'c'), [expr]);
          await withKernel(async (nfts) => {
            nfts.load(`table inet t {\n ${text}\n}`);
            const expected = bytecode(nfts);
            assert.ok(expected.length > 1);
            assert.deepEqual(bytecode(ours), expected);
            assert.deepEqual(sortedText(ours.text()).sort(), sortedText(nfts.text()).sort());
          });
        }));
    }
  }
});

suite('elements', requires('root', 'netns'), () => {
  const nets = { set: { ...place, name: 's', type: 'ipv4_addr', flags: ['interval'] } } as const;
  const element = (...elem: readonly unknown[]) => ({ element: { ...place, name: 's', elem } }) as never;

  test('a plain address in an interval set is one host, also at the ends of the world', () =>
    withKernel(async ({ nft }) => {
      const hosts = ['0.0.0.0', '192.0.2.1', '255.255.255.255'];
      await nft.commit(transaction().add(table, nets));
      await nft.commit(transaction().add(element(...hosts)));
      assert.deepEqual(find(await nft.list(), 'set', 's').elem, hosts);
      await nft.commit(transaction().add(element('192.0.2.2')));
      await nft.commit(transaction().delete(element('192.0.2.1')));
      assert.deepEqual(find(await nft.list(), 'set', 's').elem, ['0.0.0.0', '192.0.2.2', '255.255.255.255']);
    }));

  test('a prefix or range in a set without intervals is refused', () =>
    withKernel(async ({ nft }) => {
      await nft.commit(transaction().add(table, { set: { ...place, name: 's', type: 'ipv4_addr' } }));
      const before = await nft.generation();
      for (const wrong of [prefix('10.0.0.0', 8), { range: ['10.0.0.1', '10.0.0.2'] }]) {
        await assert.rejects(nft.commit(transaction().add(element('192.0.2.1', wrong))), {
          name: 'CompileError',
          path: 'nftables[0].add.element.elem[1]',
          message: /interval/,
        });
      }
      assert.equal(await nft.generation(), before);
    }));

  test('ranges that touch stay apart, and each can go', () =>
    withKernel(async ({ nft }) => {
      const [a, b, c] = [prefix('10.0.0.0', 8), prefix('11.0.0.0', 8), prefix('12.0.0.0', 8)];
      await nft.commit(transaction().add(table, { set: { ...nets.set, elem: [a, b, c] } }));
      await nft.commit(transaction().delete(element(b)));
      assert.deepEqual(find(await nft.list(), 'set', 's').elem, [a, c]);
      await nft.commit(transaction().add(element(b)));
      assert.deepEqual(find(await nft.list(), 'set', 's').elem, [a, b, c]);
    }));

  test('with auto-merge ranges that touch or overlap become one', () =>
    withKernel(async ({ nft }) => {
      const elem = [
        prefix('10.0.0.0', 25),
        prefix('10.0.0.128', 25),
        { range: ['10.0.0.200', '10.0.1.255'] },
      ];
      await nft.commit(transaction().add(table, { set: { ...nets.set, 'auto-merge': true, elem } } as never));
      assert.deepEqual(find(await nft.list(), 'set', 's').elem, [prefix('10.0.0.0', 23)]);
    }));

  test('carry a timeout, a comment and counters of 64 bits', () =>
    withKernel(async ({ nft }) => {
      const packets = 2n ** 64n - 1n;
      const elem = {
        elem: { val: '192.0.2.1', timeout: 3600, comment: 'one', counter: { packets, bytes: 1 } },
      };
      await nft.commit(
        transaction().add(table, {
          set: {
            ...place,
            name: 's',
            type: 'ipv4_addr',
            flags: ['timeout'],
            stmt: [{ counter: null }],
            elem: [elem],
          },
        } as never),
      );
      const [listed] = find(await nft.list(), 'set', 's').elem as [{ elem: Record<string, unknown> }];
      const { expires, ...rest } = listed.elem;
      assert.deepEqual(rest, elem.elem);
      assert.ok(Number(expires) > 3590 && Number(expires) <= 3600);
    }));
});

suite('what others got wrong', requires('root', 'netns'), () => {
  const base = (policy: 'accept' | 'drop', name: string, hook: string) => ({
    chain: { ...place, name, type: 'filter', hook, prio: 0, policy } as never,
  });

  test('a drop policy is read back as drop', () =>
    withKernel(async ({ nft }) => {
      await nft.commit(
        transaction().add(table, base('drop', 'i', 'input'), base('accept', 'o', 'output'), chain),
      );
      const ruleset = await nft.list();
      const policies = ['i', 'o', 'c'].map((name) => find(ruleset, 'chain', name).policy);
      assert.deepEqual(policies, ['drop', 'accept', undefined]);
    }));

  test('counters have 64 bits', () =>
    withKernel(async ({ nft }) => {
      const counter = { packets: 2n ** 64n - 1n, bytes: 2n ** 53n + 1n };
      await nft.commit(
        transaction().add(
          table,
          chain,
          { counter: { ...place, name: 'n', ...counter } },
          rule({ counter }, accept),
        ),
      );
      const ruleset = await nft.list();
      const { packets, bytes } = find(ruleset, 'counter', 'n');
      assert.deepEqual({ packets, bytes }, counter);
      assert.deepEqual(rulesOf(ruleset, 'c'), [[{ counter }, accept]]);
    }));

  test('a batched delete of what is not there removes nothing, and is reported', () =>
    withKernel(async ({ nft }) => {
      const set = {
        set: { ...place, name: 's', type: 'ipv4_addr', elem: ['192.0.2.1', '192.0.2.2'] },
      } as const;
      await nft.commit(transaction().add(table, set));
      const element = (elem: string) => ({ element: { ...place, name: 's', elem: [elem] } });
      await assert.rejects(
        nft.commit(transaction().delete(element('192.0.2.1'), element('192.0.2.9'), element('192.0.2.2'))),
        { code: 'ENOENT', operation: 1, path: 'nftables[1].delete.element.elem[0]' },
      );
      assert.equal((find(await nft.list(), 'set', 's').elem as unknown[]).length, 2);
    }));

  test('devices are read back', () =>
    withKernel(async ({ nft, run }) => {
      for (const name of ['d1', 'd2']) run('ip', ['link', 'add', name, 'type', 'bridge']);
      const on = (name: string, dev: unknown) => ({
        chain: { family: 'netdev', table: 'n', name, type: 'filter', hook: 'ingress', prio: 0, dev } as never,
      });
      await nft.commit(
        transaction().add(
          { table: { family: 'netdev', name: 'n' } },
          on('one', 'd1'),
          on('two', ['d1', 'd2']),
        ),
      );
      const ruleset = await nft.list();
      assert.deepEqual(
        ['one', 'two'].map((name) => find(ruleset, 'chain', name).dev),
        ['d1', ['d1', 'd2']],
      );
    }));

  test('a table with an owner is his alone, and goes with him', () =>
    withKernel(async ({ nft, netns }) => {
      const owned = { table: { family: 'inet', name: 'mine', flags: ['owner'] } } as const;
      const owner = connect({ netns });
      await owner.commit(transaction().add(owned));
      await assert.rejects(nft.commit(transaction().add({ chain: { ...place, table: 'mine', name: 'c' } })), {
        code: 'EPERM',
        advice: /owner/,
      });
      await nft.commit([{ flush: { ruleset: null } }]);
      find(await nft.list(), 'table', 'mine');
      await owner[Symbol.asyncDispose]();
      assert.equal((await nft.list()).nftables.length, 1);
    }));
});
