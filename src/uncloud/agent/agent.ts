import { setTimeout as pause } from 'node:timers/promises';
import { describeInterfaces, type Facts, factsOf } from '../facts.ts';
import type { Learner } from '../learn/learner.ts';
import type { Vm } from '../policy.ts';
import type { Problem } from '../problem.ts';
import { TABLE } from '../table.ts';
import { waitAfter } from './backoff.ts';
import { type Enforced, Enforcer } from './enforcer.ts';
import { GoodRecords } from './good.ts';
import { guardTables } from './guard.ts';
import { Heard } from './heard.ts';
import { InterfaceWatch } from './interface-watch.ts';
import { Keeper } from './keep.ts';
import { loggingLearner } from './learning.ts';
import type { AgentOptions, LogLevel } from './options.ts';
import { OwnCommits } from './own-commits.ts';
import { requireOwned } from './owned.ts';
import { report } from './report.ts';
import { RouteKeeper } from './route-keeper.ts';
import { type AgentState, BEGINNING } from './state.ts';

/**
 * Keeps the kernel of one host equal to what a store says, whatever happens to the store, the network, the
 * host or its neighbours.
 *
 * It begins with default deny (where there are no rules of ours yet), then puts the last good snapshot in
 * force, then follows the store. What a watch tells is a hint: changes are put together, compared with the
 * kernel, and sent as one transaction; routes follow the rules. While the store is away, the rules stay. Who
 * changes our tables or routes finds them put back. When it ends, all of it stays too.
 *
 * ```ts
 * await new Agent({ name: 'node7', host, store, nft }).run(signal);
 * ```
 */
export class Agent {
  readonly #options: AgentOptions;
  readonly #prefix: string;
  readonly #heard: Heard;
  readonly #good = new GoodRecords();
  readonly #own: OwnCommits;
  readonly #enforcer: Enforcer;
  readonly #learner: Learner;
  readonly #interfaces: InterfaceWatch;
  readonly #routes: RouteKeeper | undefined;
  readonly #keeper: Keeper;
  #kernel: Facts = {};
  /** The records in force; nothing while what there is stands for nothing that anybody said. */
  #vms: ReadonlyMap<string, Vm> | undefined;
  #hasSnapshot = false;
  /** Keys that are not as they were when the rules were last put in force. */
  readonly #changed = new Set<string>();
  /** Whether interfaces are, whether somebody changed our tables, whether nobody knows what else is. */
  #suspect = { interfaces: true, tables: true, all: true };
  #turn: Promise<unknown> = Promise.resolve();
  #wake: (() => void) | undefined;
  #isDue = false;
  #state: AgentState = BEGINNING;

