import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { now } from './probe.ts';
import type { WitnessAnswer, WitnessOrder } from './witness.ts';

interface Pending {
  readonly at: number;
  readonly waiting: Set<number>;
}

/**
 * How long it takes from the call that puts a record until a host's kernel has announced the commit with it. When
 * commits are announced is noted here; which records they hold, another process reads (witness.ts), as that takes
 * longer than what is measured.
 */
export class Latency implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #gone: Promise<unknown>;
  readonly #pending = new Map<string, Pending>();
  /** When each commit was announced. */
  readonly #times = new Map<string, number>();
  /** What was read before its announcement came here. */
  readonly #early = new Map<string, readonly string[]>();
  #done: (() => void) | undefined;
  #isMeasuring = false;
  /** Milliseconds: for each host by itself, and for the last host of each change. */
  readonly each: number[] = [];
  readonly last: number[] = [];

  constructor() {
    this.#child = fork(fileURLToPath(new URL('witness.ts', import.meta.url)), {
      execArgv: ['--import', 'tsx'],
    });
    this.#gone = once(this.#child, 'exit');
    this.#child.on('message', (answer: WitnessAnswer) => {
      if ('done' in answer) this.#done?.();
      else this.#read(answer.host, answer.generation, answer.marks);
    });
  }

  /** Changes that begin from now on are measured. */
  async open(hosts: readonly (readonly [number: number, netns: string])[]): Promise<void> {
    await this.#order({ do: 'open', hosts });
    this.#isMeasuring = true;
  }

  /** They are no more: while something is at fault they wait for its end. */
  rest(): void {
    this.#isMeasuring = false;
  }

  async close(): Promise<void> {
    await this.#order({ do: 'close' });
    for (const map of [this.#pending, this.#times, this.#early]) map.clear();
  }

  /** An address that appears nowhere else is about to be put. */
  begin(address: string, hosts: readonly number[]): void {
    if (this.#isMeasuring) this.#pending.set(address, { at: now(), waiting: new Set(hosts) });
  }

  /** It was not put. */
  forget(address: string): void {
    this.#pending.delete(address);
  }

  /** A host's kernel announces a commit. */
  announced(host: number, generation: number, at: number): void {
    if (this.#pending.size === 0) return;
    const commit = `${host} ${generation}`;
    this.#times.set(commit, at);
    this.#read(host, generation, this.#early.get(commit) ?? []);
  }

  /** How many changes have not arrived everywhere. */
  get pending(): number {
    return this.#pending.size;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill();
    await this.#gone;
  }

  #read(host: number, generation: number, marks: readonly string[]): void {
    const commit = `${host} ${generation}`;
    const at = this.#times.get(commit);
    if (at === undefined) this.#early.set(commit, marks);
    for (const mark of at === undefined ? [] : marks) {
      const change = this.#pending.get(mark);
      if (!change?.waiting.delete(host)) continue;
      this.each.push((at as number) - change.at);
      if (change.waiting.size > 0) continue;
      this.last.push((at as number) - change.at);
      this.#pending.delete(mark);
    }
  }

  async #order(order: WitnessOrder): Promise<void> {
    const done = new Promise<void>((resolve) => {
      this.#done = resolve;
    });
    this.#child.send(order);
    const died = this.#gone.then(() => {
      throw new Error('the process that reads commits has ended');
    });
    died.catch(() => {});
    await Promise.race([done, died]);
  }
}

export interface Summary {
  readonly count: number;
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  readonly max: number;
}

export function summary(values: readonly number[]): Summary {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number) =>
    sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
  return { count: sorted.length, p50: at(0.5), p95: at(0.95), p99: at(0.99), max: at(1) };
}
