import { ELEMENT_FLAGS, type KernelElement } from '../bytecode/index.ts';

/** The element that begins an interval, and what ends it; nothing where it goes on to the greatest key. */
export type IntervalPair = readonly KernelElement[];

const isEnd = ({ flags = 0 }: KernelElement) => (flags & ELEMENT_FLAGS.intervalEnd) !== 0;

/**
 * Pairs the beginnings and ends that the kernel tells of intervals, one after the other, forwards or backwards. A
 * beginning right behind another one ends that.
 */
export class IntervalPairs {
  /** Points of one key, from which no direction is seen yet. */
  readonly #held: KernelElement[] = [];
  #direction: 'forwards' | 'backwards' | undefined;
  /** Backwards, the point behind the next one; forwards, a beginning that has no end yet. */
  #last: KernelElement | undefined;

  /** The intervals that are known with this point. */
  take(point: KernelElement): readonly IntervalPair[] {
    if (this.#direction !== undefined) return this.#step(point);
    const [first] = this.#held;
    this.#held.push(point);
    const order = first === undefined ? 0 : Buffer.compare(first.key ?? NONE, point.key ?? NONE);
    if (order === 0) return [];
    this.#direction = order < 0 ? 'forwards' : 'backwards';
    return this.#held.flatMap((held) => this.#step(held));
  }

  /** The intervals that are known now that there are no more points. */
  end(): readonly IntervalPair[] {
    if (this.#direction === undefined)
      return this.#held.filter((point) => !isEnd(point)).map((point) => [point]);
    return this.#direction === 'forwards' && this.#last !== undefined ? [[this.#last]] : [];
  }

  #step(point: KernelElement): readonly IntervalPair[] {
    const before = this.#last;
    const end = (at: KernelElement) => ({ key: at.key, flags: ELEMENT_FLAGS.intervalEnd });
    if (this.#direction === 'backwards') {
      this.#last = point;
      if (isEnd(point)) return [];
      return [before === undefined ? [point] : [point, end(before)]];
    }
    this.#last = isEnd(point) ? undefined : point;
    return before === undefined ? [] : [[before, end(point)]];
  }
}

const NONE = new Uint8Array();
