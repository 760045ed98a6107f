import type { Family } from '../model/index.ts';
import { familyByNumber } from '../protocol/index.ts';
import { readAttributes, readString } from '../wire/attribute-reader.ts';
import type { NetlinkMessage } from './message.ts';

/** Which part of the ruleset is looked at; all of it where nothing is said. */
export interface Part {
  readonly family?: Family;
  readonly table?: string;
}

/** NFTA_*_TABLE of all kinds of object, NFTA_TABLE_NAME of tables. */
const TABLE_NAME = 1;

/**
 * Whether a message is about a part of the ruleset; told by its head and that of its attributes, so that nothing
 * in other people's tables is read.
 */
export function concerns({ family, attributes }: NetlinkMessage, part: Part): boolean {
  const name = familyByNumber(family)?.name;
  if (name === undefined || (part.family !== undefined && name !== part.family)) return false;
  if (part.table === undefined) return true;
  const table = readAttributes(attributes).find(({ id }) => id === TABLE_NAME);
  return table !== undefined && readString(table.payload) === part.table;
}

/**
 * The attributes of a question about a part. The kernel looks a table up by its family, too: without one
 * everything is told, and what {@link concerns} nobody is left out.
 */
export function tableOf({ family, table }: Part): { readonly table?: string } {
  return family === undefined || table === undefined ? {} : { table };
}
