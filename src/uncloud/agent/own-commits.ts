import type { Connection } from '../../index.ts';
import type { Appliable } from '../apply.ts';

/**
 * A connection's commits, remembered by the generation that each began: what was not heard of, because the kernel told
 * more than was read, may have been nothing but those.
 */
export class OwnCommits implements Appliable {
  readonly #nft: Appliable & Pick<Connection, 'generation'>;
  readonly #generations = new Set<number>();

  constructor(nft: Appliable & Pick<Connection, 'generation'>) {
    this.#nft = nft;
  }

  readonly snapshot: Appliable['snapshot'] = (options) => this.#nft.snapshot(options);

  readonly commit: Appliable['commit'] = async (commands, options) => {
    const before = await this.#nft.generation();
    const result = await this.#nft.commit(commands, options);
    // What had nothing to change began none: that one is somebody else's.
    if (result.generation !== before) this.#generations.add(result.generation);
    return result;
  };

  /** Whether whatever happened after one generation, up to another one, was its own work. */
  areAll(after: number, upTo: number): boolean {
    const count = (upTo - after) >>> 0;
    if (count > this.#generations.size) return false;
    for (let i = 0; i < count; i++) if (!this.#generations.has((upTo - i) >>> 0)) return false;
    return true;
  }

  /** What was heard of need not be remembered any more. */
  forget(upTo: number): void {
    for (const generation of this.#generations)
      if (((upTo - generation) | 0) >= 0) this.#generations.delete(generation);
  }
}
