import type { Problem } from '../problem.ts';
import type { Entry } from '../store/index.ts';

/** What keys begin with in the problems that validation tells. */
const TOLD = 'distributed-firewall/';

/** Each record as it was when it was last found good: what a snapshot keeps. */
export class GoodRecords {
  readonly #entries = new Map<string, Entry>();
  #refused: ReadonlySet<string> = new Set();

  get entries(): Entry[] {
    return [...this.#entries.values()];
  }

  /**
   * Takes the records that changed, and those that were refused before, unless validation refuses them now: one
   * that it does stays as it last was.
   */
  take(
    changed: ReadonlySet<string>,
    entries: ReadonlyMap<string, Entry>,
    problems: readonly Problem[],
    prefix: string,
  ): void {
    const refused = new Set(
      problems.flatMap(({ key }) => (key.startsWith(TOLD) ? [prefix + key.slice(TOLD.length)] : [])),
    );
    for (const key of new Set([...changed, ...this.#refused])) {
      const entry = entries.get(key);
      if (entry === undefined) this.#entries.delete(key);
      else if (!refused.has(key)) this.#entries.set(key, entry);
    }
    this.#refused = refused;
  }
}