  constructor(options: AgentOptions) {
    const { nft, host, routes } = options;
    this.#options = options;
    this.#prefix = options.prefix ?? 'distributed-firewall/';
    this.#heard = new Heard(this.#prefix, options);
    this.#own = new OwnCommits(nft);
    this.#enforcer = new Enforcer(this.#own, host, this.#prefix, options.owned);
    this.#learner = loggingLearner(nft, host, options.log);
    this.#interfaces = new InterfaceWatch(nft);
    this.#routes = routes && new RouteKeeper(nft, host, routes);
    this.#keeper = new Keeper(options, () => {
      // What the store listed may not be in force yet: what is good is not known then.
      if (!this.#heard.isComplete || this.#vms === undefined) return undefined;
      const { hash, revision } = this.#state;
      const { cluster } = this.#heard;
      const snapshot = () => ({ cluster, revision, entries: this.#good.entries });
      return { version: `${hash} ${revision}`, snapshot };
    });
  }

  get state(): AgentState {
    return { ...this.#state, learning: this.#learner.figures };
  }

  /** Reads everything in the store again: what SIGHUP asks for. */
  resync(): void {
    this.#heard.resync();
  }

  /**
   * Ends when what is being put in force has been, or has failed, and the kernel answers: what a watchdog waits for.
   *
   * @throws where the kernel cannot be asked any more
   */
  async settled(): Promise<void> {
    await this.#turn;
    await this.#options.nft.generation();
  }

  /** Deletions that were held back are meant. */
  confirm(): void {
    for (const key of this.#heard.confirm()) this.#changed.add(key);
    this.#due();
  }

  /**
   * Works until `signal` is aborted. The rules stay as they are.
   *
   * @throws what is not for the agent to mend: a namespace that is gone, rights that are missing
   */
  async run(signal: AbortSignal): Promise<void> {
    const { nft } = this.#options;
    if (this.#options.owned) await requireOwned(nft);
    const { interfaces: _, ...kernel } = await factsOf(nft);
    this.#kernel = kernel;
    await this.#interfaces.read();
    const ending = new AbortController();
    const stop = AbortSignal.any([signal, ending.signal]);
    stop.addEventListener('abort', () => this.#wake?.(), { once: true });
    const listening = { ...this.#options, signal: stop };
    const begun = this.#begin(stop).then(() => this.#update({ isGuarded: true }));
    const followers = [
      () => this.#heard.follow(() => this.#seeStore(), stop),
      () => this.#enforceWhenDue(stop),
      () => report(this.#prefix, this.#options, () => this.state, stop),
      () => this.#keeper.follow(stop),
    ];
    // Each of them by itself: once all have ended, nothing is being done any more.
    const parts = [
      // What happens to the kernel from now on is heard, the agent's own beginning included.
      guardTables(nft, this.#own, (isSpoiled) => this.#healTables(isSpoiled, stop), listening),
      this.#learner.run(stop),
      this.#interfaces.follow(() => this.#seeInterfaces(), listening),
      this.#routes?.guard({
        ...listening,
        begun: () => this.#due(),
        changed: (isSpoiled) =>
          this.#heal(async () => isSpoiled() && (await this.#enforceRoutes(stop)), stop),
      }),
      begun,
      ...followers.map((follow) => begun.then(follow)),
    ];
    try {
      await Promise.all(parts);
    } catch (error) {
      if (!signal.aborted) throw error;
    } finally {
      ending.abort(new Error('the agent ends'));
      await Promise.allSettled(parts);
      await this.#keeper.write();
    }
  }

  /** Default deny where nothing is in force, and the snapshot. */
  async #begin(signal: AbortSignal): Promise<void> {
    const { ruleset } = await this.#options.nft.snapshot({ terse: true, signal });
    const isInForce = ruleset.nftables.some((one) => 'table' in one && one.table.name === TABLE);
    if (!isInForce) await this.#enforce(signal);
    const snapshot = await this.#keeper.read();
    if (snapshot === undefined) return;
    const { entries, revision } = snapshot;
    this.#heard.seed(entries);
    for (const { key } of entries) this.#changed.add(key);
    this.#hasSnapshot = true;
    this.#suspect.all = true;
    this.#log('info', 'snapshot read', { records: entries.length, revision });
    await this.#enforce(signal);
  }

  #healTables(isSpoiled: () => boolean, signal: AbortSignal): Promise<void> {
    return this.#heal(async () => {
      if (!isSpoiled()) return false;
      this.#suspect.tables = true;
      return await this.#enforceNow(signal);
    }, signal);
  }

  /** Undoes what somebody else did; `work` says whether anything had to be. */
  async #heal(work: () => Promise<boolean>, signal: AbortSignal): Promise<void> {
    try {
      if (await this.#inTurn(work)) this.#update({ healed: this.#state.healed + 1 });
    } catch (error) {
      this.#failed(error, signal);
      this.#due();
    }
  }

  #seeStore(): void {
    this.#update({ staleSince: this.#heard.staleSince });
    if (this.#heard.hasNews) this.#due();
  }

  /** Rules hang on interfaces, and routes end with them. */
  #seeInterfaces(): void {
    this.#suspect.interfaces = true;
    this.#routes?.forget();
    this.#due();
  }

  /** Something is to be done: soon, with what else comes until then. */
  #due(): void {
    this.#isDue = true;
    this.#wake?.();
  }

