import type { Expression, Verdict } from '../index.ts';

/** The families that we have a table in. */
export type TableFamily = 'bridge' | 'inet' | 'netdev';

/** An element that a set or map of ours has to have. */
export interface Entry {
  readonly family: TableFamily;
  readonly set: string;
  readonly key: Expression;
  /** What a map has for the key. */
  readonly value?: Expression | Verdict;
  /** Others may want the same element: it goes with the last of them. */
  readonly shared?: true;
}

/** Something that rules have to be there for: a combination of groups, a filter, one that a port names, a log, a limit. */
export interface Use {
  readonly kind: 'profile' | 'filter' | 'filtered' | 'log' | 'limited';
  readonly family: TableFamily;
  readonly name: string;
  readonly data?: unknown;
}

/** What one record asks of the ruleset. */
export interface Parts {
  readonly entries: readonly Entry[];
  readonly uses: readonly Use[];
}

const useKey = ({ family, kind, name }: Use) => `${family} ${kind} ${name}`;
const setKey = (family: TableFamily, set: string) => `${family} ${set}`;

/**
 * How many elements each set has, and what is in use: all that chains and rules depend on. The elements
 * themselves are not kept, as each record can say its own again.
 */
export class Inventory {
  readonly #sizes = new Map<string, number>();
  readonly #shared = new Map<string, number>();
  readonly #uses = new Map<string, { count: number; readonly use: Use }>();
  /** Prefix lengths in use, by family and field: `bridge ip6` has 128 and 64. */
  readonly #lengths = new Map<string, Set<number>>();
  #shape = 0;

  /** Changes whenever a set came into being or vanished, or a use began or ended. */
  get shape(): number {
    return this.#shape;
  }

  /** Takes account of a record; returns what becomes new by it. */
  add({ entries, uses }: Parts): Entry[] {
    for (const use of uses) {
      const id = useKey(use);
      const known = this.#uses.get(id);
      if (known) known.count++;
      else {
        this.#uses.set(id, { count: 1, use });
        this.#shape++;
      }
    }
    return entries.filter((entry) => {
      if (entry.shared && this.#share(entry, 1) !== 1) return false;
      this.#resize(entry, 1);
      return true;
    });
  }

  /** Takes a record out of account; returns what goes with it. */
  remove({ entries, uses }: Parts): Entry[] {
    for (const use of uses) {
      const known = this.#uses.get(useKey(use));
      if (!known || --known.count > 0) continue;
      this.#uses.delete(useKey(use));
      this.#shape++;
    }
    return entries.filter((entry) => {
      if (entry.shared && this.#share(entry, -1) !== 0) return false;
      this.#resize(entry, -1);
      return true;
    });
  }

  /** How many elements a set has. */
  size(family: TableFamily, set: string): number {
    return this.#sizes.get(setKey(family, set)) ?? 0;
  }

  /** The prefix lengths for which a field has a set (`ip6` has `ip6_128`), longest first. */
  lengths(family: TableFamily, field: string): number[] {
    return [...(this.#lengths.get(setKey(family, field)) ?? [])].sort((a, b) => b - a);
  }

  /** What is in use, by name. */
  uses(family: TableFamily, kind: Use['kind']): Use[] {
    return [...this.#uses.values()]
      .map(({ use }) => use)
      .filter((use) => use.family === family && use.kind === kind)
      .sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  #share({ family, set, key }: Entry, by: 1 | -1): number {
    const id = `${family} ${set} ${typeof key === 'string' ? key : JSON.stringify(key)}`;
    const count = (this.#shared.get(id) ?? 0) + by;
    if (count === 0) this.#shared.delete(id);
    else this.#shared.set(id, count);
    return count;
  }

  #resize({ family, set }: Entry, by: 1 | -1): void {
    const id = setKey(family, set);
    const size = (this.#sizes.get(id) ?? 0) + by;
    this.#sizes.set(id, size);
    if (size !== 0 && !(size === 1 && by === 1)) return;
    this.#shape++;
    const [, field, length] = /^(.*)_(\d+)$/.exec(id) ?? [];
    if (field === undefined) return;
    let lengths = this.#lengths.get(field);
    if (!lengths) this.#lengths.set(field, (lengths = new Set()));
    if (size === 0) lengths.delete(Number(length));
    else lengths.add(Number(length));
  }
}

/** What has to go and to come. */
export interface Difference {
  readonly removed: Parts;
  readonly added: Parts;
}

/** What has to go and to come where one record takes another's place. */
export function partsDifference(before: Parts, after: Parts): Difference {
  const [removed, added] = difference(before.entries, after.entries, entryKey);
  const [ended, begun] = difference(before.uses, after.uses, (use) => JSON.stringify(use));
  return { removed: { entries: removed, uses: ended }, added: { entries: added, uses: begun } };
}

const entryKey = ({ family, set, key, value }: Entry): string =>
  `${family} ${set} ${typeof key === 'string' ? key : JSON.stringify(key)} ${value === undefined ? '' : JSON.stringify(value)}`;

/** The members of either list that the other does not have, as often as it does not. */
function difference<T>(before: readonly T[], after: readonly T[], keyOf: (value: T) => string): [T[], T[]] {
  const counts = new Map<string, number>();
  for (const value of before) counts.set(keyOf(value), (counts.get(keyOf(value)) ?? 0) + 1);
  const added = after.filter((value) => {
    const count = counts.get(keyOf(value)) ?? 0;
    if (count > 0) counts.set(keyOf(value), count - 1);
    return count === 0;
  });
  const removed = before.filter((value) => {
    const count = counts.get(keyOf(value)) ?? 0;
    if (count > 0) counts.set(keyOf(value), count - 1);
    return count > 0;
  });
  return [removed, added];
}
