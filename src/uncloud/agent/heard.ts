import type { Entry, Store } from '../store/index.ts';
import type { Backoff } from './backoff.ts';
import { KINDS } from './desired.ts';
import { type Followed, follow } from './follow.ts';
import type { AgentOptions } from './options.ts';
import { type HeldDeletions, Records } from './records.ts';

/** What is heard of the store, kind by kind: some of it is taken as records already, the last of it waits. */
export class Heard {
  readonly #prefix: string;
  readonly #store: Store;
  readonly #backoff: Backoff | undefined;
  readonly #records: Records;
  readonly #log: AgentOptions['log'];
  /** Kinds of records that the store has not listed yet: until then the snapshot stands for all. */
  readonly #missing = new Set<string>(Object.keys(KINDS));
  readonly #lost = new Map<string, Date>();
  readonly #clusters = new Map<string, string>();
  #told: Followed[] = [];
  #revision = 0;
  #following = new AbortController();

  constructor(prefix: string, options: Pick<AgentOptions, 'store' | 'backoff' | 'deletions' | 'log'>) {
    const { store, backoff, deletions, log } = options;
    this.#prefix = prefix;
    this.#store = store;
    this.#backoff = backoff;
    this.#records = new Records(deletions);
    this.#log = log;
  }

  /** Whether the store has listed everything. */
  get isComplete(): boolean {
    return this.#missing.size === 0;
  }

  get entries(): ReadonlyMap<string, Entry> {
    return this.#records.entries;
  }

  get held(): HeldDeletions | undefined {
    return this.#records.held;
  }

  /** Whether there is something to take. */
  get hasNews(): boolean {
    return this.#told.length > 0;
  }

  /** The revision of the VMs' records that were taken, and whose it is. */
  get revision(): number {
    return this.#revision;
  }

  get cluster(): string {
    return this.#clusters.get('vm') ?? '';
  }

  /** Since when some kind of records is not heard of. */
  get staleSince(): Date | undefined {
    return [...this.#lost.values()].sort((a, b) => a.getTime() - b.getTime())[0];
  }

  /** Begins with what a snapshot had. */
  seed(entries: readonly Entry[]): void {
    this.#records.seed(entries);
  }

  /** Follows all kinds of records until `stop` is aborted; `heard` is told after each thing that was heard. */
  async follow(heard: () => void, stop: AbortSignal): Promise<void> {
    await Promise.all(Object.keys(KINDS).map((kind) => this.#follow(kind, heard, stop)));
  }

  /** Reads everything again. */
  resync(): void {
    // Before it is aborted: each kind that begins anew finds the next one.
    const ended = this.#following;
    this.#following = new AbortController();
    ended.abort(new Error('resync'));
  }

  async #follow(kind: string, heard: () => void, stop: AbortSignal): Promise<void> {
    for (;;) {
      const signal = AbortSignal.any([stop, this.#following.signal]);
      const options = { signal, ...(this.#backoff && { backoff: this.#backoff }) };
      try {
        for await (const one of follow(this.#store, `${this.#prefix}${kind}/`, options)) {
          this.#hear(kind, one);
          heard();
        }
      } catch (error) {
        stop.throwIfAborted();
        if (!signal.aborted) throw error;
        this.#log?.('info', 'reading everything again', { kind });
      }
    }
  }

  #hear(kind: string, one: Followed): void {
    if (one.kind === 'lost') {
      if (!this.#lost.has(kind)) {
        this.#lost.set(kind, new Date());
        this.#log?.('warning', 'the store is lost', { kind, error: one.error.message, code: one.error.code });
      }
      return;
    }
    if (this.#lost.delete(kind)) this.#log?.('info', 'the store is back', { kind });
    if (one.kind === 'listed') {
      this.#missing.delete(kind);
      this.#clusters.set(kind, one.listing.cluster);
    }
    if (one.kind === 'listed' || one.changes.length > 0) this.#told.push(one);
  }

  /**
   * Takes what was heard, once all kinds were.
   *
   * @returns the keys that are not as they were
   */
  take(): ReadonlySet<string> {
    if (!this.isComplete) return new Set();
    const told = this.#told;
    this.#told = [];
    this.#revision = lastRevision(told, `${this.#prefix}vm/`) ?? this.#revision;
    return this.#records.take(told);
  }

  /** Deletions that were held back are meant; their keys. */
  confirm(): readonly string[] {
    return this.#records.confirm();
  }
}

/** Up to which revision keys under a prefix were told. */
function lastRevision(told: readonly Followed[], prefix: string): number | undefined {
  let last: number | undefined;
  for (const one of told) {
    if (one.kind === 'listed' && one.prefix === prefix) last = one.listing.revision;
    else if (one.kind === 'changed' && one.changes.some(({ key }) => key.startsWith(prefix)))
      last = one.revision;
  }
  return last;
}
