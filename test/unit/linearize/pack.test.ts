import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { packedOffsets, type Typed } from '../../../src/bytecode/index.ts';
import { type DatatypeName, datatype } from '../../../src/datatype/index.ts';
import {
  elementsOf,
  encodeElements,
  evaluate,
  evaluateElements,
  packElements,
  Scope,
  SET_FLAGS,
} from '../../../src/linearize/index.ts';
import type { Expression } from '../../../src/model/index.ts';
import { ProgramWriter } from '../../../src/wire/program.ts';
import '../../support/seed.ts';

const scope = new Scope('inet', undefined, { set: () => undefined, nextSetId: () => 1 }, evaluate);

function typed(name: DatatypeName): Typed {
  const type = datatype(name);
  return { type, bits: type.bits, byteorder: type.byteorder };
}

/** The keys and values of elements, as the way for everything writes them. */
function slowly(nodes: readonly Expression[], key: readonly Typed[], data?: readonly Typed[]) {
  const map = data && ({ kind: 'value', parts: data } as const);
  const elements = evaluateElements(nodes, key, map, scope, undefined);
  return encodeElements(elements, { key, data: map, flags: data ? SET_FLAGS.map : 0 }).map(hex);
}

/** The same, as the way for plain literals writes them; undefined where it leaves them to the other. */
function packed(nodes: readonly Expression[], key: readonly Typed[], data?: readonly Typed[]) {
  const map = data && ({ kind: 'value', parts: data } as const);
  const rows = packElements(nodes, { key, data: map, flags: data ? SET_FLAGS.map : 0 });
  return rows?.pack() ? elementsOf(rows).map(hex) : undefined;
}

function hex({ key, data }: { key?: Uint8Array | undefined; data?: unknown }) {
  assert.ok(key);
  const text = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
  return { key: text(key), ...(data instanceof Uint8Array ? { data: text(data) } : {}) };
}

const name = fc.stringMatching(/^[a-z0-9_.-]{1,15}$/).filter((text) => text !== '.' && text !== '..');
const mac = fc.uint8Array({ minLength: 6, maxLength: 6 }).map((bytes) => {
  return Array.from(bytes, (byte, i) => byte.toString(16).padStart(i % 2 ? 2 : 1, '0')).join(':');
});
const literals: Partial<Record<DatatypeName, fc.Arbitrary<Expression>>> = {
  ipv4_addr: fc.ipV4(),
  ipv6_addr: fc.ipV6(),
  ether_addr: mac,
  ifname: name,
  inet_service: fc.oneof(fc.nat(0xffff), fc.constantFrom('ssh', '443')),
  inet_proto: fc.constantFrom('tcp', 'udp', 47),
  mark: fc.oneof(
    fc.nat(0xffffffff),
    fc.nat(0xffff).map((n) => `0x${n.toString(16)}`),
  ),
};

/** Few, which are read one by one, or several, which are read part by part. */
function few<T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T[]> {
  return fc.oneof(fc.array(arbitrary), fc.array(arbitrary, { minLength: 16, maxLength: 40 }));
}

for (const [type, arbitrary] of Object.entries(literals)) {
  test(`plain elements of ${type} are packed into what they are alone`, () => {
    const key = [typed(type as DatatypeName)];
    fc.assert(
      fc.property(few(arbitrary), (nodes) => assert.deepEqual(packed(nodes, key), slowly(nodes, key))),
    );
  });
}

test('plain concatenations are packed into what they are alone, each part padded', () => {
  const key = [typed('ifname'), typed('ether_addr'), typed('ipv6_addr'), typed('inet_service')];
  const element = fc.record({ concat: fc.tuple(name, mac, fc.ipV6(), fc.nat(0xffff)) });
  fc.assert(fc.property(few(element), (nodes) => assert.deepEqual(packed(nodes, key), slowly(nodes, key))));
});

test('plain pairs of a map are packed, values that are concatenations too', () => {
  const key = [typed('inet_service')];
  const data = [typed('ipv4_addr'), typed('inet_service')];
  const pair = fc.tuple(fc.nat(0xffff), fc.record({ concat: fc.tuple(fc.ipV4(), fc.nat(0xffff)) }));
  fc.assert(
    fc.property(few(pair), (nodes) => assert.deepEqual(packed(nodes, key, data), slowly(nodes, key, data))),
  );
});

