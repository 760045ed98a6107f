import {
  type Data,
  ELEMENT_FLAGS,
  type MapData,
  SET_FLAGS,
  type SetElement,
  type Typed,
} from '../bytecode/index.ts';
import { toBytes } from '../datatype/index.ts';
import { boundsOf } from './constant.ts';
import { constant, orderOf, valueAt } from './convert.ts';
import type { EvaluatedElement, KeyPart } from './elements.ts';
import { constantData, joinBytes } from './emit.ts';
import { CompileError, type Path } from './error.ts';
import { bytesFor, type Expr, maxOf } from './expr.ts';

/** What of a set decides how its elements are encoded. */
export interface ElementLayout {
  readonly key: readonly Typed[];
  readonly data?: MapData | undefined;
  readonly flags: number;
  /** Overlapping intervals become one instead of an error. */
  readonly autoMerge?: boolean;
  /** The elements are part of a whole that begins at zero: mark what is before the first interval. */
  readonly complete?: boolean;
}

/** Elements in the kernel's form: one an element, two for an interval, `key` and `keyEnd` for a concatenation. */
export function encodeElements(elements: readonly EvaluatedElement[], layout: ElementLayout): SetElement[] {
  const concat = layout.key.length > 1;
  if (!(layout.flags & SET_FLAGS.interval)) return elements.map((element) => encodeSingle(element, layout));
  if (concat) return elements.map((element) => encodeRanges(element, layout));
  return encodeIntervals(elements, layout);
}

/** What an element carries beside its key. */
function rest(element: EvaluatedElement, layout: ElementLayout): SetElement {
  const { data, object, timeout, expiration, comment, expressions, source, path } = element;
  return {
    data: data && dataOf(data, layout, path),
    object,
    timeout,
    expiration,
    comment,
    expressions,
    source,
  };
}

/** A value, a verdict, or, in a map of ranges, the two ends of one: all parts of the first, then of the last. */
function dataOf(data: Expr, layout: ElementLayout, path: Path): Data {
  if (layout.data?.kind !== 'value') return constantData(data);
  const ranged = (part: Expr) => part.kind === 'range' || part.kind === 'prefix';
  if (!layout.data.interval) {
    if (ranged(data) || (data.kind === 'concat' && data.parts.some(ranged))) {
      throw new CompileError(path, 'the map holds single values, not ranges or prefixes');
    }
    return constantData(data);
  }
  const parts = (data.kind === 'concat' ? data.parts : [data]) as readonly KeyPart[];
  const bounds = parts.map((part) => boundsOf(part));
  return joinBytes(
    [0, 1].flatMap((end) => parts.map((part, i) => constant(part, bounds[i]?.[end] as bigint))),
  );
}

const catchall = (element: EvaluatedElement, layout: ElementLayout): SetElement => ({
  ...rest(element, layout),
  flags: ELEMENT_FLAGS.catchall,
});

function encodeSingle(element: EvaluatedElement, layout: ElementLayout): SetElement {
  if (element.key === undefined) return catchall(element, layout);
  const values = element.key.map((part) => {
    if (part.kind !== 'value') {
      throw new CompileError(
        element.path,
        'the set holds single values: a range or prefix needs the flag interval',
      );
    }
    return part;
  });
  const [only] = values;
  const key =
    values.length === 1 && only
      ? toBytes(only.value, bytesFor(only.bits), only.byteorder)
      : joinBytes(values);
  return { key, ...rest(element, layout) };
}

function encodeRanges(element: EvaluatedElement, layout: ElementLayout): SetElement {
  if (element.key === undefined) return catchall(element, layout);
  const bounds = element.key.map((part) => boundsOf(part));
  const end = (which: 0 | 1) =>
    joinBytes(
      (element.key as readonly KeyPart[]).map((part, i) => constant(part, bounds[i]?.[which] as bigint)),
    );
  return { key: end(0), keyEnd: end(1), ...rest(element, layout) };
}

