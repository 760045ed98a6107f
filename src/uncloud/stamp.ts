import type { Ruleset } from '../index.ts';
import { TABLE } from './render.ts';

/** Our tables carry the hash of what they were made from as their comment, so that anyone can tell. */
const PREFIX = 'uncloud sha256:';

/** The ruleset with its hash in the comments of its tables. */
export function withHash(ruleset: Ruleset, hash: string): Ruleset {
  const comment = `${PREFIX}${hash}`;
  const nftables = ruleset.nftables.map((command) => {
    if (!('add' in command) || !('table' in command.add)) return command;
    return { add: { table: { ...command.add.table, comment } } };
  });
  return { nftables };
}

/** The hash that is in force, from a listing; undefined where no table of ours says. */
export function appliedHash(listing: Ruleset): string | undefined {
  for (const element of listing.nftables) {
    if (!('table' in element) || element.table.name !== TABLE) continue;
    const { comment } = element.table;
    if (comment?.startsWith(PREFIX)) return comment.slice(PREFIX.length);
  }
  return undefined;
}