test('rows lie in a program as they were written', () => {
  const key = [typed('ifname'), typed('ether_addr')];
  const data = [typed('inet_service')];
  const map = { kind: 'value', parts: data } as const;
  const nodes = [1, 2, 3].map((i) => [{ concat: [`eth${i}`, `02:00:00:00:00:0${i}`] }, i] as never);
  const packed = packElements(nodes, { key, data: map, flags: SET_FLAGS.map });
  assert.ok(packed);
  const program = new ProgramWriter();
  const at = program.rows({ type: 12, family: 1, operation: 0 }, new Uint8Array(8), packed, packed.length);
  const area = program.bytes().subarray(at);
  assert.ok(packed.write(area, 0, 1) && packed.write(area.subarray(packedOffsets(packed).stride), 1, 3));
  assert.deepEqual(area, packed.rows);
  assert.deepEqual(elementsOf(packed).map(hex), slowly(nodes, key, data));
});

test('numbers, names and addresses may stand side by side', () => {
  for (const [type, nodes] of [
    ['inet_service', ['ssh', 443, '8080']],
    ['ipv4_addr', ['192.0.2.1', 3_221_225_986, '192.0.2.3']],
    ['ether_addr', ['02:00:00:00:00:01', '2:0:0:0:0:2', 3]],
  ] as const) {
    const key = [typed(type)];
    const many = Array.from({ length: 30 }, (_, i) => nodes[i % nodes.length] as Expression);
    assert.deepEqual(packed(many, key), slowly(many, key), type);
  }
});

test('timeouts of whole seconds go with the keys', () => {
  const key = [typed('ipv4_addr')];
  const elem = (val: string, timeout: number) => ({ elem: { val, timeout } });
  const several = Array.from({ length: 20 }, (_, i) => elem(`192.0.2.${i + 10}`, i + 1));
  const nodes = [elem('192.0.2.1', 5), '192.0.2.2', elem('192.0.2.3', 0xffffffff), ...several];
  const packed = packElements(nodes, { key, flags: SET_FLAGS.timeout });
  assert.ok(packed);
  assert.deepEqual(
    elementsOf(packed).map(({ timeout }) => timeout),
    evaluateElements(nodes, key, undefined, scope, undefined).map(({ timeout }) => timeout),
  );
  for (const wrong of [
    elem('192.0.2.4', 0.5),
    elem('192.0.2.4', 0),
    { elem: { val: '192.0.2.4', comment: 'c' } },
  ]) {
    assert.equal(
      packElements([nodes[0] as Expression, wrong], { key, flags: SET_FLAGS.timeout })?.pack(),
      false,
    );
  }
});

test('whatever is not plain, or wrong, is left to the way for everything', () => {
  const left: readonly (readonly [DatatypeName, Expression])[] = [
    ['ipv4_addr', '*'],
    ['ipv4_addr', '@other'],
    ['ipv4_addr', '192.0.2.256'],
    ['ipv4_addr', { prefix: { addr: '192.0.2.0', len: 24 } }],
    ['ipv4_addr', { elem: { val: '192.0.2.1', comment: 'c' } }],
    ['ipv4_addr', { concat: ['192.0.2.1', '192.0.2.2'] }],
    ['ipv4_addr', '192.0.2.1\n192.0.2.2'],
    ['ipv4_addr', '192.0.2.1\n'],
    ['ipv4_addr', ''],
    ['ipv4_addr', '192.0.2.01'],
    ['ipv6_addr', '2001:db8::1::2'],
    ['ipv6_addr', '1:2:3:4:5:6:7:8::'],
    ['ipv6_addr', '1:2:3:4:5:6:7:'],
    ['ipv6_addr', '::1:'],
    ['ipv6_addr', ':1::2'],
    ['ipv6_addr', '::1.2.3.4:5'],
    ['ether_addr', '02:00:00:00:00'],
    ['ifname', 'eth*'],
    ['ifname', '@eth'],
    ['ifname', '..'],
    ['ifname', 'a/b'],
    ['ifname', 'größe'],
    ['ifname', 'x'.repeat(16)],
    ['inet_service', 65_536],
    ['inet_service', 'no-such-service'],
    ['mark', -1],
  ];
  for (const [type, node] of left) {
    assert.equal(packed([node], [typed(type)]), undefined, `${type} ${JSON.stringify(node)}`);
    const plain = fc.sample(literals[type] as fc.Arbitrary<Expression>, { numRuns: 20, seed: 1 });
    const among = plain.with(10, node);
    assert.equal(packed(among, [typed(type)]), undefined, `${type} ${JSON.stringify(node)} among others`);
  }
  const pair = [typed('ipv4_addr'), typed('inet_service')];
  assert.equal(packed([{ concat: ['192.0.2.1'] }], pair), undefined);
  assert.equal(packed(['192.0.2.1'], pair), undefined);
  assert.equal(packed(['192.0.2.1'], [typed('ipv4_addr')], [typed('mark')]), undefined);
  const interval = { key: [typed('ipv4_addr')], flags: SET_FLAGS.interval };
  assert.equal(packElements(['192.0.2.1'], interval), undefined);
});
