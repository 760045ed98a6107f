import { StoreError } from './error.ts';
import type { Entry, Listing, StoreCall, StoreEvent } from './store.ts';

/** How many changes are remembered for watchers that begin, or are behind. */
const REMEMBERED = 100_000;

interface Change {
  readonly revision: number;
  readonly key: string;
  readonly entry?: Entry;
}

/**
 * The keys of a store that lives in this process, with the changes that made them: what a store needs to
 * list and to watch.
 */
export class History {
  readonly #entries = new Map<string, Entry>();
  readonly #remembered: number;
  #cluster: string;
  #changes: Change[] = [];
  /** The last revision whose change is no longer remembered. */
  #compacted: number;
  #revision: number;
  #failure: Error | undefined;
  #wake: (() => void)[] = [];

  constructor(cluster: string, revision: number, remembered = REMEMBERED) {
    this.#cluster = cluster;
    this.#revision = revision;
    this.#compacted = revision;
    this.#remembered = remembered;
  }

  get revision(): number {
    return this.#revision;
  }

  get(key: string): Entry | undefined {
    return this.#entries.get(key);
  }

  keys(): IterableIterator<string> {
    return this.#entries.keys();
  }

  /** A key was put; `at` is its revision, which is greater than any before. */
  put(key: string, value: string, at = this.#revision + 1, created?: number): Entry {
    const entry: Entry = { key, value, revision: at, created: this.get(key)?.created ?? created ?? at };
    this.#entries.set(key, entry);
    this.#record({ revision: at, key, entry });
    return entry;
  }

  delete(key: string, at = this.#revision + 1): boolean {
    if (!this.#entries.delete(key)) return false;
    this.#record({ revision: at, key });
    return true;
  }

  list(prefix: string): Listing {
    const entries = [...this.#entries.values()].filter(({ key }) => key.startsWith(prefix));
    entries.sort((a, b) => (a.key < b.key ? -1 : 1));
    return { cluster: this.#cluster, revision: this.#revision, entries };
  }

  /** Forgets the changes up to a revision: who has not seen them has to list again. */
  compact(revision = this.#revision): void {
    this.#changes = this.#changes.filter((change) => change.revision > revision);
    this.#compacted = Math.max(this.#compacted, Math.min(revision, this.#revision));
    this.#tell();
  }

  /** Everything is as it was at another time or place: watchers have to begin anew. */
  replace(cluster: string, revision: number, entries: Iterable<Entry>): void {
    this.#entries.clear();
    for (const entry of entries) this.#entries.set(entry.key, entry);
    this.#cluster = cluster;
    this.#revision = revision;
    this.#changes = [];
    this.#compacted = revision;
    this.#tell();
  }

  /** Watchers end with this error; those that begin as well, until {@link recover}. */
  fail(error: Error): void {
    this.#failure = error;
    this.#tell();
  }

  recover(): void {
    this.#failure = undefined;
  }

  /** See {@link Store.watch}. */
  async *watch(prefix: string, from: number, { signal }: StoreCall = {}): AsyncGenerator<StoreEvent> {
    const cluster = this.#cluster;
    let next = from;
    for (;;) {
      signal?.throwIfAborted();
      if (this.#failure !== undefined) throw this.#failure;
      if (cluster !== this.#cluster) throw new StoreError('unavailable', 'this is another store now');
      if (next <= this.#compacted)
        throw new StoreError('compacted', `the changes since revision ${next} are no longer known`);
      if (next > this.#revision + 1)
        throw new StoreError('compacted', `the store is at revision ${this.#revision}, before ${next - 1}`);
      const changes = this.#changesFrom(next);
      if (changes.length > 0) {
        next = (changes.at(-1) as Change).revision + 1;
        const told = changes.filter(({ key }) => key.startsWith(prefix));
        yield { cluster, revision: next - 1, changes: told.map(({ revision: _, ...change }) => change) };
        continue;
      }
      await this.#turn(signal);
    }
  }

  #changesFrom(revision: number): Change[] {
    const last = this.#changes.at(-1);
    if (last === undefined || last.revision < revision) return [];
    let first = this.#changes.length - 1;
    while (first > 0 && (this.#changes[first - 1] as Change).revision >= revision) first--;
    return this.#changes.slice(first);
  }

  #record(change: Change): void {
    this.#revision = change.revision;
    this.#changes.push(change);
    if (this.#changes.length > this.#remembered * 2) {
      const forgotten = this.#changes.splice(0, this.#changes.length - this.#remembered);
      this.#compacted = (forgotten.at(-1) as Change).revision;
    }
    this.#tell();
  }

  /** The next time that anything happens. */
  #turn(signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        signal?.removeEventListener('abort', done);
        resolve();
      };
      signal?.addEventListener('abort', done, { once: true });
      this.#wake.push(done);
    });
  }

  #tell(): void {
    const wake = this.#wake;
    this.#wake = [];
    for (const one of wake) one();
  }
}
