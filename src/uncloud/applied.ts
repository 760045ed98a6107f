import type { Ruleset } from '../index.ts';
import type { Rendering } from './render.ts';
import { TABLE } from './table.ts';

/** The chain that says in its comment what is in force. It has no rules and nothing comes to it. */
const MARK = { family: 'inet', table: TABLE, name: 'applied' } as const;

/** What is in force where there are no tables of ours. */
export const NOTHING = 'none';

/** What is in force where our tables do not say what they are: something else than a push made them. */
export const UNKNOWN = 'unknown';

/**
 * A rendering that says in the kernel what it is: its hash comes into force with its rules, in one
 * transaction, and goes with them. It takes Linux 5.10, the first to keep comments of chains.
 */
export function marked(rendering: Rendering): Rendering {
  const { nftables } = rendering.ruleset;
  const made = nftables.slice(nftables.findLastIndex((item) => 'delete' in item) + 1);
  const isThere = made.some(
    (item) => 'add' in item && 'table' in item.add && item.add.table.family === MARK.family,
  );
  const table = isThere ? [] : [{ add: { table: { family: MARK.family, name: TABLE } } }];
  const mark = { add: { chain: { ...MARK, comment: rendering.hash } } };
  return { ...rendering, ruleset: { nftables: [...nftables, ...table, mark] } };
}

/** What our tables say is in force: a rendering's hash, {@link NOTHING} or {@link UNKNOWN}. */
export function appliedOf({ nftables }: Ruleset): string {
  let isAny = false;
  for (const item of nftables) {
    if ('chain' in item && item.chain.family === MARK.family && item.chain.name === MARK.name) {
      const { comment = '' } = item.chain;
      return /^[0-9a-f]{64}$/.test(comment) ? comment : UNKNOWN;
    }
    if ('table' in item) isAny = true;
  }
  return isAny ? UNKNOWN : NOTHING;
}

/** Something else is in force than the caller believes: nothing was changed. */
export class UnexpectedStateError extends Error {
  override readonly name = 'UnexpectedStateError';
  /** What is in force. */
  readonly applied: string;

  constructor(applied: string, expected: readonly string[]) {
    super(`${applied} is in force, expected ${expected.join(' or ')}: nothing was changed`);
    this.applied = applied;
  }
}
