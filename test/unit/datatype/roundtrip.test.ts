import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { DatatypeError, type DatatypeName, datatypes, formatText } from '../../../src/datatype/index.ts';
import '../../support/seed.ts';

const unsigned = (bits: number) => fc.bigInt({ min: 0n, max: (1n << BigInt(bits)) - 1n });

/** Values that are not simply every number of the type's size. */
const special: Partial<Record<DatatypeName, { values: fc.Arbitrary<bigint>; bits?: number }>> = {
  integer: { values: unsigned(128), bits: 128 },
  xinteger: { values: unsigned(128), bits: 128 },
  bitmask: { values: unsigned(64), bits: 64 },
  ll_addr: { values: unsigned(64), bits: 64 },
  day: { values: fc.bigInt({ min: 0n, max: 6n }) },
  string: {
    values: fc
      .string({ unit: 'grapheme', minLength: 1, maxLength: 20 })
      .filter((text) => !text.includes('\0') && Buffer.byteLength(text) < 128)
      .map((text) => datatypes.string.parse(text, 1024)),
    bits: 1024,
  },
  ifname: {
    values: fc
      .uint8Array({ minLength: 1, maxLength: 15, min: 1 })
      .filter((bytes) => !/[\t-\r /]|^\.\.?$/.test(Buffer.from(bytes).toString('latin1')))
      .map((bytes) => datatypes.ifname.parse(decodeName(bytes))),
  },
};

/** A name of any bytes, as the type itself spells it. */
function decodeName(bytes: Uint8Array): string {
  const value = bytes.reduceRight((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
  return String(datatypes.ifname.format(value));
}

for (const zone of ['UTC', 'UTC-2', 'America/St_Johns', 'Europe/Berlin']) {
  test(`what is formatted parses back to the same value, in time zone ${zone}`, async (t) => {
    const before = process.env.TZ;
    process.env.TZ = zone;
    t.after(() => {
      if (before === undefined) delete process.env.TZ;
      else process.env.TZ = before;
    });
    const names = (Object.keys(datatypes) as DatatypeName[]).filter((name) => name !== 'verdict');
    const timed: readonly DatatypeName[] = ['time', 'date', 'hour', 'day'];
    for (const name of zone === 'UTC' ? names : timed) {
      await t.test(name, () => {
        const type = datatypes[name];
        const { values, bits } = special[name] ?? { values: unsigned(type.bits), bits: undefined };
        fc.assert(
          fc.property(values, (value) => {
            assert.equal(type.parse(type.format(value, bits), bits), value);
            assert.notEqual(formatText(type, value, bits), '');
          }),
        );
        for (const value of type.symbols?.values() ?? []) {
          assert.equal(type.parse(type.format(value, bits), bits), value);
        }
      });
    }
  });
}

test('every symbol parses to its value', () => {
  for (const type of Object.values(datatypes)) {
    for (const [symbol, value] of type.symbols ?? []) {
      assert.equal(type.parse(symbol), value, `${type.name} ${symbol}`);
    }
  }
});

test('a number wider than its field is refused, never cut', () => {
  for (const [name, type] of Object.entries(datatypes)) {
    if (type.base === 'verdict' || type.base === 'string') continue;
    const bits = type.bits === 0 ? 24 : type.bits;
    assert.throws(() => type.parse(1n << BigInt(bits), bits), DatatypeError, name);
    assert.throws(() => type.parse(-1, bits), DatatypeError, name);
    assert.throws(() => type.parse(1.5, bits), DatatypeError, name);
    assert.throws(() => type.parse(Number.NaN, bits), DatatypeError, name);
    assert.throws(() => type.parse('', bits), DatatypeError, name);
    assert.throws(() => type.parse('\u0000', bits), DatatypeError, name);
  }
});
