/** One key of a store, and its value. */
export interface Entry {
  readonly key: string;
  /** Text: for this firewall the JSON of a record. Whether it is JSON is not the store's concern. */
  readonly value: string;
  /** The store's revision at which this value was put. */
  readonly revision: number;
  /** The revision at which the key came into being: of two claims on one address the lower is the older. */
  readonly created: number;
}

/** All keys under a prefix, as they were at one revision. */
export interface Listing {
  /** Which store this is: revisions of two stores cannot be compared. */
  readonly cluster: string;
  readonly revision: number;
  /** In the order of their keys. */
  readonly entries: readonly Entry[];
}

/** A key that was put, or (without `entry`) deleted. */
export interface StoreChange {
  readonly key: string;
  readonly entry?: Entry;
}

/** What one or more revisions changed under a prefix, the latest last. */
export interface StoreEvent {
  readonly cluster: string;
  /** Everything up to here has been told. */
  readonly revision: number;
  readonly changes: readonly StoreChange[];
}

/** How a call can be given up. */
export interface StoreCall {
  readonly signal?: AbortSignal | undefined;
}

export interface PutOptions extends StoreCall {
  /** Put only if the key is still at this {@link Entry.revision}; 0: only if there is no such key. */
  readonly expected?: number;
  /** Seconds until the key goes by itself, unless it is put again. */
  readonly ttl?: number;
}

export interface DeleteOptions extends StoreCall {
  /** Delete only if the key is still at this {@link Entry.revision}. */
  readonly expected?: number;
}

/**
 * Where the desired state of all hosts is kept: keys with text as values, and a revision that every change
 * makes greater.
 *
 * Keys are paths such as `distributed-firewall/vm/343a`: one or more names between slashes, none of them
 * empty or beginning with a dot, without control characters, and of at most 200 bytes.
 *
 * Every method rejects with a {@link StoreError}, or with the signal's reason.
 */
export interface Store {
  /** All keys that begin with `prefix`, of one revision. */
  list(prefix: string, options?: StoreCall): Promise<Listing>;

  /** One key, where it exists. */
  get(key: string, options?: StoreCall): Promise<Entry | undefined>;

  /**
   * Tells the changes of keys that begin with `prefix`, from revision `from` on, that one included.
   *
   * An event without changes says that the store is well and at which revision it is. The iteration ends by
   * an error only: `compacted` where the store no longer knows all changes since `from` (list again), and
   * `unavailable` where the store cannot be reached or is another one by now.
   */
  watch(prefix: string, from: number, options?: StoreCall): AsyncIterable<StoreEvent>;

  /**
   * Puts a value.
   *
   * @returns the entry's new revision
   * @throws StoreError `conflict` when the key is not as `expected`
   */
  put(key: string, value: string, options?: PutOptions): Promise<number>;

  /**
   * Deletes a key.
   *
   * @returns whether it was there
   * @throws StoreError `conflict` when the key is not as `expected`
   */
  delete(key: string, options?: DeleteOptions): Promise<boolean>;

  /** Gives everything back that the store holds; what is under way is rejected as `unavailable`. */
  close(): Promise<void>;

  [Symbol.asyncDispose](): Promise<void>;
}
