import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ELEMENT_FLAGS, type KernelElement } from '../../../src/bytecode/index.ts';
import { IntervalPairs } from '../../../src/netlink/interval-pairs.ts';
import { seed } from '../../support/seed.ts';

const start = (key: number): KernelElement => ({ key: Uint8Array.of(key) });
const end = (key: number): KernelElement => ({ key: Uint8Array.of(key), flags: ELEMENT_FLAGS.intervalEnd });

function paired(points: readonly KernelElement[]): (number | undefined)[][] {
  const pairs = new IntervalPairs();
  return [...points.flatMap((point) => pairs.take(point)), ...pairs.end()]
    .map((pair) => pair.map(({ key }) => key?.[0]))
    .sort(([a = 0], [b = 0]) => a - b);
}

/** Gaps and lengths from 0 on: intervals may meet. Whether the last one goes on to the end. */
const intervals = fc.record({
  steps: fc.array(fc.tuple(fc.integer({ min: 0, max: 3 }), fc.integer({ min: 1, max: 3 })), {
    maxLength: 20,
  }),
  open: fc.boolean(),
  /** Where two meet, the end of the first may be left out. */
  short: fc.boolean(),
  zero: fc.boolean(),
});

test('ends are found for intervals, told forwards or backwards', () => {
  fc.assert(
    fc.property(intervals, ({ steps, open, short, zero }) => {
      const points: KernelElement[] = zero ? [end(0)] : [];
      const expected: number[][] = [];
      let at = 1;
      steps.forEach(([gap, length], i) => {
        const meets = gap === 0 && i > 0;
        if (meets && short) points.pop();
        at += gap;
        points.push(start(at));
        const isOpen = open && i === steps.length - 1;
        expected.push(isOpen ? [at] : [at, at + length]);
        at += length;
        if (!isOpen) points.push(end(at));
      });
      assert.deepEqual(paired(points), expected);
      assert.deepEqual(paired([...points].reverse()), expected);
    }),
    { seed, numRuns: 1000 },
  );
});
