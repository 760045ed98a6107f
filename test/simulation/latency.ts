import type { MonitorEvent } from '../../src/index.ts';
import { now } from './probe.ts';

interface Pending {
  readonly at: number;
  readonly waiting: Set<number>;
}

/** How long it takes from the call that puts a record until a host's kernel has announced the commit with it. */
export class Latency {
  readonly #pending = new Map<string, Pending>();
  #isMeasuring = false;
  /** Milliseconds: for each host by itself, and for the last host of each change. */
  readonly each: number[] = [];
  readonly last: number[] = [];

  /** Changes that begin from now on are measured, or are not: while something is at fault they wait for its end. */
  measure(isMeasuring: boolean): void {
    this.#isMeasuring = isMeasuring;
  }

  /** An address that appears nowhere else is about to be put. */
  begin(address: string, hosts: readonly number[]): void {
    if (this.#isMeasuring) this.#pending.set(address, { at: now(), waiting: new Set(hosts) });
  }

  /** It was not put, or something happened that has nothing to do with speed. */
  forget(address: string): void {
    this.#pending.delete(address);
  }

  heard(host: number, event: MonitorEvent, at: number): void {
    if (event.overrun || this.#pending.size === 0) return;
    let text: string | undefined;
    for (const [address, { at: start, waiting }] of this.#pending) {
      if (!waiting.has(host)) continue;
      text ??= JSON.stringify(event.changes, (_, value) =>
        typeof value === 'bigint' ? String(value) : value,
      );
      if (!text.includes(`"${address}"`)) continue;
      waiting.delete(host);
      this.each.push(at - start);
      if (waiting.size > 0) continue;
      this.last.push(at - start);
      this.#pending.delete(address);
    }
  }

  /** How many changes have not arrived everywhere. */
  get pending(): number {
    return this.#pending.size;
  }

  forgetAll(): void {
    this.#pending.clear();
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
