import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { Ruleset } from '../../../src/index.ts';
import { type FakeConnection, fakeConnection } from '../../../src/testing/index.ts';

const place = { family: 'inet', table: 't' } as const;
const counted = (val: unknown, packets: number) => ({ elem: { val, counter: { packets, bytes: 0 } } });
const ranges = { range: ['10.0.0.10', '10.0.0.20'] };
const made = {
  nftables: [
    { table: { family: 'inet', name: 't' } },
    {
      set: {
        ...place,
        name: 's',
        type: 'ipv4_addr',
        stmt: [{ counter: null }],
        elem: [counted('10.0.0.1', 1), counted('10.0.0.2', 2), counted('*', 3)],
      },
    },
    {
      set: {
        ...place,
        name: 'r',
        type: 'ipv4_addr',
        flags: ['interval'],
        stmt: [{ counter: null }],
        elem: [counted(ranges, 4), counted('10.0.1.1', 5)],
      },
    },
    {
      set: {
        ...place,
        name: 'p',
        type: ['ipv4_addr', 'inet_service'],
        stmt: [{ counter: null }],
        elem: [counted({ concat: ['10.0.0.1', 22] }, 6)],
      },
    },
    {
      map: {
        ...place,
        name: 'm',
        type: 'ipv4_addr',
        map: 'verdict',
        stmt: [{ counter: null }],
        elem: [[counted('10.0.0.1', 7), { drop: null }]],
      },
    },
  ],
} as unknown as Ruleset;

/** Packets by the text of the element, of all sets. */
function packets(listed: readonly unknown[]): Record<string, number> {
  const found: Record<string, number> = {};
  for (const item of listed as Record<string, { name: string; elem?: unknown[] }>[]) {
    const node = item.set ?? item.map;
    for (const one of node?.elem ?? []) {
      const { elem } = (Array.isArray(one) ? one[0] : one) as {
        elem: { val: unknown; counter: { packets: number } };
      };
      found[`${node?.name} ${JSON.stringify(elem.val)}`] = elem.counter.packets;
    }
  }
  return found;
}

const reset = async (nft: FakeConnection, name: string, ...elem: unknown[]) => {
  const command = { reset: { element: { ...place, name, elem } } };
  return packets((await nft.commit([command] as unknown as Ruleset['nftables'])).reset.get(0) ?? []);
};

suite('reset of single elements', () => {
  for (const [what, name, elem, before] of [
    ['an address', 's', ['10.0.0.2'], { 's "10.0.0.2"': 2 }],
    ['several', 's', ['10.0.0.1', '*'], { 's "10.0.0.1"': 1, 's "*"': 3 }],
    ['an interval', 'r', [ranges], { 'r {"range":["10.0.0.10","10.0.0.20"]}': 4 }],
    ['a concatenation', 'p', [{ concat: ['10.0.0.1', 22] }], { 'p {"concat":["10.0.0.1",22]}': 6 }],
    ['of a map', 'm', [['10.0.0.1', { drop: null }]], { 'm "10.0.0.1"': 7 }],
  ] as const) {
    test(`${what}: told as before, at zero afterwards, the others as they were`, async () => {
      using nft = fakeConnection();
      await nft.commit(made);
      const all = packets((await nft.list()).nftables);
      assert.deepEqual(await reset(nft, name, ...elem), before);
      const zeros = Object.fromEntries(Object.keys(before).map((key) => [key, 0]));
      assert.deepEqual(packets((await nft.list()).nftables), { ...all, ...zeros });
    });
  }

  test('where one is not there, none is reset', async () => {
    using nft = fakeConnection();
    await nft.commit(made);
    const all = packets((await nft.list()).nftables);
    await assert.rejects(reset(nft, 's', '10.0.0.1', '10.0.0.9'), {
      code: 'ENOENT',
      message: /\[0\]\.reset\.element\.elem\[1\]: there is no such element in s/,
    });
    await assert.rejects(reset(nft, 'nowhere', '10.0.0.1'), {
      code: 'ENOENT',
      message: /no set or map nowhere/,
    });
    assert.deepEqual(packets((await nft.list()).nftables), all);
  });

  test('what cannot be an element is refused at its place', async () => {
    using nft = fakeConnection();
    await nft.commit(made);
    await assert.rejects(reset(nft, 's', 'nobody'), {
      name: 'CompileError',
      path: '[0].reset.element.elem[0]',
    });
  });
});
