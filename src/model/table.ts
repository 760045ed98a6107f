import type { Family } from './family.ts';

/**
 * - `dormant`: the base chains are not registered, no packet is seen
 * - `owner`: the table belongs to the netlink socket that made it and goes with it; nobody else may change
 *   it, `flush ruleset` passes it by (Linux 5.12)
 * - `persist`: with `owner`, the table stays when its owner closes the socket, and can be adopted (6.9)
 */
export type TableFlag = 'dormant' | 'owner' | 'persist';

/** A table: the namespace of chains, sets, objects and flowtables. */
export interface Table {
  readonly family: Family;
  /** 1 to 255 bytes. */
  readonly name: string;
  /** The kernel's number; on input only `delete` and `destroy` take it, in place of `name`. */
  readonly handle?: number;
  readonly flags?: TableFlag | readonly TableFlag[];
  /** At most 128 bytes, kept in userdata (Linux 5.10). */
  readonly comment?: string;
}

/** What names a table: everything that lives in one carries it. */
export interface TableRef {
  readonly family: Family;
  readonly table: string;
}

/** What names an object of a table. */
export interface ObjectRef extends TableRef {
  /** 1 to 255 bytes, unique among objects of the same kind in the table. */
  readonly name: string;
  /** The kernel's number; on input only `delete` and `destroy` take it, in place of `name`. */
  readonly handle?: number;
}
