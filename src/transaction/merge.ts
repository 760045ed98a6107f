import { ELEMENT_FLAGS, type SetElement } from '../linearize/index.ts';
import type { OutgoingMessage } from './message.ts';

/** An interval of a set: its first and last key as numbers, and the element that it begins with. */
export interface Interval {
  readonly low: bigint;
  readonly high: bigint;
  readonly element: SetElement;
}

/** A set whose intervals merge, in the course of a transaction. */
export interface MergingSet {
  /** What the kernel has, and what it is to have by now. */
  readonly there: readonly Interval[];
  readonly now: readonly Interval[];
  /** The messages that make the one of the other: the next change puts others in their place. */
  readonly sent: readonly OutgoingMessage[];
  /** Whether this transaction makes the set: then what is before its first interval is marked. */
  readonly isNew: boolean;
}

const isEnd = ({ flags }: SetElement) => ((flags ?? 0) & ELEMENT_FLAGS.intervalEnd) !== 0;
const numberOf = (key: Uint8Array) => BigInt(`0x${Buffer.from(key).toString('hex')}`);
const byLow = (a: Interval, b: Interval) => (a.low < b.low ? -1 : a.low > b.low ? 1 : 0);

/** The intervals that elements are the ends of, in order; `bytes` are a key's. */
export function intervalsOf(elements: readonly SetElement[], bytes: number): readonly Interval[] {
  const greatest = (1n << BigInt(bytes * 8)) - 1n;
  const ends = elements
    .filter((element) => element.key !== undefined)
    .map((element) => ({ at: numberOf(element.key as Uint8Array), element }))
    .sort((a, b) =>
      a.at < b.at ? -1 : a.at > b.at ? 1 : Number(isEnd(b.element)) - Number(isEnd(a.element)),
    );
  return ends.flatMap(({ at, element }, i) => {
    if (isEnd(element)) return [];
    const next = ends[i + 1];
    return [{ low: at, high: next === undefined ? greatest : next.at - 1n, element }];
  });
}

/** Intervals as the kernel takes them: one element where each begins, one behind its last key. */
export function elementsOfIntervals(intervals: readonly Interval[], bytes: number): readonly SetElement[] {
  const greatest = (1n << BigInt(bytes * 8)) - 1n;
  const keyOf = (at: bigint) => Uint8Array.from(Buffer.from(at.toString(16).padStart(bytes * 2, '0'), 'hex'));
  return intervals.flatMap(({ low, high, element }): SetElement[] => {
    const open = high === greatest;
    const start = { ...element, key: keyOf(low), open };
    const { source } = element;
    if (open) return [start];
    return [start, { key: keyOf(high + 1n), flags: ELEMENT_FLAGS.intervalEnd, joined: true, source }];
  });
}

/** Adds intervals, those that touch others becoming one with them, as nft's auto-merge does. */
export function mergeInto(there: readonly Interval[], more: readonly Interval[]): readonly Interval[] {
  const isNew = new Set(more);
  const now: Interval[] = [];
  let run: Interval[] = [];
  let high = -1n;
  const finish = () => {
    const old = run.filter((one) => !isNew.has(one));
    const fresh = run.find((one) => isNew.has(one) && !old.some((other) => contains(other, one)));
    if (fresh === undefined) now.push(...old);
    else now.push({ low: (run[0] as Interval).low, high, element: fresh.element });
  };
  for (const interval of [...there, ...more].sort(byLow)) {
    if (run.length > 0 && interval.low > high + 1n) {
      finish();
      run = [];
    }
    run.push(interval);
    if (run.length === 1 || interval.high > high) high = interval.high;
  }
  if (run.length > 0) finish();
  return now;
}

/** Takes intervals out of those that they are parts of; `missing` are parts of none. */
export function takeOut(
  there: readonly Interval[],
  less: readonly Interval[],
): { readonly now: readonly Interval[]; readonly missing: readonly Interval[] } {
  const missing: Interval[] = [];
  const now: Interval[] = [];
  const holes = [...less].sort(byLow);
  for (const interval of there) {
    while (holes[0] !== undefined && holes[0].low < interval.low) missing.push(holes.shift() as Interval);
    let rest = interval;
    while (holes[0] !== undefined && contains(rest, holes[0])) {
      const { low, high } = holes.shift() as Interval;
      if (low > rest.low) now.push({ ...rest, high: low - 1n });
      rest = { ...rest, low: high + 1n };
    }
    if (rest.low <= rest.high) now.push(rest);
  }
  return { now, missing: [...missing, ...holes] };
}

/** What of `intervals` is not among `others`: those that no change has touched are the same objects. */
export function without(intervals: readonly Interval[], others: readonly Interval[]): readonly Interval[] {
  const there = new Set(others);
  return intervals.filter((interval) => !there.has(interval));
}

function contains(outer: Interval, inner: Interval): boolean {
  return outer.low <= inner.low && inner.high <= outer.high;
}
