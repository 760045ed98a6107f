import type { LearningFigures } from '../learn/figures.ts';
import type { Problem } from '../problem.ts';
import { type Store, StoreError } from '../store/index.ts';
import type { RoutesInForce } from './state.ts';

/** What a host says of itself under `<prefix>host/<name>/status`, for as long as its agent lives. */
export interface Status {
  readonly version: 1;
  /** The revision of the VMs' records that is in force. */
  readonly revision: number;
  /** See `Rendering.hash`: hosts with the same description and the same revision have the same. */
  readonly hash: string;
  /** When that came into force; and since when the store has not been heard, if so. ISO 8601. */
  readonly since: string;
  readonly staleSince?: string;
  /** Records that are not in force as they are, and why. */
  readonly leftOut: readonly Problem[];
  /** What became of delegated prefixes, where the agent routes them. */
  readonly routes?: RoutesInForce;
  /** What learning has come to, where a port learns; told along with the rest, as of then. */
  readonly learning?: LearningFigures;
  /** How many deletions wait for a word. */
  readonly held: number;
  /** What the last attempt to put the desired state in force ended with. */
  readonly error?: string;
}

export function statusKey(prefix: string, host: string): string {
  return `${prefix}host/${host}/status`;
}

/** A host will not put a VM's record in force, as it is. */
export class LeftOutError extends Error {
  override readonly name = 'LeftOutError';
  readonly problem: Problem;

  constructor(host: string, problem: Problem) {
    super(`${host} leaves out ${problem.key}${problem.path}: ${problem.why}`);
    this.problem = problem;
  }
}

/**
 * Waits until a host has put a VM's record in force, as it is in the store now: the barrier before the VM
 * starts there, or arrives.
 *
 * @throws LeftOutError when the host refuses the record
 * @throws StoreError `invalid` when there is no such VM
 */
export async function waitForVm(
  store: Store,
  prefix: string,
  host: string,
  vm: string,
  signal: AbortSignal,
): Promise<Status> {
  const record = await store.get(`${prefix}vm/${vm}`, { signal });
  if (record === undefined) throw new StoreError('invalid', `there is no ${prefix}vm/${vm}`);
  const key = statusKey(prefix, host);
  for (;;) {
    const { revision, entries } = await store.list(key, { signal });
    const told = [entries.find((entry) => entry.key === key)?.value];
    try {
      for (let next = revision + 1; ; ) {
        const status = told.at(-1) === undefined ? undefined : (JSON.parse(told.at(-1) as string) as Status);
        if (status !== undefined && status.revision >= record.revision) {
          const problem = status.leftOut.find((one) => one.key.endsWith(`/vm/${vm}`));
          if (problem !== undefined) throw new LeftOutError(host, problem);
          return status;
        }
        for await (const event of store.watch(key, next, { signal })) {
          next = event.revision + 1;
          const entry = event.changes.findLast((change) => change.key === key)?.entry;
          if (entry === undefined) continue;
          told.push(entry.value);
          break;
        }
      }
    } catch (error) {
      if (!(error instanceof StoreError && error.code === 'compacted')) throw error;
    }
  }
}
