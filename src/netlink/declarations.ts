import { emptyView, type KernelView, type Needs, type ParsedCommand } from '../transaction/index.ts';
import type { SubmitResult } from './submit-result.ts';

/** What a transaction may change without changing how sets are declared. */
const HARMLESS = new Set(['element', 'rule', 'chain', 'flowtable', 'counter', 'quota', 'limit']);

/**
 * The declarations of sets, as they were looked at last: a transaction that carries their generation need not look
 * again, as the kernel refuses it where somebody else changed the ruleset since. What one's own transactions change
 * is known, so that one that only adds and deletes elements never looks twice.
 */
export class Declarations {
  readonly #views = new Map<string, KernelView>();
  readonly #view: KernelView = {
    ...emptyView,
    set: (family, table, name) => this.#views.get(`${family} ${table}`)?.set(family, table, name),
  };
  #generation = 0;

  /** The generation that they are of; 0 where none are known. */
  get generation(): number {
    return this.#generation;
  }

  /** A view of the sets, where nothing else is needed and all of their tables are known. */
  viewOf(needs: Needs): KernelView | undefined {
    if (!isSetsAlone(needs)) return undefined;
    for (const table of needs.sets) if (!this.#views.has(table)) return undefined;
    return this.#view;
  }

  /** Remembers what the kernel answered. */
  learn(needs: Needs, view: KernelView, generation: number): void {
    if (!isSetsAlone(needs)) return;
    if (generation !== this.#generation) this.forget();
    this.#generation = generation;
    for (const table of needs.sets) this.#views.set(table, view);
  }

  /** Takes in what became of a transaction that carried a generation. */
  follow(commands: readonly ParsedCommand[], guard: number, result: SubmitResult): void {
    if (guard !== this.#generation) return;
    const known = result.status === 'committed' && !result.lost && result.generation !== undefined;
    if (known && commands.every(({ kind }) => HARMLESS.has(kind))) this.#generation = result.generation;
    else if (result.status !== 'refused') this.forget();
  }

  forget(): void {
    this.#views.clear();
    this.#generation = 0;
  }
}

function isSetsAlone({ sets, chains, rules, existence }: Needs): boolean {
  return sets.size > 0 && chains.size === 0 && rules.size === 0 && existence.size === 0;
}
