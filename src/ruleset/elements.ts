import type { Member } from './member.ts';

/** What must go and what must come for one set of elements to become another. */
export interface ElementChanges {
  readonly gone: readonly Member[];
  readonly fresh: readonly Member[];
}

/** What an element carries, as text. */
type Content = (member: Member) => string;

/** What of a set decides how its elements are compared. */
export interface SetTraits {
  /** It gives another timeout than before: elements that are there keep theirs. */
  readonly retimed: boolean;
  /** Neighbours become one interval. */
  readonly merges: boolean;
}

/** Elements that stand or fall together: one alone, or intervals that overlap. */
interface Cluster {
  readonly members: readonly Member[];
  readonly content: string;
  readonly low: bigint;
  readonly high: bigint;
}

/**
 * Compares elements. Those with the same key and content stay; so do intervals that together cover the same,
 * however they are cut, where they carry nothing.
 *
 * @param mustGo - elements that cannot stay although nothing of them changes
 */
export function compareElements(
  current: readonly Member[],
  desired: readonly Member[],
  mustGo: (member: Member) => boolean,
  { retimed, merges }: SetTraits,
): ElementChanges {
  const content: Content = ({ content: carried, timeout, isTimed }) =>
    (isTimed || retimed) && timeout !== undefined ? `${carried} timeout ${timeout}` : carried;
  const keyed = (members: readonly Member[]) => members.filter(({ interval }) => interval === undefined);
  const singles = compareKeys(keyed(current), keyed(desired), mustGo, content);
  const [there, wanted] = [clusters(current, content, mustGo), clusters(desired, content)];
  const intervals = merges ? compareIntervals(runs(there), runs(wanted)) : compareIntervals(there, wanted);
  return {
    gone: [...singles.gone, ...intervals.gone],
    fresh: [...singles.fresh, ...intervals.fresh],
  };
}

function compareKeys(
  current: readonly Member[],
  desired: readonly Member[],
  mustGo: (member: Member) => boolean,
  content: Content,
): ElementChanges {
  const wanted = new Map(desired.map((member) => [member.key, member]));
  const gone: Member[] = [];
  for (const member of current) {
    const other = wanted.get(member.key);
    if (other !== undefined && content(other) === content(member) && !mustGo(member))
      wanted.delete(member.key);
    else gone.push(member);
  }
  return { gone, fresh: [...wanted.values()] };
}

/** The intervals in their order, overlapping ones together. */
function clusters(
  members: readonly Member[],
  contentOf: Content,
  mustGo: (member: Member) => boolean = () => false,
): Cluster[] {
  const found: { members: Member[]; content: string; low: bigint; high: bigint }[] = [];
  const sorted = members
    .flatMap((member) => (member.interval === undefined ? [] : [{ member, interval: member.interval }]))
    .sort((a, b) => (a.interval[0] < b.interval[0] ? -1 : a.interval[0] > b.interval[0] ? 1 : 0));
  for (const { member, interval } of sorted) {
    const [low, high] = interval;
    const content = mustGo(member) ? `${contentOf(member)} of what goes` : contentOf(member);
    const last = found.at(-1);
    if (last === undefined || low > last.high) {
      found.push({ members: [member], content, low, high });
      continue;
    }
    last.members.push(member);
    if (high > last.high) last.high = high;
    if (content !== last.content) last.content = `${last.content}, ${content}`;
  }
  return found;
}

const span = ({ low, high, content }: Cluster) => `${low}-${high} ${content}`;

function compareIntervals(current: readonly Cluster[], desired: readonly Cluster[]): ElementChanges {
  const one = unmatched(current, desired);
  // What is left may still cover the same, cut in other places.
  const two = unmatched(runs(one.current), runs(one.desired));
  return {
    gone: two.current.flatMap(({ members }) => members),
    fresh: two.desired.flatMap(({ members }) => members),
  };
}

function unmatched(current: readonly Cluster[], desired: readonly Cluster[]) {
  const here = new Set(current.map(span));
  const there = new Set(desired.map(span));
  return {
    current: current.filter((cluster) => !there.has(span(cluster))),
    desired: desired.filter((cluster) => !here.has(span(cluster))),
  };
}

/** Joins neighbours that carry nothing. */
function runs(sorted: readonly Cluster[]): Cluster[] {
  const joined: Cluster[] = [];
  for (const cluster of sorted) {
    const last = joined.at(-1);
    if (
      last !== undefined &&
      last.high + 1n === cluster.low &&
      last.content === '' &&
      cluster.content === ''
    ) {
      const members = [...last.members, ...cluster.members];
      joined[joined.length - 1] = { ...last, members, high: cluster.high };
    } else joined.push(cluster);
  }
  return joined;
}
