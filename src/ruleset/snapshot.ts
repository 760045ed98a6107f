import type { Ruleset } from '../model/index.ts';
import { type Connection, NetlinkSocketError, type Snapshot } from '../netlink/index.ts';
import type { TableName } from './diff.ts';

/** What is asked of a connection: the real one, or one that stands in for it. */
export type Readable = Pick<Connection, 'snapshot' | 'generation'>;

/** These tables at one moment, those of them that are there; others are not read. */
export async function snapshotTables(
  nft: Readable,
  tables: readonly TableName[],
  signal?: AbortSignal,
): Promise<Snapshot> {
  for (;;) {
    const generation = await nft.generation({ signal });
    const listed: Ruleset['nftables'][number][] = [];
    let same = true;
    for (const { family, name } of tables) {
      const part = await nft.snapshot({ family, table: name, signal }).catch(absent);
      same &&= part === undefined || part.generation === generation;
      if (!same) break;
      listed.push(...(part?.ruleset.nftables ?? []));
    }
    if (same && generation === (await nft.generation({ signal }))) {
      return { ruleset: { nftables: listed.filter((item) => !('metainfo' in item)) }, generation };
    }
  }
}

function absent(error: unknown): undefined {
  if (error instanceof NetlinkSocketError && error.code === 'ENOENT') return undefined;
  throw error;
}
