import type { Entry, StoreChange } from '../store/index.ts';
import type { Followed } from './follow.ts';

/** How many keys may go at once without anybody's word for it. */
export interface DeletionLimit {
  /** Of all keys that are there; default 0.25. */
  readonly share?: number;
  /** Fewer than this may always go; default 10. */
  readonly least?: number;
}

/** Deletions that wait for a word. */
export interface HeldDeletions {
  readonly keys: readonly string[];
  /** How many keys there were. */
  readonly of: number;
}

/**
 * The records of the store, as far as this host believes them. A key goes only when the store says so: by a
 * deletion that it tells, or by a complete listing without it. Where too many go at once (a store that was
 * emptied by mistake, a directory that is not mounted), they stay until {@link confirm}.
 */
export class Records {
  readonly #limit: Required<DeletionLimit>;
  readonly #entries = new Map<string, Entry>();
  readonly #held = new Set<string>();

  constructor({ share = 0.25, least = 10 }: DeletionLimit = {}) {
    this.#limit = { share, least };
  }

  get entries(): ReadonlyMap<string, Entry> {
    return this.#entries;
  }

  get held(): HeldDeletions | undefined {
    return this.#held.size === 0 ? undefined : { keys: [...this.#held].sort(), of: this.#entries.size };
  }

  /** Begins with what a snapshot had. */
  seed(entries: readonly Entry[]): void {
    for (const entry of entries) this.#entries.set(entry.key, entry);
  }

  /**
   * Takes what following the store told, all of what came at once.
   *
   * @returns the keys that are not as they were
   */
  take(told: readonly Followed[]): Set<string> {
    const changed = new Set<string>();
    const gone = new Set<string>(this.#held);
    for (const one of told) {
      if (one.kind === 'lost') continue;
      for (const { key, entry } of one.kind === 'listed'
        ? this.#against(one.prefix, one.listing.entries)
        : one.changes) {
        if (entry === undefined) {
          if (this.#entries.has(key)) gone.add(key);
        } else {
          gone.delete(key);
          if (this.#entries.get(key)?.value !== entry.value) changed.add(key);
          this.#entries.set(key, entry);
        }
      }
    }
    this.#held.clear();
    const { share, least } = this.#limit;
    const isTooMany = gone.size >= least && gone.size > share * this.#entries.size;
    for (const key of gone) {
      if (isTooMany) this.#held.add(key);
      else if (this.#entries.delete(key)) changed.add(key);
    }
    return changed;
  }

  /**
   * The deletions that were held are meant.
   *
   * @returns their keys
   */
  confirm(): string[] {
    const keys = [...this.#held];
    for (const key of keys) this.#entries.delete(key);
    this.#held.clear();
    return keys;
  }

  /** What a complete listing says beside what is known: what is not in it is gone. */
  #against(prefix: string, entries: readonly Entry[]): StoreChange[] {
    const there = new Set(entries.map(({ key }) => key));
    const known = [...this.#entries.keys()].filter((key) => key.startsWith(prefix));
    const gone = known.filter((key) => !there.has(key)).map((key) => ({ key }));
    return [...gone, ...entries.map((entry) => ({ key: entry.key, entry }))];
  }
}
