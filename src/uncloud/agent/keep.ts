import { setTimeout as pause } from 'node:timers/promises';
import type { AgentOptions } from './options.ts';
import { readSnapshot, type Snapshot, SnapshotError, writeSnapshot } from './snapshot.ts';

/** Snapshots of what may be many VMs are written no more often than this, in milliseconds; the first one soon. */
const INTERVAL = 10_000;
const FIRST = 500;

/** What is to be kept. */
export interface Keepable {
  /** Says whether it is something new. */
  readonly version: string;
  snapshot(): Snapshot;
}

/** The last good state, over a restart. */
export class Keeper {
  readonly #file: string | undefined;
  readonly #log: AgentOptions['log'];
  readonly #now: () => Keepable | undefined;
  #written: string | undefined;

  /** @param now - what there is to keep; nothing where that is not known yet */
  constructor({ snapshot, log }: Pick<AgentOptions, 'snapshot' | 'log'>, now: () => Keepable | undefined) {
    this.#file = snapshot;
    this.#log = log;
    this.#now = now;
  }

  /** What was kept; nothing where nothing was, or where it is damaged, which is said. */
  async read(): Promise<Snapshot | undefined> {
    if (this.#file === undefined) return undefined;
    try {
      return await readSnapshot(this.#file);
    } catch (error) {
      if (!(error instanceof SnapshotError)) throw error;
      this.#log?.('error', 'snapshot refused', { error: error.message });
      return undefined;
    }
  }

  /** Writes what is new, where anything is. */
  async write(): Promise<void> {
    const now = this.#now();
    if (this.#file === undefined || now === undefined || now.version === this.#written) return;
    try {
      await writeSnapshot(this.#file, now.snapshot());
      this.#written = now.version;
    } catch (error) {
      this.#log?.('error', 'no snapshot written', { error: (error as Error).message });
    }
  }

  /** Writes what is new now and then. */
  async follow(signal: AbortSignal): Promise<never> {
    for (;;) {
      await pause(this.#written === undefined ? FIRST : INTERVAL, undefined, { signal });
      await this.write();
    }
  }
}
