import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { accept, type Command, drop, jump, packing, table } from '../../src/index.ts';
import { find, type Kernel, withKernel } from '../support/kernel.ts';
import { requires } from '../support/requirements.ts';

const ref = { family: 'inet', table: 't' } as const;
const LITTLE = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;

const addTable = { add: { table: { family: 'inet', name: 't' } } } as const;
const addElements = (name: string, elem: unknown) =>
  ({ add: { element: { ...ref, name, elem } } }) as Command;

async function elementsOf({ nft }: Kernel, kind: 'set' | 'map', name: string): Promise<unknown[]> {
  return [...((find(await nft.list(), kind, name).elem ?? []) as unknown[])];
}

const byText = (a: unknown, b: unknown) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1);

suite('elements in rows', requires('root', 'netns'), () => {
  test('one field: in front of the kernel they are what they say as JSON', () =>
    withKernel(async (kernel) => {
      const addresses = packing({ type: 'ipv4_addr' });
      assert.equal(addresses.stride, 4);
      const rows = new Uint8Array([192, 0, 2, 1, 198, 51, 100, 7]);
      const elements = addresses.elements(rows);
      assert.deepEqual(elements.toJSON(), ['192.0.2.1', '198.51.100.7']);
      const set = { add: { set: { ...ref, name: 's', type: 'ipv4_addr', size: 2 } } } as const;
      await kernel.nft.commit([addTable, set, addElements('s', elements)]);
      assert.deepEqual((await elementsOf(kernel, 'set', 's')).sort(), ['192.0.2.1', '198.51.100.7']);
      kernel.nft.commitSync([
        { delete: { element: { ...ref, name: 's', elem: addresses.elements(rows.subarray(4)) } } },
      ]);
      assert.deepEqual(await elementsOf(kernel, 'set', 's'), ['192.0.2.1']);
    }));

  test('a concatenation, values and timeouts lie where the packing says', () =>
    withKernel(async (kernel) => {
      const ports = packing({
        type: ['ifname', 'ether_addr', 'inet_service'],
        map: ['mark', 'ipv4_addr'],
        timeouts: true,
      });
      assert.deepEqual(
        ports.key.map(({ offset, bytes }) => [offset, bytes]),
        [
          [0, 16],
          [16, 6],
          [24, 2],
        ],
      );
      assert.deepEqual(
        ports.data.map(({ offset, bytes, byteorder }) => [offset, bytes, byteorder]),
        [
          [28, 4, 'host'],
          [32, 4, 'network'],
        ],
      );
      const rows = new Uint8Array(ports.stride * 2);
      const view = new DataView(rows.buffer);
      for (const i of [0, 1]) {
        const at = i * ports.stride;
        rows.set(Buffer.from(`eth${i}`), at);
        rows.set([2, 0, 0, 0, 0, i], at + 16);
        view.setUint16(at + 24, 22 + i);
        view.setUint32(at + 28, 7 + i, LITTLE);
        rows.set([10, 0, 0, i], at + 32);
        view.setUint32(at + (ports.timeoutOffset as number), i * 3600, LITTLE);
      }
      const elements = ports.elements(rows);
      const map = {
        ...ref,
        name: 'm',
        type: ['ifname', 'ether_addr', 'inet_service'],
        map: ['mark', 'ipv4_addr'],
        flags: 'timeout',
      } as const;
      await kernel.nft.commit([addTable, { add: { map } }, addElements('m', elements)]);
      const given = JSON.parse(JSON.stringify(elements));
      const listed = (await elementsOf(kernel, 'map', 'm')).map((pair) => {
        const [key, data] = JSON.parse(JSON.stringify(pair));
        delete key.elem?.expires;
        return [key, data];
      });
      assert.deepEqual(listed.sort(byText), given.sort(byText));
    }));

  test('a verdict map names its verdicts by their number', () =>
    withKernel(async (kernel) => {
      const dispatch = packing({
        type: 'mark',
        map: 'verdict',
        verdicts: [jump('c'), accept(), drop()],
      });
      const rows = Uint32Array.of(1, 0, 2, 2, 3, 1, 4, 0);
      const map = { add: { map: { ...ref, name: 'v', type: 'mark', map: 'verdict' } } } as const;
      const chain = { add: { chain: { ...ref, name: 'c' } } } as const;
      await kernel.nft.commit([addTable, chain, map, addElements('v', dispatch.elements(rows))]);
      assert.deepEqual((await elementsOf(kernel, 'map', 'v')).sort(byText), [
        [1, { jump: { target: 'c' } }],
        [2, { drop: null }],
        [3, { accept: null }],
        [4, { jump: { target: 'c' } }],
      ]);
    }));

  test('200,000, in slices and at once, and which of them the kernel refused', () =>
    withKernel(async (kernel) => {
      const count = 200_000;
      const addresses = packing({ type: 'ipv4_addr' });
      const rows = new Uint8Array(count * 4);
      const view = new DataView(rows.buffer);
      for (let i = 0; i < count; i++) view.setUint32(i * 4, 0x0a000000 + i);
      const set = { add: { set: { ...ref, name: 's', type: 'ipv4_addr', size: count + 1 } } } as const;
      const elements = addresses.elements(rows);
      await kernel.nft.commit([addTable, set, addElements('s', elements)]);
      assert.equal((await elementsOf(kernel, 'set', 's')).length, count);

      view.setUint32(123_456 * 4, 0x0a000000 + count);
      const again = {
        create: { element: { ...ref, name: 's', elem: addresses.elements(rows.subarray(123_456 * 4)) } },
      } as const;
      for (const commit of [() => kernel.nft.commit([again]), async () => kernel.nft.commitSync([again])]) {
        await assert.rejects(commit, { code: 'EEXIST', path: '[0].create.element.elem[1]' });
      }
      await kernel.nft.commit([{ flush: { set: { ...ref, name: 's' } } }]);
      kernel.nft.commitSync([addElements('s', elements)]);
      assert.equal((await elementsOf(kernel, 'set', 's')).length, count);
    }));

  test('rows for another set, with remains in their gaps, or of half a row, are refused with the place', () =>
    withKernel(async ({ nft }) => {
      const pairs = packing({ type: ['ipv4_addr', 'inet_service'] });
      const sets = [
        { add: { set: { ...ref, name: 'pairs', type: ['ipv4_addr', 'inet_service'] } } },
        { add: { set: { ...ref, name: 'addresses', type: 'ipv4_addr' } } },
        { add: { set: { ...ref, name: 'ranges', type: 'ipv4_addr', flags: 'interval' } } },
      ] as const;
      nft.commitSync([addTable, ...sets]);
      const rows = new Uint8Array(16);
      rows.set([192, 0, 2, 1, 0, 80, 0, 0, 192, 0, 2, 1, 0, 80, 0, 1]);
      assert.throws(() => nft.commitSync([addElements('pairs', pairs.elements(rows))]), {
        name: 'CompileError',
        path: '[0].add.element.elem[1]',
        message: /byte 7 of the row is no zero/,
      });
      assert.throws(() => nft.commitSync([addElements('addresses', pairs.elements(rows))]), {
        message: /rows with ipv4_addr \. inet_service as key where the set has ipv4_addr/,
      });
      assert.throws(
        () => nft.commitSync([addElements('ranges', packing({ type: 'ipv4_addr' }).elements(rows))]),
        /intervals cannot be packed/,
      );
      assert.throws(() => pairs.elements(new Uint8Array(12)), /12 bytes are no rows of 8/);
      const verdicts = packing({ type: 'mark', map: 'verdict', verdicts: [drop()] });
      nft.commitSync([{ add: { map: { ...ref, name: 'v', type: 'mark', map: 'verdict' } } }]);
      assert.throws(() => nft.commitSync([addElements('v', verdicts.elements(Uint32Array.of(1, 0, 2, 1)))]), {
        path: '[0].add.element.elem[1]',
        message: /there is no verdict 1/,
      });
    }));
});

test('rows are typed by the set: whatever else does not compile', () => {
  const filter = table('inet', 't').set('pairs', { type: ['ipv4_addr', 'inet_service'] });
  const rows = packing({ type: ['ipv4_addr', 'inet_service'] }).elements(new Uint8Array(8));
  assert.equal(filter.element('pairs', rows).elem, rows);
  const others = packing({ type: 'ipv6_addr' }).elements(new Uint8Array(16));
  // @ts-expect-error of another type
  assert.equal(filter.element('pairs', others).elem, others);
});