interface Interval {
  readonly low: bigint;
  high: bigint;
  readonly element: EvaluatedElement;
}

/**
 * A set of intervals holds the first key of each, and the key after the last as its end. Where in an
 * anonymous set one begins right after another the end is left out: the next beginning ends it. In a named
 * one, whose elements come and go, each has an end of its own.
 *
 * ```
 *  0         10        20        30                 max
 *  |--------[==========[=========)-------[===========]
 *  end      start      start     end     start        (open: nothing ends it)
 * ```
 */
function encodeIntervals(elements: readonly EvaluatedElement[], layout: ElementLayout): SetElement[] {
  const [typed] = layout.key as readonly [Typed];
  const length = bytesFor(typed.bits);
  const greatest = maxOf(length * 8);
  const keyOf = (order: bigint) => toBytes(order, length, 'network');
  const result: SetElement[] = [];
  const intervals = sortIntervals(elements, typed, layout.autoMerge === true);
  const [first] = intervals;
  if (layout.complete && first !== undefined && first.low > 0n) {
    result.push({ key: keyOf(0n), flags: ELEMENT_FLAGS.intervalEnd });
  }
  intervals.forEach((interval, i) => {
    const open = interval.high === greatest;
    result.push({ key: keyOf(interval.low), ...rest(interval.element, layout), open });
    const next = intervals[i + 1];
    const adjacent = next !== undefined && next.low === interval.high + 1n;
    if (open || (adjacent && layout.flags & SET_FLAGS.anonymous)) return;
    result.push({
      key: keyOf(interval.high + 1n),
      flags: ELEMENT_FLAGS.intervalEnd,
      joined: true,
      source: interval.element.source,
    });
  });
  for (const element of elements) if (element.key === undefined) result.push(catchall(element, layout));
  return result;
}

function sortIntervals(elements: readonly EvaluatedElement[], typed: Typed, autoMerge: boolean): Interval[] {
  const intervals: Interval[] = [];
  for (const element of elements) {
    const part = element.key?.[0];
    if (part === undefined) continue;
    const [low, high] = boundsOf(part);
    intervals.push({ low: orderOf(low, typed), high: orderOf(high, typed), element });
  }
  intervals.sort((a, b) =>
    a.low < b.low ? -1 : a.low > b.low ? 1 : a.high > b.high ? -1 : a.high < b.high ? 1 : 0,
  );
  const kept: Interval[] = [];
  for (const interval of intervals) {
    const before = kept.at(-1);
    const same = before?.low === interval.low && before.high === interval.high;
    if (before !== undefined && interval.low <= before.high && (autoMerge || !same)) {
      if (!autoMerge) {
        throw new CompileError(
          interval.element.path,
          `this interval overlaps element ${before.element.source}: merge them, or give the set the flag auto-merge`,
        );
      }
      if (interval.high > before.high) before.high = interval.high;
    } else if (before !== undefined && autoMerge && interval.low === before.high + 1n) {
      before.high = interval.high;
    } else {
      kept.push(interval);
    }
  }
  return kept;
}

/** The elements of a set of intervals, those that meet or overlap as one. */
export function mergeIntervals(elements: readonly EvaluatedElement[], typed: Typed): EvaluatedElement[] {
  const merged = sortIntervals(elements, typed, true).map(({ low, high, element }): EvaluatedElement => {
    const [part] = element.key as readonly [KeyPart];
    const [first, last] = boundsOf(part);
    if (orderOf(first, typed) === low && orderOf(last, typed) === high) return element;
    const { type, bits, byteorder } = part;
    const range = { type, bits, byteorder, low: valueAt(low, typed), high: valueAt(high, typed) };
    return { ...element, key: [{ kind: 'range', ...range }] };
  });
  return [...merged, ...elements.filter(({ key }) => key === undefined)];
}
