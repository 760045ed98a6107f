import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parse, stringify } from '../../../src/model/index.ts';
import '../../support/seed.ts';

const counter = (packets: number | bigint, bytes: number | bigint) => ({
  nftables: [{ counter: { family: 'ip', table: 't', name: 'c', packets, bytes } }],
});

test('integers beyond 2^53 come as bigint, others as number', () => {
  const text = JSON.stringify(counter(1, 0)).replace('"bytes":0', '"bytes":18446744073709551615');
  assert.deepEqual(parse(text), counter(1, 18446744073709551615n));
  assert.deepEqual(
    parse('{"nftables":[9007199254740991,9007199254740992,-9007199254740993,1e20,0.10000000000000001]}'),
    { nftables: [9007199254740991, 9007199254740992n, -9007199254740993n, 1e20, 0.1] },
  );
});

test('bigint is written as an integer, whatever its size', () => {
  assert.equal(
    stringify(counter(5n, 18446744073709551615n)),
    '{"nftables":[{"counter":{"family":"ip","table":"t","name":"c","packets":5,"bytes":18446744073709551615}}]}',
  );
  assert.equal(stringify({ a: [1n] }, 2), '{\n  "a": [\n    1\n  ]\n}');
});

test('digits in keys and strings stay text', () => {
  const text = '{"12345678901234567890":"98765432109876543210","b\\"":"\\"18446744073709551615\\""}';
  assert.equal(stringify(parse(text)), text);
});

test('text that is no JSON is refused', () => {
  assert.throws(() => parse('{"nftables":[18446744073709551615'), SyntaxError);
  assert.throws(() => parse(''), SyntaxError);
});

test('what is written reads back the same', () => {
  const awkward = fc.constantFrom(
    '\u0000',
    '\u0000i7',
    '\u0000s',
    '"\u0000i12"',
    '\\"',
    '": 1234567890123456789',
  );
  const leaf = fc.oneof(
    fc.string({ unit: 'binary' }),
    awkward,
    fc.integer(),
    fc.boolean(),
    fc.constant(null),
    fc.bigInt({ min: 2n ** 53n, max: 2n ** 64n }),
    fc.bigInt({ min: -(2n ** 64n), max: -(2n ** 53n) }),
  );
  const key = fc.oneof(fc.string(), awkward).filter((name) => name !== '__proto__');
  const { tree } = fc.letrec((tie) => ({
    tree: fc.oneof(
      { maxDepth: 4 },
      leaf,
      fc.array(tie('tree'), { maxLength: 4 }),
      fc.dictionary(key, tie('tree'), { maxKeys: 4, noNullPrototype: true }),
    ),
  }));
  fc.assert(
    fc.property(tree, fc.constantFrom(undefined, 2), (value, indent) => {
      assert.deepEqual(parse(stringify({ value }, indent)), { value });
    }),
  );
});
