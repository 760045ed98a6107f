import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Instruction, KnownSet } from '../../../src/bytecode/index.ts';
import { datatype } from '../../../src/datatype/index.ts';
import { flowOf } from '../../../src/delinearize/index.ts';

const bytes = (...list: number[]) => new Uint8Array(list);
const typed = (name: 'ipv4_addr' | 'inet_service', bits: number) =>
  ({ type: datatype(name), bits, byteorder: 'network' }) as const;
const pairs: KnownSet = {
  name: 'pairs',
  flags: 0,
  key: [typed('ipv4_addr', 32), typed('inet_service', 16)],
};

/** The flows of several rules. */
function flows(...rules: readonly (readonly Instruction[])[]): (readonly string[] | undefined)[] {
  return rules.map((rule) =>
    flowOf(rule, {
      family: 'ip',
      set: (name) => (name === 'pairs' ? pairs : undefined),
      isNamed: (name) => name === 'pairs',
    }),
  );
}

const saddr = (dreg: number, len = 4): Instruction => ({
  name: 'payload',
  dreg,
  base: 'network',
  offset: 12,
  len,
});
const dport = (dreg: number): Instruction => ({
  name: 'payload',
  dreg,
  base: 'transport',
  offset: 2,
  len: 2,
});
const mask = (sreg: number, dreg: number, ...bits: number[]): Instruction => ({
  name: 'bitwise',
  sreg,
  dreg,
  len: bits.length,
  mask: bytes(...bits),
  xor: new Uint8Array(bits.length),
  op: 'bool',
});
const equals = (sreg: number, ...data: number[]): Instruction => ({
  name: 'cmp',
  sreg,
  op: 'eq',
  data: bytes(...data),
});
const lookup = (sreg: number): Instruction => ({ name: 'lookup', set: 'pairs', sreg });
const markWith = (sreg: number): Instruction => ({ name: 'meta', key: 'mark', sreg });
const mark = (dreg: number): Instruction => ({ name: 'meta', key: 'mark', dreg });

function same(...rules: readonly (readonly Instruction[])[]): void {
  const [first, ...others] = flows(...rules);
  assert.ok(first);
  for (const other of others) assert.deepEqual(other, first);
}

function different(one: readonly Instruction[], other: readonly Instruction[]): void {
  const [a, b] = flows(one, other);
  assert.ok(a && b);
  assert.notDeepEqual(a, b);
}

test('registers have no part in what a rule does', () => {
  same([saddr(1), dport(9), lookup(1)], [saddr(2), dport(13), lookup(2)], [dport(11), saddr(10), lookup(10)]);
  same([saddr(1), equals(1, 10, 0, 0, 1)], [saddr(4), equals(4, 10, 0, 0, 1)]);
});

test('what is in the registers has', () => {
  different([saddr(1), dport(9), lookup(1)], [dport(1), saddr(9), lookup(1)]);
  different([saddr(1), equals(1, 10, 0, 0, 1)], [saddr(1), equals(1, 10, 0, 0, 2)]);
  different([saddr(1), mask(1, 1, 255, 0, 0, 7), equals(1, 1, 0, 0, 1)], [saddr(1), equals(1, 1, 0, 0, 1)]);
});

test('masked bytes at the end might as well not be loaded', () => {
  same([saddr(1), mask(1, 1, 255, 255, 0, 0), equals(1, 10, 1, 0, 0)], [saddr(1, 2), equals(1, 10, 1)]);
  different([saddr(1), mask(1, 1, 255, 255, 0, 0), equals(1, 10, 1, 0, 9)], [saddr(1, 2), equals(1, 10, 1)]);
});

test('a mask of ones, and a swap of one byte, do nothing', () => {
  const swap: Instruction = { name: 'byteorder', sreg: 2, dreg: 2, op: 'hton', len: 1, size: 2 };
  same(
    [mark(1), equals(1, 1, 0, 0, 0)],
    [mark(2), mask(2, 3, 255, 255, 255, 255), equals(3, 1, 0, 0, 0)],
    [mark(2), swap, equals(2, 1, 0, 0, 0)],
  );
});

test('neighbouring bytes are compared together or each for itself', () => {
  const load = (offset: number, len: number): Instruction => ({
    name: 'payload',
    dreg: 1,
    base: 'network',
    offset,
    len,
  });
  const both = flows(
    [load(4, 2), equals(1, 6, 4)],
    [load(4, 1), equals(1, 6), load(5, 1), equals(1, 4)],
    [load(4, 2), equals(1, 6, 5)],
  );
  assert.deepEqual(both[0], both[1]);
  assert.notDeepEqual(both[0], both[2]);
});

test('a range is two comparisons, and a name ends with its zero', () => {
  const [from, to] = [bytes(0, 1), bytes(3, 255)];
  const bound = (op: 'gte' | 'lte', data: Uint8Array): Instruction => ({ name: 'cmp', sreg: 1, op, data });
  same(
    [dport(1), { name: 'range', sreg: 1, op: 'eq', from, to }],
    [dport(1), bound('gte', from), bound('lte', to)],
  );
  const name: Instruction = { name: 'meta', key: 'iifname', dreg: 1 };
  const padded = [...Buffer.from('eth0'), ...new Uint8Array(12)];
  same([name, equals(1, ...Buffer.from('eth0'), 0)], [name, equals(1, ...padded)]);
  different([name, equals(1, ...Buffer.from('eth0'))], [name, equals(1, ...padded)]);
});

test('comparisons side by side have no order, and what is between them keeps them apart', () => {
  const [first, second] = [
    [saddr(1), equals(1, 10, 0, 0, 1)],
    [dport(1), equals(1, 0, 22)],
  ] as const;
  const counter: Instruction = { name: 'counter', packets: 0n, bytes: 0n };
  same([...first, ...second, counter], [...second, ...first, counter]);
  different([...first, counter, ...second], [...second, counter, ...first]);
});

test('what is loaded after a change is another value', () => {
  different([mark(1), mark(2), markWith(1), markWith(2)], [mark(1), markWith(1), mark(2), markWith(2)]);
});

test('a rule that is not understood has no flow', () => {
  assert.deepEqual(flows([{ name: 'opaque', expression: 'match', data: undefined }], [lookup(1)]), [
    undefined,
    undefined,
  ]);
});