  async #enforceWhenDue(signal: AbortSignal): Promise<void> {
    const { coalesce = 20, backoff } = this.#options;
    for (let failures = 0; ; ) {
      // Who was woken by the signal while at work is not woken again.
      signal.throwIfAborted();
      if (!this.#isDue) {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
      await pause(coalesce, undefined, { signal });
      this.#isDue = false;
      if (!this.#knows) continue;
      try {
        await this.#enforce(signal);
        failures = 0;
      } catch (error) {
        this.#failed(error, signal);
        await pause(waitAfter(++failures, backoff), undefined, { signal });
        this.#isDue = true;
      }
    }
  }

  /** Whether the records are what somebody said: the store, or a snapshot of it. */
  get #knows(): boolean {
    return this.#heard.isComplete || this.#hasSnapshot;
  }

  #enforce(signal: AbortSignal): Promise<boolean> {
    return this.#inTurn(() => this.#enforceNow(signal));
  }

  /** One at a time. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(work);
    this.#turn = turn.catch(() => {});
    return turn;
  }

  /**
   * Puts what is known in force: what is there already is not sent again.
   *
   * @returns whether anything was sent to nf_tables
   */
  async #enforceNow(signal: AbortSignal): Promise<boolean> {
    for (const key of this.#heard.take()) this.#changed.add(key);
    const isKnown = this.#knows;
    const { entries, revision, held } = this.#heard;
    const { changed, hash, vms, problems, firewall, among } = await this.#enforceThose(signal);
    this.#good.take(this.#changed, entries, problems, this.#prefix);
    this.#changed.clear();
    this.#tellNew('left out', this.#state.leftOut, problems);
    this.#vms = isKnown ? vms : undefined;
    this.#update({
      ...{ revision, hash, vms: vms.size, held, leftOut: problems, error: undefined },
      since: changed ? new Date() : this.#state.since,
      transactions: this.#state.transactions + (changed ? 1 : 0),
    });
    if (changed) this.#log('info', 'in force', { revision, vms: vms.size, hash });
    await this.#enforceRoutes(signal);
    await this.#learner.take(firewall, among);
    return changed;
  }

  async #enforceThose(signal: AbortSignal): Promise<Enforced> {
    const { entries } = this.#heard;
    const { interfaces: isElsewhere, tables: isSpoiled, all } = this.#suspect;
    this.#suspect = { interfaces: false, tables: false, all: false };
    const interfaces = describeInterfaces(this.#interfaces.interfaces);
    const differences = { keys: this.#changed, isSpoiled, ...(isElsewhere && { interfaces }) };
    try {
      const some = all ? undefined : await this.#enforcer.change(differences, entries, signal);
      return some ?? (await this.#enforcer.whole(entries, { ...this.#kernel, interfaces }, signal));
    } catch (error) {
      this.#suspect.all = true;
      throw error;
    }
  }

  /** Routes follow the rules in force; whether any was sent. */
  async #enforceRoutes(signal: AbortSignal): Promise<boolean> {
    if (this.#routes === undefined || this.#vms === undefined) return false;
    const { changed, inForce } = await this.#routes.enforce(this.#vms, this.#interfaces.interfaces, signal);
    this.#tellNew('not routed', this.#state.routes?.problems ?? [], inForce.problems);
    this.#update({ routes: inForce });
    if (changed > 0) this.#log('info', 'routed', { changed, routes: inForce.installed });
    return changed > 0;
  }

  #tellNew(what: string, before: readonly Problem[], problems: readonly Problem[]): void {
    const known = new Set(before.map((one) => JSON.stringify(one)));
    for (const problem of problems) {
      if (!known.has(JSON.stringify(problem))) this.#log('error', what, { ...problem });
    }
  }

  #failed(error: unknown, signal: AbortSignal): void {
    signal.throwIfAborted();
    this.#update({ error: (error as Error).message, failures: this.#state.failures + 1 });
    this.#log('error', 'not in force', { error: (error as Error).message });
  }

  #update(change: Partial<AgentState>): void {
    this.#state = { ...this.#state, ...change };
  }

  #log(level: LogLevel, message: string, fields: Readonly<Record<string, unknown>>): void {
    this.#options.log?.(level, message, fields);
  }
}
