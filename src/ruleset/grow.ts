import type { Family, NamedMap, NamedSet, Ruleset } from '../model/index.ts';
import {
  type CommitOptions,
  type CommitResult,
  type Connection,
  TransactionError,
} from '../netlink/index.ts';
import type { Commands } from '../transaction/index.ts';
import { diff } from './diff.ts';
import { type Readable, snapshotTables } from './snapshot.ts';

/** A named set or map. */
export interface SetName {
  readonly family: Family;
  readonly table: string;
  readonly name: string;
}

/** How often it is tried again while somebody else is faster. */
const ATTEMPTS = 20;

/** How many times one transaction may double sets: from one element to more than a set can have. */
const DOUBLINGS = 32;

/**
 * Gives a set or map room for more elements, in one transaction: packets find what was in it, before and after. What
 * the kernel cannot resize is made anew, together with the rules that refer to it; their counters go on.
 *
 * @param capacity - how many elements shall have room; twice as many as now where left out
 * @returns how many have
 * @throws RangeError when there is no such set, or it has no size to outgrow
 * @throws TransactionError when the kernel refused
 */
export async function grow(
  nft: Readable & Pick<Connection, 'commit'>,
  set: SetName,
  { capacity, signal }: { readonly capacity?: number; readonly signal?: AbortSignal } = {},
): Promise<number> {
  const table = { family: set.family, name: set.table };
  for (let attempt = 1; ; attempt++) {
    const { ruleset, generation } = await snapshotTables(nft, [table], signal);
    const size = sizeOf(ruleset, set);
    if (size === undefined)
      throw new RangeError(`${set.family} ${set.table} ${set.name}: there is no such set with a size`);
    const wanted = Math.max(size, capacity ?? size * 2);
    const transaction = diff(ruleset, withSize(ruleset, set, wanted));
    if (transaction.nftables.length === 0) return size;
    try {
      await nft.commit(transaction, { generation, ...(signal && { signal }) });
      return wanted;
    } catch (error) {
      const overtaken =
        error instanceof TransactionError && error.code === 'ERESTART' && error.operation === undefined;
      if (!overtaken || attempt === ATTEMPTS) throw error;
    }
  }
}

/**
 * Commits commands; where a set turns out to be full (ENFILE), it is given twice the room, in a transaction of its own,
 * and the commands are tried again.
 *
 * A set with a declared size is found fastest by the kernel, but cannot hold more than that: declare some head-room,
 * and let the set double now and then.
 *
 * @throws as {@link Connection.commit}
 */
export async function commitGrowing(
  nft: Readable & Pick<Connection, 'commit'>,
  commands: Commands,
  options: CommitOptions = {},
): Promise<CommitResult> {
  for (let doublings = 0; ; doublings++) {
    try {
      return await nft.commit(commands, options);
    } catch (error) {
      const full = error instanceof TransactionError ? fullSet(error) : undefined;
      if (full === undefined || doublings === DOUBLINGS || options.generation !== undefined) throw error;
      await grow(nft, full, options.signal ? { signal: options.signal } : {});
    }
  }
}

/** The set that the kernel had no room in. */
function fullSet({ code, command }: TransactionError): SetName | undefined {
  if (code !== 'ENFILE' || command === undefined) return undefined;
  const added = 'add' in command ? command.add : 'create' in command ? command.create : command;
  return 'element' in added ? (added.element as SetName) : undefined;
}

type Node = { readonly set?: NamedSet; readonly map?: NamedMap };

function isSet({ set, map }: Node, { family, table, name }: SetName): boolean {
  const node = set ?? map;
  return node?.family === family && node.table === table && node.name === name;
}

function sizeOf({ nftables }: Ruleset, name: SetName): number | undefined {
  const found = (nftables as readonly Node[]).find((item) => isSet(item, name));
  return (found?.set ?? found?.map)?.size;
}

function withSize({ nftables }: Ruleset, name: SetName, size: number): Ruleset {
  const sized = (nftables as readonly Node[]).map((item) => {
    if (!isSet(item, name)) return item;
    return item.set ? { set: { ...item.set, size } } : { map: { ...(item.map as NamedMap), size } };
  });
  return { nftables: sized as Ruleset['nftables'] };
}
