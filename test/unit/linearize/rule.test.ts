import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bytecode } from './compile.ts';

// Hours are local.
process.env.TZ = 'UTC';

const match = (left: unknown, right: unknown, op = '==') => ({ match: { op, left, right } });
const field = (protocol: string, name: string, tunnel?: string) => ({
  payload: { protocol, field: name, ...(tunnel && { tunnel }) },
});
const TCP = ['[ meta load l4proto => reg 1 ]', '[ cmp eq reg 1 0x00000006 ]'];
const GRE = ['[ meta load l4proto => reg 1 ]', '[ cmp eq reg 1 0x0000002f ]'];

test('neighbouring fields are compared at once, in whatever order they are named', () => {
  const rule = [match(field('tcp', 'dport'), 1), match(field('tcp', 'sport'), 2)];
  assert.deepEqual(bytecode(rule), [
    ...TCP,
    '[ payload load 4b @ transport header + 0 => reg 1 ]',
    '[ cmp eq reg 1 0x01000200 ]',
  ]);
});

test('what comes between two statements keeps them apart', () => {
  const rule = [match(field('tcp', 'sport'), 1), { counter: null }, match(field('tcp', 'dport'), 2)];
  assert.equal(bytecode(rule).filter((line) => line.startsWith('[ payload')).length, 2);
});

test('two addresses stay apart: the kernel compares four bytes fastest', () => {
  const rule = [match(field('ip', 'saddr'), '1.2.3.4'), match(field('ip', 'daddr'), '5.6.7.8')];
  assert.equal(bytecode(rule, { family: 'ip' }).length, 4);
});

test('a shift is done to the constant', () => {
  assert.deepEqual(bytecode([match({ '>>': [{ meta: { key: 'mark' } }, 8] }, 1)]), [
    '[ meta load mark => reg 1 ]',
    '[ bitwise reg 1 = ( reg 1 & 0xffffff00 ) ^ 0x00000000 ]',
    '[ cmp eq reg 1 0x00000100 ]',
  ]);
});

test('a range through an exclusive or stays with the packet: it would not be a range', () => {
  const rule = [match({ '^': [{ meta: { key: 'mark' } }, 1] }, { range: [1, 5] })];
  assert.ok(bytecode(rule).includes('[ bitwise reg 1 = ( reg 1 & 0xffffffff ) ^ 0x00000001 ]'));
});

test('hours through midnight are all but those between', () => {
  const range = { range: ['23:00', '02:00'] };
  const through = bytecode([match({ meta: { key: 'hour' } }, range)]);
  const between = bytecode([match({ meta: { key: 'hour' } }, range, '!=')]);
  assert.equal(through.at(-1), '[ range neq reg 1 0x201c0000 0x70430100 ]');
  assert.deepEqual(between.slice(-2), ['[ cmp gte reg 1 0x201c0000 ]', '[ cmp lte reg 1 0x70430100 ]']);
});

test('the protocol that a family has anyway is not asked for, unless that is all', () => {
  const own = match({ meta: { key: 'protocol' } }, 'ip');
  assert.deepEqual(bytecode([own, { accept: null }], { family: 'ip' }), ['[ immediate reg 0 accept ]']);
  assert.equal(bytecode([own], { family: 'ip' }).length, 2);
  assert.equal(bytecode([own, { accept: null }], { family: 'inet' }).length, 3);
});

test('a match inside a tunnel looks there for all that it depends on', () => {
  assert.deepEqual(bytecode([match(field('vlan', 'id', 'gretap'), 10)], { family: 'ip' }), [
    ...GRE,
    '[ inner type 4 hdrsize 4 flags e [ payload load 2b @ link header + 12 => reg 1 ] ]',
    '[ cmp eq reg 1 0x00000081 ]',
    '[ inner type 4 hdrsize 4 flags e [ payload load 2b @ link header + 14 => reg 1 ] ]',
    '[ bitwise reg 1 = ( reg 1 & 0x0000ff0f ) ^ 0x00000000 ]',
    '[ cmp eq reg 1 0x00000a00 ]',
  ]);
});

test('what is known inside a tunnel is not known outside', () => {
  const rule = [match(field('ip', 'saddr', 'gre'), '1.1.1.1'), match(field('ip6', 'saddr'), '::1')];
  const lines = bytecode(rule, { family: 'inet' });
  assert.deepEqual(lines.slice(0, 2), GRE);
  assert.ok(lines.includes('[ meta load nfproto => reg 1 ]'));
});

test('a meter is a set that the rule fills', () => {
  const key = { elem: { val: field('ip', 'saddr'), timeout: 30 } };
  const rule = [{ meter: { name: 'm', key, stmt: { limit: { rate: 10, per: 'second' } } } }];
  assert.deepEqual(bytecode(rule, { family: 'ip' }), [
    '[ payload load 4b @ network header + 12 => reg 1 ]',
    '[ dynset update reg_key 1 set m timeout 30000ms expr [ limit rate 10/second burst 5 type packets flags 0x0 ] ]',
  ]);
});

test('a rejection asks for its protocol before anything else is done', () => {
  const rule = [{ log: null }, { reject: { type: 'tcp reset' } }];
  assert.deepEqual(bytecode(rule), [...TCP, '[ log ]', '[ reject type 1 code 0 ]']);
});

test('whether a route is there is asked for by true and false', () => {
  const fib = { fib: { result: 'oif', flags: ['saddr', 'iif'] } };
  assert.deepEqual(bytecode([match(fib, false)]), [
    '[ fib saddr . iif oif present => reg 1 ]',
    '[ cmp eq reg 1 0x00000000 ]',
  ]);
});
