import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type KernelElement, SET_FLAGS, type Typed } from '../../../src/bytecode/index.ts';
import { datatype, hostIsLittleEndian } from '../../../src/datatype/index.ts';
import { delinearizeTold } from '../../../src/delinearize/element-list.ts';
import { delinearizeElements } from '../../../src/delinearize/index.ts';
import { elementList, MESSAGE } from '../../../src/message/index.ts';
import { AttributeWriter } from '../../../src/wire/attribute-writer.ts';
import { encode } from '../../../src/wire/schema.ts';
import { seed } from '../../support/seed.ts';

/** The message in which the kernel tells of elements. */
function message(elements: readonly KernelElement[]): Uint8Array {
  const writer = new AttributeWriter(1 << 16);
  encode(elementList, { table: 't', set: 's', elements } as never, writer);
  const attributes = writer.bytes();
  const bytes = new Uint8Array(20 + attributes.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, bytes.length, hostIsLittleEndian);
  view.setUint16(4, MESSAGE.NEWSETELEM, hostIsLittleEndian);
  bytes.set(attributes, 20);
  return bytes;
}

const typed = (name: string, bits = datatype(name).bits): Typed => ({
  type: datatype(name),
  bits,
  byteorder: datatype(name).byteorder,
});

const types: readonly Typed[] = [
  ...['ipv4_addr', 'ipv6_addr', 'ether_addr', 'inet_service', 'inet_proto', 'mark', 'ifname', 'ct_state'].map(
    (name) => typed(name),
  ),
  typed('integer', 24),
  typed('integer', 64),
];

const stride = ({ bits }: Typed) => Math.ceil(bits / 32) * 4;
const bytesOf = (parts: readonly Typed[]) =>
  parts.length === 1
    ? Math.ceil((parts[0] as Typed).bits / 8)
    : parts.reduce((sum, part) => sum + stride(part), 0);

/** Bytes with many zeros and letters: names, small numbers, and what is no name at all. */
const blob = (length: number) =>
  fc
    .array(fc.oneof(fc.constant(0), fc.integer({ min: 0x61, max: 0x7a }), fc.integer({ min: 0, max: 255 })), {
      minLength: length,
      maxLength: length,
    })
    .map((bytes) => Uint8Array.from(bytes));

const parts = fc.array(fc.constantFrom(...types), { minLength: 1, maxLength: 3 });

const sets = fc.tuple(parts, fc.option(parts, { nil: undefined })).chain(([key, values]) =>
  fc.record({
    key: fc.constant(key),
    values: fc.constant(values),
    elements: fc.array(
      fc.record({
        key: blob(bytesOf(key)),
        ...(values === undefined ? {} : { data: blob(bytesOf(values)) }),
        timeout: fc.option(fc.constant(5000n), { nil: undefined, freq: 9 }),
      }),
      { maxLength: 40 },
    ),
  }),
);

test('elements are listed from their bytes as they are from objects', () => {
  fc.assert(
    fc.property(sets, ({ key, values, elements }) => {
      const distinct = [
        ...new Map(elements.map((one) => [Buffer.from(one.key).toString('hex'), one])).values(),
      ];
      const set = {
        key,
        flags: values === undefined ? 0 : SET_FLAGS.map,
        ...(values === undefined ? {} : { data: { kind: 'value' as const, parts: values } }),
      };
      assert.deepEqual(
        delinearizeTold(message(distinct as KernelElement[]), set),
        delinearizeElements(distinct as KernelElement[], set),
      );
    }),
    { seed, numRuns: 2000 },
  );
});
