import type { Problem } from '../problem.ts';
import type { Entry } from '../store/index.ts';

/** What keys begin with in the problems that validation tells. */
const TOLD = 'distributed-firewall/';

/** Each record as it was when it was last found good: what a snapshot keeps. */
export class GoodRecords {
  readonly #entries = new Map<string, Entry>();

  get entries(): Entry[] {
    return [...this.#entries.values()];
  }

  /** Takes the records that validation did not refuse; one that it did stays as it last was. */
  take(entries: ReadonlyMap<string, Entry>, problems: readonly Problem[], prefix: string): void {
    const refused = new Set(
      problems.flatMap(({ key }) => (key.startsWith(TOLD) ? [prefix + key.slice(TOLD.length)] : [])),
    );
    for (const key of this.#entries.keys()) if (!entries.has(key)) this.#entries.delete(key);
    for (const [key, entry] of entries) if (!refused.has(key)) this.#entries.set(key, entry);
  }
}
