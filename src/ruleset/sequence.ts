/** A pair of indices: the same thing in both lists. */
export type Pair = readonly [left: number, right: number];

interface Link {
  readonly pair: Pair;
  readonly before: Link | undefined;
}

/**
 * The longest common subsequence of two lists, as pairs of indices in rising order (Hunt and Szymanski:
 * fast where most things are there once, exact always).
 */
export function commonSubsequence(left: readonly string[], right: readonly string[]): Pair[] {
  const most = Math.min(left.length, right.length);
  let head = 0;
  while (head < most && left[head] === right[head]) head++;
  let tail = 0;
  while (tail < most - head && left[left.length - 1 - tail] === right[right.length - 1 - tail]) tail++;

  const places = new Map<string, number[]>();
  for (let j = right.length - 1 - tail; j >= head; j--) {
    const value = right[j] as string;
    const known = places.get(value);
    if (known === undefined) places.set(value, [j]);
    else known.push(j);
  }
  // ends[k]: of all common subsequences of k + 1 things, one that ends first on the right.
  const ends: Link[] = [];
  for (let i = head; i < left.length - tail; i++) {
    for (const j of places.get(left[i] as string) ?? []) {
      const k = firstNotBefore(ends, j);
      ends[k] = { pair: [i, j], before: ends[k - 1] };
    }
  }
  const middle: Pair[] = [];
  for (let link = ends.at(-1); link !== undefined; link = link.before) middle.push(link.pair);
  const same = (count: number, from: Pair): Pair[] =>
    Array.from({ length: count }, (_, i) => [from[0] + i, from[1] + i]);
  return [
    ...same(head, [0, 0]),
    ...middle.reverse(),
    ...same(tail, [left.length - tail, right.length - tail]),
  ];
}

/** The first of `ends` whose place on the right is not before `j`. */
function firstNotBefore(ends: readonly Link[], j: number): number {
  let low = 0;
  let high = ends.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((ends[middle] as Link).pair[1] < j) low = middle + 1;
    else high = middle;
  }
  return low;
}
