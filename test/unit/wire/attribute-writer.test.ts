import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readAttributes, readString, readUint64 } from '../../../src/wire/attribute-reader.ts';
import { AttributeTooLongError, AttributeWriter } from '../../../src/wire/attribute-writer.ts';

const writes: Record<string, readonly [(writer: AttributeWriter) => void, (payload: Uint8Array) => unknown]> =
  {
    u8: [(writer) => writer.u8(1, 0xa1), (payload) => assert.deepEqual([...payload], [0xa1])],
    u16: [(writer) => writer.u16(1, 0xa1b2), (payload) => assert.deepEqual([...payload], [0xa1, 0xb2])],
    u32: [
      (writer) => writer.u32(1, 0xa1b2c3d4),
      (payload) => assert.deepEqual([...payload], [0xa1, 0xb2, 0xc3, 0xd4]),
    ],
    u64: [(writer) => writer.u64(1, 1n << 63n), (payload) => assert.equal(readUint64(payload), 1n << 63n)],
    string: [
      (writer) => writer.string(1, 'filter'),
      (payload) => assert.equal(readString(payload), 'filter'),
    ],
    'a string beyond ASCII': [
      (writer) => writer.string(1, 'pörts ☃'),
      (payload) => assert.deepEqual([...payload], [...Buffer.from('pörts ☃\0')]),
    ],
    raw: [
      (writer) => writer.raw(1, Uint8Array.of(1, 2, 3)),
      (payload) => assert.deepEqual([...payload], [1, 2, 3]),
    ],
  };

for (const [name, [write, check]] of Object.entries(writes)) {
  test(`${name} is whole wherever the buffer ends`, () => {
    for (let before = 0; before <= 64; before += 4) {
      const writer = new AttributeWriter(64);
      if (before > 0) writer.raw(2, new Uint8Array(before - 4).fill(0xff));
      write(writer);
      const written = readAttributes(writer.bytes());
      const last = written.at(-1);
      assert.ok(last);
      assert.equal(last.id, 1);
      check(last.payload);
      if (before > 0) assert.ok(written[0]?.payload.every((byte) => byte === 0xff));
    }
  });
}

test('what a length of 16 bits cannot say is refused', () => {
  const writer = new AttributeWriter();
  assert.throws(() => writer.raw(1, new Uint8Array(65_532)), AttributeTooLongError);
  writer.begin(1);
  for (let i = 0; i < 2; i++) writer.raw(2, new Uint8Array(40_000));
  assert.throws(() => writer.end(), AttributeTooLongError);
});
