import { type Command, type Connection, TransactionError } from '../../index.ts';
import type { Rendering } from '../render.ts';

/** NFT_TABLE_F_OWNER and NFT_TABLE_F_PERSIST: whose connection made the table, alone changes it; it outlives that one. */
const OWNED = ['owner', 'persist'] as const;

/** The same commands, but that the tables which they make belong to the connection that sends them. */
export function ownedCommands(commands: readonly Command[]): Command[] {
  return commands.map((command) =>
    'add' in command && 'table' in command.add
      ? { add: { table: { ...command.add.table, flags: OWNED } } }
      : command,
  );
}

export function ownedRendering(rendering: Rendering): Rendering {
  return { ...rendering, ruleset: { nftables: ownedCommands(rendering.ruleset.nftables as Command[]) } };
}

/**
 * Makes sure that this kernel can do it.
 *
 * @throws Error before Linux 6.9
 */
export async function requireOwned(nft: Pick<Connection, 'check'>): Promise<void> {
  try {
    await nft.check([{ add: { table: { family: 'inet', name: 'uncloud_owned', flags: OWNED } } }]);
  } catch (error) {
    if (!(error instanceof TransactionError) || error.code === 'EPERM') throw error;
    throw new Error('owned tables need Linux 6.9 or later', { cause: error });
  }
}
