import type { Connection } from '../index.ts';
import { clear } from './render.ts';

/** Takes our tables away, in one transaction, and nothing else. */
export async function teardown(nft: Pick<Connection, 'commit'>): Promise<void> {
  await nft.commit(clear({ interfaces: [] }));
}
