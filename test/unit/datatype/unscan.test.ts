import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import ipaddr from 'ipaddr.js';
import { datatype, fromBytes } from '../../../src/datatype/index.ts';
import { unscanIpv4, unscanIpv6, unscanLinkLayer } from '../../../src/datatype/unscan.ts';
import { seed } from '../../support/seed.ts';

/** Addresses as they are: many zeros. */
const bytes = (length: number) =>
  fc
    .array(fc.oneof(fc.constant(0), fc.constant(0), fc.constant(255), fc.integer({ min: 0, max: 255 })), {
      minLength: length,
      maxLength: length,
    })
    .map((list) => Uint8Array.from([9, ...list, 9]));

test('addresses are written as ipaddr.js and inet_ntop(3) write them', () => {
  fc.assert(
    fc.property(bytes(16), (given) => {
      const parts = [...given.subarray(1, 17)];
      const address = new ipaddr.IPv6(parts);
      const dotted = parts.slice(12).join('.');
      const expected =
        parts.slice(0, 12).every((part) => part === 0) && (parts[12] !== 0 || parts[13] !== 0)
          ? `::${dotted}`
          : address.isIPv4MappedAddress()
            ? `::ffff:${dotted}`
            : address.toRFC5952String();
      assert.equal(unscanIpv6(given, 1), expected);
      assert.equal(unscanIpv4(given, 1), parts.slice(0, 4).join('.'));
      assert.equal(
        unscanLinkLayer(given, 1, 6),
        Buffer.from(parts.slice(0, 6))
          .toString('hex')
          .replace(/..(?!$)/g, '$&:'),
      );
    }),
    { seed, numRuns: 2000 },
  );
});

for (const name of ['ipv4_addr', 'ipv6_addr', 'ether_addr']) {
  test(`${name}: the text of bytes means those bytes`, () => {
    const type = datatype(name);
    const length = type.bits / 8;
    fc.assert(
      fc.property(bytes(length), (given) => {
        const text = type.unpack?.(given, 1) as string;
        const value = fromBytes(given.subarray(1, 1 + length), 'network');
        assert.equal(type.parse(text), value);
        assert.equal(type.format(value), text);
      }),
      { seed, numRuns: 500 },
    );
  });
}
