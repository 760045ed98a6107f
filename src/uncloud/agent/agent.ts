import { setTimeout as pause } from 'node:timers/promises';
import type { Connection } from '../../index.ts';
import { type Facts, factsOf, interfacesOf } from '../facts.ts';
import type { Host } from '../host.ts';
import type { Problem } from '../problem.ts';
import type { Store } from '../store/index.ts';
import { TABLE } from '../table.ts';
import { type Backoff, waitAfter } from './backoff.ts';
import { KINDS } from './desired.ts';
import { type Enforced, Enforcer } from './enforcer.ts';
import { type Followed, follow } from './follow.ts';
import { GoodRecords } from './good.ts';
import { type DeletionLimit, type HeldDeletions, Records } from './records.ts';
import { readSnapshot, SnapshotError, writeSnapshot } from './snapshot.ts';
import { type Status, statusKey } from './status.ts';

/** What an {@link Agent} works with; times are in milliseconds. */
export interface AgentOptions {
  /** The host's name, in the key of its status. */
  readonly name: string;
  readonly host: Host;
  readonly store: Store;
  /** What the keys begin with; default `distributed-firewall/`. */
  readonly prefix?: string;
  /** To the network namespace that is guarded. The caller closes it. */
  readonly nft: Connection;
  /** The file that the last good state is kept in over a restart; none where left out. */
  readonly snapshot?: string;
  /** How long to wait for more, once something changed; default 20. */
  readonly coalesce?: number;
  /** How often to look for interfaces that came or went; default 1,000. */
  readonly interfaces?: number;
  /** How long the status outlives the agent; default 60,000. */
  readonly lease?: number;
  readonly deletions?: DeletionLimit;
  readonly backoff?: Backoff;
  /** Is told what happens, in words and with fields. */
  readonly log?: AgentLog;
}

export type LogLevel = 'info' | 'warning' | 'error';
export type AgentLog = (level: LogLevel, message: string, fields: Readonly<Record<string, unknown>>) => void;

/** What an agent has come to. */
export interface AgentState {
  /** The revision of the VMs' records in force; 0: not yet heard of any store. */
  readonly revision: number;
  readonly hash: string;
  /** When that came into force. */
  readonly since: Date;
  /** Since when the store has not been heard. */
  readonly staleSince: Date | undefined;
  readonly vms: number;
  readonly leftOut: readonly Problem[];
  readonly held: HeldDeletions | undefined;
  readonly error: string | undefined;
  /** Counted since the agent began. */
  readonly transactions: number;
  readonly healed: number;
  readonly failures: number;
}

/** Statuses, and snapshots of what may be many VMs, are written no more often than this, in milliseconds. */
const REPORT = 500;
const SNAPSHOT = 10_000;

/**
 * Keeps the kernel of one host equal to what a store says, whatever happens to the store, the network, the
 * host or its neighbours.
 *
 * It begins with default deny (where there are no rules of ours yet), then puts the last good snapshot in
 * force, then follows the store. What a watch tells is a hint: changes are put together, compared with the
 * kernel, and sent as one transaction. While the store is away, the rules stay. Who changes our tables finds
 * them put back. When it ends, the rules stay too.
 *
 * ```ts
 * await new Agent({ name: 'node7', host, store, nft }).run(signal);
 * ```
 */
