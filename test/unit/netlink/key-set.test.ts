import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KeySet } from '../../../src/netlink/key-set.ts';

for (const width of [1, 2, 4, 6, 8, 13, 40]) {
  test(`keys of ${width} bytes are told apart, and found again`, () => {
    const count = Math.min(50_000, 2 ** (8 * width));
    const bytes = new Uint8Array(count * width + 8);
    const view = new DataView(bytes.buffer);
    // Keys differ in their last bytes; they lie at odd places as well.
    for (let i = 0; i < count; i++)
      for (let k = 0, rest = i; k < Math.min(width, 4); k++, rest >>= 8)
        bytes[3 + (i + 1) * width - 1 - k] = rest & 255;
    const keys = new KeySet(width);
    for (let i = 0; i < count; i++) assert.ok(keys.add(view, 3 + i * width), `key ${i}`);
    assert.equal(keys.size, count);
    for (let i = 0; i < count; i++) assert.equal(keys.number(view, 3 + i * width), i);
    assert.equal(keys.size, count);
    assert.equal(keys.add(view, 3), false);
  });
}
