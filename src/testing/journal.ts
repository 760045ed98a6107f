/** The properties of an object that are of a type. */
type KeysOf<O, T> = { [K in keyof O]: O[K] extends T ? K : never }[keyof O];

/** What a transaction changed, to be taken back when it fails: nothing big is ever copied whole. */
export class Journal {
  readonly #undo: (() => void)[] = [];
  readonly #owned = new Map<object, Set<PropertyKey>>();
  #changed = false;

  /** Whether anything took place that begins a new generation. */
  get changed(): boolean {
    return this.#changed;
  }

  /** Something took place that needs no undoing. */
  note(): void {
    this.#changed = true;
  }

  /** Something took place; `undo` takes it back. */
  did(undo: () => void): void {
    this.#changed = true;
    this.#undo.push(undo);
  }

  /** Sets a property. */
  set<O extends object, K extends keyof O>(owner: O, key: K, value: O[K]): void {
    const before = owner[key];
    this.did(() => {
      owner[key] = before;
    });
    owner[key] = value;
  }

  /** A map of `owner` that may be changed: a copy, which is made once a transaction. */
  map<O extends object, K extends KeysOf<O, Map<string, unknown>>>(owner: O, key: K): O[K] {
    if (this.#own(owner, key)) this.set(owner, key, new Map(owner[key] as Map<string, unknown>) as O[K]);
    return owner[key];
  }

  /** A list of `owner` that may be changed: a copy, which is made once a transaction. */
  list<O extends object, K extends KeysOf<O, unknown[]>>(owner: O, key: K): O[K] {
    if (this.#own(owner, key)) this.set(owner, key, [...(owner[key] as unknown[])] as O[K]);
    return owner[key];
  }

  /** Takes everything back, the last first. */
  rollBack(): void {
    for (let undo = this.#undo.pop(); undo !== undefined; undo = this.#undo.pop()) undo();
    this.#owned.clear();
    this.#changed = false;
  }

  #own(owner: object, key: PropertyKey): boolean {
    const keys = this.#owned.get(owner) ?? new Set();
    this.#owned.set(owner, keys);
    if (keys.has(key)) return false;
    keys.add(key);
    return true;
  }
}