export class Agent {
  readonly #options: AgentOptions;
  readonly #prefix: string;
  readonly #records: Records;
  /** Kinds of records that the store has not listed yet: until then the snapshot stands for all. */
  readonly #unheard = new Set<string>(Object.keys(KINDS));
  readonly #lost = new Map<string, Date>();
  readonly #good = new GoodRecords();
  #told: Followed[] = [];
  #clusters = new Map<string, string>();
  #vmRevision = 0;
  #facts: Facts = {};
  readonly #enforcer: Enforcer;
  /** Keys that are not as they were when the rules were last put in force. */
  readonly #changed = new Set<string>();
  /** Whether more than those may be different. */
  #isWhole = true;
  #following = new AbortController();
  #turn: Promise<unknown> = Promise.resolve();
  #wake: (() => void) | undefined;
  #isDue = false;
  #reported: string | undefined;
  #state: AgentState = {
    revision: 0,
    hash: '',
    since: new Date(0),
    staleSince: undefined,
    vms: 0,
    leftOut: [],
    held: undefined,
    error: undefined,
    transactions: 0,
    healed: 0,
    failures: 0,
  };

  constructor(options: AgentOptions) {
    this.#options = options;
    this.#prefix = options.prefix ?? 'distributed-firewall/';
    this.#records = new Records(options.deletions);
    this.#enforcer = new Enforcer(options.nft, options.host, this.#prefix);
  }

  get state(): AgentState {
    return this.#state;
  }

  /** Reads everything in the store again: what SIGHUP asks for. */
  resync(): void {
    this.#following.abort(new Error('resync'));
  }

  /** Deletions that were held back are meant. */
  confirm(): void {
    for (const key of this.#records.confirm()) this.#changed.add(key);
    this.#due();
  }

  /**
   * Works until `signal` is aborted. The rules stay as they are.
   *
   * @throws what is not for the agent to mend: a namespace that is gone, rights that are missing
   */
  async run(signal: AbortSignal): Promise<void> {
    const { nft } = this.#options;
    this.#facts = await factsOf(nft);
    const ending = new AbortController();
    const stop = AbortSignal.any([signal, ending.signal]);
    stop.addEventListener('abort', () => this.#wake?.(), { once: true });
    // What happens to our tables from now on is heard, the agent's own beginning included.
    const guard = this.#guard(stop);
    const parts = [
      guard,
      this.#begin(stop).then(() =>
        Promise.all([
          ...Object.keys(KINDS).map((kind) => this.#follow(kind, stop)),
          this.#enforceWhenDue(stop),
          this.#lookForInterfaces(stop),
          this.#report(stop),
          this.#keepSnapshot(stop),
        ]),
      ),
    ];
    try {
      await Promise.all(parts);
    } catch (error) {
      if (!signal.aborted) throw error;
    } finally {
      ending.abort(new Error('the agent ends'));
      await Promise.allSettled(parts);
      await this.#writeSnapshot().catch((error) => this.#log('error', 'snapshot', { error: String(error) }));
    }
  }

  /** Default deny where nothing is in force, and the snapshot. */
  async #begin(signal: AbortSignal): Promise<void> {
    const { nft, snapshot: file } = this.#options;
    const { ruleset } = await nft.snapshot({ terse: true, signal });
    const isInForce = ruleset.nftables.some((one) => 'table' in one && one.table.name === TABLE);
    if (!isInForce) await this.#enforce(signal);
    if (file === undefined) return;
    try {
      const snapshot = await readSnapshot(file);
      if (snapshot === undefined) return;
      this.#records.seed(snapshot.entries);
      for (const { key } of snapshot.entries) this.#changed.add(key);
      this.#isWhole = true;
      this.#log('info', 'snapshot read', { records: snapshot.entries.length, revision: snapshot.revision });
      await this.#enforce(signal);
    } catch (error) {
      if (!(error instanceof SnapshotError)) throw error;
      this.#log('error', 'snapshot refused', { error: error.message });
    }
  }

  async #follow(kind: string, stop: AbortSignal): Promise<void> {
    const { store, backoff } = this.#options;
    for (;;) {
      const signal = AbortSignal.any([stop, this.#following.signal]);
      try {
        for await (const one of follow(store, `${this.#prefix}${kind}/`, {
          signal,
          ...(backoff && { backoff }),
        })) {
          this.#hear(kind, one);
        }
      } catch (error) {
        stop.throwIfAborted();
        if (!signal.aborted) throw error;
        this.#following = new AbortController();
        this.#log('info', 'reading everything again', { kind });
      }
    }
  }

  #hear(kind: string, one: Followed): void {
    if (one.kind === 'lost') {
      if (!this.#lost.has(kind)) {
        this.#lost.set(kind, new Date());
        this.#log('warning', 'the store is lost', { kind, error: one.error.message, code: one.error.code });
      }
      this.#update({ staleSince: earliest(this.#lost.values()) });
      return;
    }
    if (this.#lost.delete(kind)) {
      this.#log('info', 'the store is back', { kind });
      this.#update({ staleSince: earliest(this.#lost.values()) });
    }
    if (one.kind === 'listed') {
      this.#unheard.delete(kind);
      this.#clusters.set(kind, one.listing.cluster);
    }
    this.#told.push(one);
    if (one.kind === 'listed' || one.changes.length > 0) this.#due();
  }

  /** Our tables are ours: what somebody else does to them is undone. */
  async #guard(signal: AbortSignal): Promise<void> {
    const { nft } = this.#options;
    for await (const event of nft.monitor({ table: TABLE, signal })) {
      if (!event.overrun && event.own) continue;
      if (event.overrun) this.#log('warning', 'changes of the ruleset were missed', {});
      else if (event.partial) continue;
      else this.#log('warning', 'somebody changed our tables', { ...event.process });
      this.#isWhole = true;
      try {
        if (await this.#enforce(signal)) this.#update({ healed: this.#state.healed + 1 });
      } catch (error) {
        this.#failed(error, signal);
        this.#due();
      }
    }
    signal.throwIfAborted();
  }

  async #lookForInterfaces(signal: AbortSignal): Promise<void> {
    const { nft, interfaces: every = 1000 } = this.#options;
    for (;;) {
      await pause(every, undefined, { signal });
      const interfaces = await interfacesOf(nft);
      if (JSON.stringify(interfaces) === JSON.stringify(this.#facts.interfaces)) continue;
      this.#facts = { ...this.#facts, interfaces };
      this.#isWhole = true;
      this.#due();
    }
  }

  /** Something is to be done: soon, with what else comes until then. */
  #due(): void {
    this.#isDue = true;
    this.#wake?.();
  }

  async #enforceWhenDue(signal: AbortSignal): Promise<void> {
    const { coalesce = 20 } = this.#options;
    for (let failures = 0; ; ) {
      if (!this.#isDue) {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
      signal.throwIfAborted();
      await pause(coalesce, undefined, { signal });
      this.#isDue = false;
      if (this.#unheard.size > 0) continue;
      try {
        await this.#enforce(signal);
        failures = 0;
      } catch (error) {
        this.#failed(error, signal);
        await pause(waitAfter(++failures, this.#options.backoff), undefined, { signal });
        this.#isDue = true;
      }
    }
  }

  /** One at a time. */
  #enforce(signal: AbortSignal): Promise<boolean> {
    const turn = this.#turn.then(() => this.#enforceNow(signal));
    this.#turn = turn.catch(() => {});
    return turn;
  }

  /**
   * Puts what is known in force: what is there already is not sent again.
   *
   * @returns whether anything was sent
   */
  async #enforceNow(signal: AbortSignal): Promise<boolean> {
    const { entries } = this.#records;
    if (this.#unheard.size === 0) {
      const told = this.#told;
      this.#told = [];
      for (const key of this.#records.take(told)) this.#changed.add(key);
      this.#vmRevision = lastRevision(told, `${this.#prefix}vm/`) ?? this.#vmRevision;
    }
    const { changed, hash, vms, problems } = await this.#enforceThose(signal);
    this.#good.take(this.#changed, entries, problems, this.#prefix);
    this.#changed.clear();
    this.#tellNew(problems);
    const { revision, held } = { revision: this.#vmRevision, held: this.#records.held };
    this.#update({
      ...{ revision, hash, vms, held, leftOut: problems, error: undefined },
      since: changed ? new Date() : this.#state.since,
      transactions: this.#state.transactions + (changed ? 1 : 0),
    });
    if (changed) this.#log('info', 'in force', { revision, vms, hash });
    return changed;
  }

  async #enforceThose(signal: AbortSignal): Promise<Enforced> {
    const { entries } = this.#records;
    const isWhole = this.#isWhole;
    this.#isWhole = false;
    try {
      const some = isWhole ? undefined : await this.#enforcer.change(this.#changed, entries, signal);
      return some ?? (await this.#enforcer.whole(entries, this.#facts, signal));
    } catch (error) {
      this.#isWhole = true;
      throw error;
    }
  }

  #tellNew(problems: readonly Problem[]): void {
    const known = new Set(this.#state.leftOut.map((one) => JSON.stringify(one)));
    for (const problem of problems) {
      if (!known.has(JSON.stringify(problem))) this.#log('error', 'left out', { ...problem });
    }
  }

  #failed(error: unknown, signal: AbortSignal): void {
    signal.throwIfAborted();
    this.#update({ error: (error as Error).message, failures: this.#state.failures + 1 });
    this.#log('error', 'not in force', { error: (error as Error).message });
  }

  /** Writes the status when it says something new, and before its lease ends. */
  async #report(signal: AbortSignal): Promise<void> {
    const { lease = 60_000 } = this.#options;
    for (let last = 0, wrong = 0; ; ) {
      await pause(REPORT, undefined, { signal });
      const status = JSON.stringify(this.#status());
      const isNew = status !== this.#reported;
      if (!isNew && Date.now() - last < lease / 3) continue;
      try {
        await this.#options.store.put(statusKey(this.#prefix, this.#options.name), status, {
          ttl: lease / 1000,
          signal,
        });
        this.#reported = status;
        last = Date.now();
        wrong = 0;
      } catch (error) {
        signal.throwIfAborted();
        if (wrong === 0) this.#log('warning', 'no status written', { error: (error as Error).message });
        await pause(waitAfter(++wrong, this.#options.backoff), undefined, { signal });
      }
    }
  }

  #status(): Status {
    const { revision, hash, since, staleSince, leftOut, held, error } = this.#state;
    return {
      version: 1,
      revision,
      hash,
      since: since.toISOString(),
      ...(staleSince && { staleSince: staleSince.toISOString() }),
      leftOut,
      held: held?.keys.length ?? 0,
      ...(error !== undefined && { error }),
    };
  }

  /** Writes the snapshot when something else is in force. */
  async #keepSnapshot(signal: AbortSignal): Promise<void> {
    for (let written = ''; ; ) {
      await pause(written === '' ? REPORT : SNAPSHOT, undefined, { signal });
      const { hash } = this.#state;
      if (hash === written || this.#unheard.size > 0) continue;
      try {
        await this.#writeSnapshot();
        written = hash;
      } catch (error) {
        this.#log('error', 'no snapshot written', { error: (error as Error).message });
      }
    }
  }

  async #writeSnapshot(): Promise<void> {
    const { snapshot: file } = this.#options;
    if (file === undefined || this.#unheard.size > 0) return;
    await writeSnapshot(file, {
      cluster: this.#clusters.get('vm') ?? '',
      revision: this.#vmRevision,
      entries: this.#good.entries,
    });
  }

  #update(change: Partial<AgentState>): void {
    this.#state = { ...this.#state, ...change };
  }

  #log(level: LogLevel, message: string, fields: Readonly<Record<string, unknown>>): void {
    this.#options.log?.(level, message, fields);
  }
}

function earliest(dates: Iterable<Date>): Date | undefined {
  return [...dates].sort((a, b) => a.getTime() - b.getTime())[0];
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
