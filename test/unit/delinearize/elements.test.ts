import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  ELEMENT_FLAGS,
  type KernelElement,
  type KnownSet,
  SET_FLAGS,
  type SetElement,
  type Typed,
  writeElementUserdata,
} from '../../../src/bytecode/index.ts';
import { datatype } from '../../../src/datatype/index.ts';
import { delinearizeElements } from '../../../src/delinearize/index.ts';
import { encodeElements, evaluate, evaluateElements, Scope } from '../../../src/linearize/index.ts';
import type { Expression } from '../../../src/model/index.ts';

const typed = (name: string, order?: 'network'): Typed => {
  const type = datatype(name);
  return { type, bits: type.bits, byteorder: order ?? type.byteorder };
};

const address = typed('ipv4_addr');
const address6 = typed('ipv6_addr');
const port = typed('inet_service');
const name = typed('ifname');
const mark = typed('mark', 'network');

function told({ comment, open, joined: _joined, source: _source, ...element }: SetElement): KernelElement {
  const userdata = writeElementUserdata({ comment, open });
  return { ...element, ...(userdata && { userdata }) };
}

type Layout = Pick<KnownSet, 'key' | 'data' | 'flags'>;

/** The elements as the kernel holds them. */
function encode(nodes: readonly Expression[], set: Layout, complete = false): KernelElement[] {
  const names = { set: () => undefined, nextSetId: () => 1 };
  const scope = new Scope('inet', undefined, names, evaluate);
  const evaluated = evaluateElements(nodes as never, set.key, set.data, scope, undefined);
  return encodeElements(evaluated, { ...set, complete }).map(told);
}

const intervalSet = (key: Typed): Layout => ({ key: [key], flags: SET_FLAGS.interval });

/** What is encoded comes back, in whatever order the kernel tells it. */
function comesBack(nodes: readonly Expression[], set: Layout, listed: readonly Expression[] = nodes): void {
  for (const complete of [false, true]) {
    const elements = encode(nodes, set, complete);
    assert.deepEqual(delinearizeElements(elements, set), listed);
    if (set.key.length === 1) assert.deepEqual(delinearizeElements(elements.reverse(), set), listed);
  }
}

const prefix = (addr: string, len: number) => ({ prefix: { addr, len } });

test('an aligned interval of addresses is a prefix', () => {
  comesBack([prefix('10.0.0.0', 8)], intervalSet(address));
  comesBack([prefix('2001:db8::', 32)], intervalSet(address6));
  comesBack([{ range: ['10.0.0.0', '10.0.0.7'] }], intervalSet(address), [prefix('10.0.0.0', 29)]);
  comesBack([{ range: ['10.0.0.1', '10.0.0.8'] }], intervalSet(address));
});

test('neighbouring intervals stay apart', () => {
  comesBack([prefix('10.0.0.0', 24), prefix('10.0.1.0', 24), '10.0.2.0'], intervalSet(address));
});

test('an interval may go on to the greatest key', () => {
  comesBack([{ range: [1024, 65535] }], intervalSet(port));
  comesBack([prefix('192.0.0.0', 2)], intervalSet(address));
  comesBack(['255.255.255.255'], intervalSet(address));
});

test('an interval may be the whole space, or begin at zero', () => {
  comesBack([prefix('0.0.0.0', 0)], intervalSet(address));
  comesBack([prefix('::', 0)], intervalSet(address6));
  comesBack([0, { range: [7, 9] }], intervalSet(port));
});

test('ports have ranges, never prefixes', () => {
  comesBack([{ range: [256, 511] }], intervalSet(port));
});

test('marks have prefixes, as addresses', () => {
  comesBack([{ prefix: { addr: 0, len: 28 } }, { range: [32, 46] }, 4096], intervalSet(mark));
});

test('names with a common beginning are a pattern', () => {
  comesBack(['eth*', 'lo'], intervalSet(name));
});

test('the catch-all comes last', () => {
  const verdicts: Layout = { ...intervalSet(address), data: { kind: 'verdict' } };
  const nodes: Expression[] = [
    [prefix('10.0.0.0', 8), { accept: null }],
    ['192.0.2.1', { jump: { target: 'guests' } }],
    ['*', { drop: null }],
  ];
  comesBack(nodes, verdicts);
});

test('elements are listed in the order of their keys, as numbers', () => {
  const set: Layout = { key: [typed('mark')], flags: 0 };
  assert.deepEqual(delinearizeElements(encode([256, 1, 65536], set), set), [1, 256, 65536]);
});

test('concatenations come back part by part', () => {
  const set: Layout = { key: [name, typed('ether_addr'), address6], flags: 0 };
  comesBack([{ concat: ['tap0', '52:54:00:12:34:56', '2001:db8::1'] }], set);
});

test('concatenated ranges are prefixes where they are one', () => {
  const set: Layout = { key: [address, port], flags: SET_FLAGS.interval | SET_FLAGS.concat };
  comesBack(
    [
      { concat: [prefix('10.0.0.0', 8), { range: [1, 1023] }] },
      { concat: ['192.0.2.1', 80] },
      { concat: [{ range: ['192.0.2.3', '192.0.2.9'] }, { range: [0, 65535] }] },
    ],
    set,
  );
});

test('maps give pairs of key and value', () => {
  const set: Layout = { key: [port], data: { kind: 'value', parts: [address, port] }, flags: SET_FLAGS.map };
  comesBack([[80, { concat: ['192.0.2.1', 8080] }]], set);
  const objects: Layout = {
    key: [address],
    data: { kind: 'object', object: 'counter' },
    flags: SET_FLAGS.object,
  };
  comesBack([['192.0.2.1', 'web']], objects);
});

test('what an element carries is wrapped around it', () => {
  const set: Layout = { key: [address], flags: SET_FLAGS.timeout };
  const key = Uint8Array.of(192, 0, 2, 1);
  const element: KernelElement = {
    key,
    timeout: 3_600_000n,
    expiration: 1_999_999n,
    expression: { name: 'counter', packets: 3n, bytes: 2n ** 60n },
    userdata: writeElementUserdata({ comment: 'a guest' }),
  };
  assert.deepEqual(delinearizeElements([element], set), [
    {
      elem: {
        val: '192.0.2.1',
        timeout: 3600,
        expires: 1999,
        comment: 'a guest',
        counter: { packets: 3, bytes: 2n ** 60n },
      },
    },
  ]);
});

test("another program's userdata is no comment", () => {
  const set: Layout = { key: [port], flags: 0 };
  for (const userdata of [Uint8Array.of(0), Uint8Array.of(0, 9, 65), Uint8Array.of(0, 2, 65, 66)]) {
    assert.deepEqual(delinearizeElements([{ key: Uint8Array.of(0, 80), userdata }], set), [80]);
  }
});

test('elements that do not fit their types are numbers', () => {
  const set: Layout = { key: [name], flags: 0 };
  const key = new Uint8Array(16).fill(0);
  assert.deepEqual(delinearizeElements([{ key }], set), [0]);
  const short: Layout = { key: [address6], flags: 0 };
  assert.deepEqual(delinearizeElements([{ key: Uint8Array.of(1, 2) }], short), [258]);
});

test('an end without a beginning is no element', () => {
  const end: KernelElement = { key: Uint8Array.of(0, 0, 0, 0), flags: ELEMENT_FLAGS.intervalEnd };
  assert.deepEqual(delinearizeElements([end], intervalSet(address)), []);
});
