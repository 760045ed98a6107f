import type { Ruleset } from '../model/index.ts';
import { type Connection, TransactionError } from '../netlink/index.ts';
import type { Transaction } from '../transaction/index.ts';
import { tablesOf } from './contents.ts';
import { type DiffOptions, diff } from './diff.ts';
import { type Readable, snapshotTables } from './snapshot.ts';

/** How a ruleset is reconciled. */
export interface ReconcileOptions extends DiffOptions {
  /** How often to start again when somebody else was faster: 20 where left out. */
  readonly attempts?: number;
  readonly signal?: AbortSignal;
}

/** What came of it. */
export interface Reconciled {
  /** Whether anything was sent. */
  readonly changed: boolean;
  /** What was sent; empty where nothing had to be. */
  readonly transaction: Transaction;
  /** The generation in which the tables are as they are desired. */
  readonly generation: number;
  /** How often the ruleset was read. */
  readonly attempts: number;
}

const ATTEMPTS = 20;

/** What would have to be sent. */
export interface Plan {
  /** Empty where nothing differs. */
  readonly transaction: Transaction;
  /** The generation that it is true of: commit it with this as its guard. */
  readonly generation: number;
}

/**
 * What {@link reconcile} would send just now: {@link diff} of the tables as they are in the kernel. Nothing
 * is changed, and tables that are not the caller's are not read.
 *
 * @throws CompileError where `desired` cannot be compiled
 */
export async function plan(
  nft: Readable,
  desired: Ruleset,
  options: DiffOptions & { readonly signal?: AbortSignal } = {},
): Promise<Plan> {
  const tables = [...tablesOf(desired), ...(options.tables ?? [])];
  const { ruleset, generation } = await snapshotTables(nft, tables, options.signal);
  return { transaction: diff(ruleset, desired, options), generation };
}

/**
 * Makes the tables of `desired` what it says: see {@link diff} for what that covers. The commit holds only
 * if nobody has changed the ruleset since it was read; otherwise everything starts again. Where nothing
 * differs, nothing is sent.
 *
 * ```ts
 * await reconcile(nft, { nftables: [{ table: { family: 'inet', name: 'filter' } }, …] });
 * ```
 *
 * @throws CompileError where `desired` cannot be compiled: nothing was sent
 * @throws TransactionError when the kernel refused; ERESTART when somebody else was faster each time
 */
export async function reconcile(
  nft: Readable & Pick<Connection, 'commit'>,
  desired: Ruleset,
  options: ReconcileOptions = {},
): Promise<Reconciled> {
  const { attempts = ATTEMPTS, signal } = options;
  for (let attempt = 1; ; attempt++) {
    const { transaction, generation } = await plan(nft, desired, options);
    if (transaction.nftables.length === 0)
      return { changed: false, transaction, generation, attempts: attempt };
    try {
      const result = await nft.commit(transaction, { generation, signal });
      return { changed: true, transaction, generation: result.generation, attempts: attempt };
    } catch (error) {
      if (attempt >= attempts || !mayTryAgain(error)) throw error;
    }
  }
}

/** Somebody was faster; or nobody knows what became of it, and looking again tells. */
function mayTryAgain(error: unknown): boolean {
  if (!(error instanceof TransactionError)) return false;
  return error.outcome === 'unknown' || (error.code === 'ERESTART' && error.operation === undefined);
}
