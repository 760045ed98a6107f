import { randomUUID } from 'node:crypto';
import { StoreError } from './error.ts';
import { History } from './history.ts';
import { checkKey } from './key.ts';
import type { DeleteOptions, Entry, Listing, PutOptions, Store, StoreCall, StoreEvent } from './store.ts';

/** What goes wrong in a store, at a test's wish. */
export interface Faults {
  /** Nothing answers, until {@link mend}. */
  fail(): void;
  mend(): void;
  /** Forgets the changes up to now: who is behind has to list again. */
  compact(): void;
  /** A copy of everything as it is now, which {@link restore} goes back to. */
  backup(): Listing;
  /** Goes back to an older state and revision, as a restored backup does. */
  restore(backup: Listing): void;
  /** Another store under the same address: it has nothing of this one, revisions included. */
  replace(): void;
}

/** A store in memory: for tests, and for a daemon that has its state somewhere else. */
export class MemoryStore implements Store {
  readonly #history = new History(randomUUID(), 1);
  readonly #leases = new Map<string, NodeJS.Timeout>();
  #failure: StoreError | undefined;

  readonly faults: Faults = {
    fail: () => this.#fail('the store does not answer'),
    mend: () => {
      this.#failure = undefined;
      this.#history.recover();
    },
    compact: () => this.#history.compact(),
    backup: () => this.#history.list(''),
    restore: ({ cluster, revision, entries }) => this.#history.replace(cluster, revision, entries),
    replace: () => this.#history.replace(randomUUID(), 1, []),
  };

  async list(prefix: string, { signal }: StoreCall = {}): Promise<Listing> {
    this.#check(signal);
    return this.#history.list(prefix);
  }

  async get(key: string, { signal }: StoreCall = {}): Promise<Entry | undefined> {
    checkKey(key);
    this.#check(signal);
    return this.#history.get(key);
  }

  watch(prefix: string, from: number, options: StoreCall = {}): AsyncIterable<StoreEvent> {
    return this.#history.watch(prefix, from, options);
  }

  async put(key: string, value: string, options: PutOptions = {}): Promise<number> {
    const { expected, ttl, signal } = options;
    checkKey(key);
    this.#check(signal);
    this.#expect(key, expected);
    this.#lease(key, ttl);
    return this.#history.put(key, value).revision;
  }

  async delete(key: string, { expected, signal }: DeleteOptions = {}): Promise<boolean> {
    checkKey(key);
    this.#check(signal);
    this.#expect(key, expected);
    this.#lease(key, undefined);
    return this.#history.delete(key);
  }

  async close(): Promise<void> {
    for (const timer of this.#leases.values()) clearTimeout(timer);
    this.#leases.clear();
    this.#fail('the store is closed');
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #fail(why: string): void {
    this.#failure = new StoreError('unavailable', why);
    this.#history.fail(this.#failure);
  }

  #check(signal: AbortSignal | undefined): void {
    signal?.throwIfAborted();
    if (this.#failure !== undefined) throw this.#failure;
  }

  #expect(key: string, expected: number | undefined): void {
    const found = this.#history.get(key)?.revision ?? 0;
    if (expected !== undefined && expected !== found)
      throw new StoreError('conflict', `${key} is at revision ${found}, not ${expected}`);
  }

  #lease(key: string, ttl: number | undefined): void {
    clearTimeout(this.#leases.get(key));
    this.#leases.delete(key);
    if (ttl === undefined) return;
    const timer = setTimeout(() => {
      this.#leases.delete(key);
      this.#history.delete(key);
    }, ttl * 1000);
    timer.unref();
    this.#leases.set(key, timer);
  }
}
