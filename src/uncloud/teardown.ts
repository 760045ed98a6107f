import type { Connection } from '../index.ts';
import { clear } from './render.ts';
import { type Routable, teardownRoutes } from './route-table.ts';

/** Takes our routes away, then our tables, in one transaction, and nothing else. */
export async function teardown(nft: Pick<Connection, 'commit'> & Routable): Promise<void> {
  await teardownRoutes(nft);
  await nft.commit(clear({ interfaces: [] }));
}
