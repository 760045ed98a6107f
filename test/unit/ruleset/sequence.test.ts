import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { commonSubsequence } from '../../../src/ruleset/sequence.ts';
import '../../support/seed.ts';

/** The length of the longest common subsequence, by the table of all prefixes. */
function longest(left: readonly string[], right: readonly string[]): number {
  let row = new Array<number>(right.length + 1).fill(0);
  for (const value of left) {
    const next = [0];
    right.forEach((other, j) => {
      next.push(value === other ? (row[j] as number) + 1 : Math.max(row[j + 1] as number, next[j] as number));
    });
    row = next;
  }
  return row.at(-1) as number;
}

const list = fc.array(fc.constantFrom('a', 'b', 'c', 'd', 'e'), { maxLength: 12 });

test('the subsequence is common, in order, and as long as can be', () => {
  fc.assert(
    fc.property(list, list, (left, right) => {
      const pairs = commonSubsequence(left, right);
      for (const [i, j] of pairs) assert.equal(left[i], right[j]);
      pairs.slice(1).forEach(([i, j], k) => {
        const [before, other] = pairs[k] as readonly [number, number];
        assert.ok(i > before && j > other);
      });
      assert.equal(pairs.length, longest(left, right));
    }),
    { numRuns: 500 },
  );
});

test('lists of ten thousand in another order do not take long', () => {
  const left = Array.from({ length: 10_000 }, (_, i) => String(i));
  const right = left.map((_, i) => String((i * 7919) % 10_000));
  const start = performance.now();
  const pairs = commonSubsequence(left, right);
  assert.ok(pairs.length > 0);
  assert.ok(performance.now() - start < 2000);
});
