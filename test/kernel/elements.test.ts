import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { suite, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import {
  type Column,
  type Connection,
  type Expression,
  packing,
  TornError,
  transaction,
} from '../../src/index.ts';
import { MESSAGE } from '../../src/message/index.ts';
import { find, withKernel } from '../support/kernel.ts';
import { requires } from '../support/requirements.ts';

const place = { family: 'inet', table: 't', name: 's' } as const;
const table = { table: { family: 'inet', name: 't' } } as const;

/** How many elements are streamed; NFTJS_ELEMENTS=1000000 is what a release is tried with. */
const COUNT = Number(process.env.NFTJS_ELEMENTS ?? 100_000);

const text = (node: unknown) => JSON.stringify(node);
const sorted = (nodes: readonly unknown[]) => nodes.map(text).sort();

async function iterated(nft: Connection): Promise<Expression[]> {
  const elements: Expression[] = [];
  for await (const element of nft.elements(place)) elements.push(element);
  return elements;
}

const hex = ({ bytes, stride }: Column) =>
  Array.from({ length: bytes.length / stride }, (_, i) =>
    Buffer.from(bytes.subarray(i * stride, (i + 1) * stride)).toString('hex'),
  );

const numbers = Array.from({ length: 3000 }, (_, i) => i);

/** Sets and maps of all kinds. */
const sets: Readonly<Record<string, object>> = {
  addresses: { type: 'ipv4_addr', elem: numbers.map((i) => `10.0.${i >> 8}.${i & 255}`) },
  'one element': { type: 'inet_service', elem: [22] },
  'no element': { type: 'inet_service' },
  concatenations: {
    type: ['ifname', 'ether_addr', 'ipv6_addr'],
    size: 3000,
    elem: numbers.map((i) => ({
      concat: [`eth${i}`, '02:00:00:00:00:01', `2001:db8::${(i + 1).toString(16)}`],
    })),
  },
  'a catch-all element': { type: 'ipv4_addr', elem: ['10.0.0.1', '*'] },
  'comments, timeouts and counters': {
    type: 'mark',
    flags: ['timeout'],
    stmt: [{ counter: null }],
    elem: [
      { elem: { val: 1, comment: 'one', counter: { packets: 3, bytes: 180 } } },
      { elem: { val: 2, timeout: 3600, counter: { packets: 0, bytes: 0 } } },
    ],
  },
  ranges: {
    type: 'inet_service',
    flags: ['interval'],
    elem: [
      { range: [5, 10] },
      { range: [11, 20] },
      { elem: { val: 35, comment: 'here' } },
      ...numbers.map((i) => ({ range: [1000 + i * 4, 1002 + i * 4] })),
      { range: [50_000, 65_535] },
    ],
  },
  'one range': { type: 'ipv4_addr', flags: ['interval'], elem: [{ prefix: { addr: '10.0.0.0', len: 8 } }] },
  'everything as a range': {
    type: 'ipv4_addr',
    flags: ['interval'],
    elem: [{ prefix: { addr: '0.0.0.0', len: 0 } }],
  },
  'ranges of concatenations': {
    type: ['ipv4_addr', 'inet_service'],
    flags: ['interval'],
    elem: [
      { concat: [{ prefix: { addr: '10.0.0.0', len: 8 } }, { range: [1, 9] }] },
      { concat: ['192.0.2.1', 22] },
    ],
  },
  'a map': {
    type: 'inet_service',
    map: 'ipv4_addr',
    elem: numbers.map((i) => [i + 1, `10.0.${i >> 8}.${i & 255}`]),
  },
  'a verdict map': {
    type: 'inet_service',
    map: 'verdict',
    elem: numbers.map((i) => [i + 1, i % 2 === 0 ? { accept: null } : { drop: null }]),
  },
};

suite('the elements of a set', requires('root', 'netns'), () => {
  for (const [name, set] of Object.entries(sets)) {
    test(`${name}: one by one as in a listing`, () =>
      withKernel(async ({ nft }) => {
        const kind = 'map' in set ? 'map' : 'set';
        await nft.commit(transaction().add(table, { [kind]: { ...place, ...set } } as never));
        const listed = (find(await nft.list(), kind, 's').elem ?? []) as Expression[];
        const elements = await iterated(nft);
        const passing = (nodes: readonly Expression[]) =>
          sorted(nodes).map((node) => node.replace(/,"expires":\d+/, ''));
        assert.deepEqual(passing(elements), passing(listed));
        const columns = await nft.elements(place).columns();
        assert.equal(columns.length + (columns.catchall === undefined ? 0 : 1), listed.length);
      }));
  }

  test('are columns of bytes, which are rows to load elsewhere', () =>
    withKernel(async ({ nft }) => {
      const { type, elem } = sets.concatenations as {
        type: ['ifname', 'ether_addr', 'ipv6_addr'];
        elem: Expression[];
      };
      await nft.commit(transaction().add(table, { set: { ...place, type, elem } } as never));
      const { length, keys } = await nft.elements(place).columns();
      const layout = packing({ type });
      assert.equal(length, elem.length);
      assert.deepEqual([keys.stride, keys.fields], [layout.stride, layout.key]);
      await nft.commit([
        { flush: { set: place } },
        { add: { element: { ...place, elem: layout.elements(keys.bytes) } } },
      ] as never);
      assert.deepEqual(sorted(await iterated(nft)), sorted(elem));
    }));

  test('are columns of first and last keys where they are ranges', () =>
    withKernel(async ({ nft }) => {
      const elem = [{ range: [5, 10] }, 11, { range: [12, 20] }, { range: [40, 65_535] }];
      await nft.commit(
        transaction().add(table, {
          set: { ...place, type: 'inet_service', flags: ['interval'], elem },
        } as never),
      );
      const { keys, lastKeys } = await nft.elements(place).columns();
      assert.deepEqual(hex(keys), ['00050000', '000b0000', '000c0000', '00280000']);
      assert.deepEqual(lastKeys && hex(lastKeys), ['000a0000', '000b0000', '00140000', 'ffff0000']);
    }));

  test('are columns of what they carry', () =>
    withKernel(async ({ nft }) => {
      const set = sets['comments, timeouts and counters'];
      await nft.commit(transaction().add(table, { set: { ...place, ...set } } as never));
      const { keys, timeouts, expires, packets, bytes } = await nft.elements(place).columns();
      const row = (mark: number) =>
        hex(keys).findIndex((key) => Buffer.from(key, 'hex').readUInt32LE() === mark);
      const [one, two] = [row(1), row(2)];
      assert.deepEqual([packets?.[one], bytes?.[one], timeouts?.[one]], [3n, 180n, 0]);
      assert.deepEqual([packets?.[two], bytes?.[two], timeouts?.[two]], [0n, 0n, 3_600_000]);
      assert.ok((expires?.[two] ?? 0) > 3_590_000 && (expires?.[two] ?? 0) <= 3_600_000);
    }));

  test('are columns of what they map to', () =>
    withKernel(async ({ nft }) => {
      await nft.commit(transaction().add(table, { map: { ...place, ...sets['a verdict map'] } } as never));
      const { keys, targets } = await nft.elements(place).columns();
      assert.ok(targets);
      const pairs = hex(keys).map((key, i) => [
        Number.parseInt(key.slice(0, 4), 16),
        targets.choices[targets.numbers[i] ?? -1],
      ]);
      assert.equal(targets.choices.length, 2);
      assert.deepEqual(sorted(pairs), sorted((sets['a verdict map'] as { elem: unknown[] }).elem));
      await nft.commit(transaction().delete(table));
      await nft.commit(transaction().add(table, { map: { ...place, ...sets['a map'] } } as never));
      const { values } = await nft.elements(place).columns();
      assert.equal(values && new Set(hex(values)).size, numbers.length);
    }));

  test('are told each once while the kernel rearranges them', () =>
    withKernel(async ({ nft }) => {
      const elem = Array.from({ length: 100_000 }, (_, i) => `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`);
      const set = { set: { ...place, type: 'ipv4_addr', elem } } as const;
      for (let round = 0; round < 2; round++) {
        await nft.commit(transaction().add(table, set));
        const elements = await iterated(nft);
        assert.equal(elements.length, elem.length);
        assert.deepEqual(new Set(elements), new Set(elem));
        await nft.commit(transaction().delete(table));
        await nft.commit(transaction().add(table, set));
        const { length, keys } = await nft.elements(place).columns();
        assert.deepEqual([length, new Set(hex(keys)).size], [elem.length, elem.length]);
        await nft.commit(transaction().delete(table));
      }
    }));

  test('are refused when a commit came between them', () =>
    withKernel(async ({ nft }) => {
      await nft.commit(transaction().add(table, { set: { ...place, ...sets.addresses } } as never));
      const iterate = async () => {
        let seen = 0;
        for await (const _ of nft.elements(place)) {
          if (seen++ === 0)
            await nft.commit(transaction().delete({ element: { ...place, elem: ['10.0.0.1'] } }));
        }
      };
      await assert.rejects(
        iterate(),
        (error) => error instanceof TornError && /changed while it was read/.test(error.message),
      );
      const { length } = await nft.elements(place).columns();
      assert.equal(length, numbers.length - 1);
    }));

  test('cannot be those of a set that is not there', () =>
    withKernel(async ({ nft }) => {
      await assert.rejects(iterated(nft), { code: 'ENOENT' });
      await assert.rejects(nft.elements(place).columns(), { code: 'ENOENT' });
    }));

  test('are not read at all for a terse listing', () =>
    withKernel(async ({ nft }) => {
      await nft.commit(transaction().add(table, { set: { ...place, ...sets.addresses } } as never));
      const { socket } = nft;
      const asked: number[] = [];
      const dump = socket.dump.bind(socket);
      socket.dump = (request) => {
        asked.push(request.type);
        return dump(request);
      };
      await nft.list();
      assert.equal(asked.filter((type) => type === MESSAGE.GETSETELEM).length, 1);
      asked.length = 0;
      const { elem } = find(await nft.list({ terse: true }), 'set', 's');
      assert.equal(elem, undefined);
      assert.ok(asked.length > 0 && !asked.includes(MESSAGE.GETSETELEM));
    }));
});

suite(`${COUNT} elements`, requires('root', 'netns'), () => {
  for (const declared of ['a declared size', 'no declared size']) {
    test(`with ${declared} are streamed in less than 200 MB of memory`, () =>
      withKernel(async ({ nft, netns }) => {
        const layout = packing({ type: ['ifname', 'ether_addr', 'ipv6_addr'] });
        const rows = new Uint8Array(layout.stride * COUNT);
        const view = new DataView(rows.buffer);
        for (let i = 0; i < COUNT; i++) {
          const at = i * layout.stride;
          rows.set(Buffer.from(`v${i}`), at);
          view.setUint32(at + layout.stride - 4, i);
        }
        const size = declared === 'a declared size' ? { size: COUNT } : {};
        const set = {
          ...place,
          type: ['ifname', 'ether_addr', 'ipv6_addr'],
          ...size,
          elem: layout.elements(rows),
        };
        await nft.commit(transaction().add(table, { set } as never));
        const script = fileURLToPath(new URL('../support/stream.ts', import.meta.url));
        const { stdout, stderr } = spawnSync(process.execPath, ['--import', 'tsx', script, netns], {
          encoding: 'utf8',
        });
        assert.equal(stderr, '');
        const { count, peak } = JSON.parse(stdout) as { count: number; peak: number };
        assert.equal(count, COUNT);
        assert.ok(peak < 200, `${peak} MB`);
        if (process.env.NFTJS_ELEMENTS !== undefined) console.log(`${declared}: ${peak} MB`);
      }));
  }
});
