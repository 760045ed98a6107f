import type { Statement } from './statement.ts';
import type { TableRef } from './table.ts';

/** A rule: statements that a packet meets from left to right until one does not match or decides. */
export interface Rule extends TableRef {
  readonly chain: string;
  /**
   * The kernel's number. `delete`, `replace`: the rule that is meant. `add`, `insert`: the rule after or
   * before which this one goes.
   */
  readonly handle?: number;
  /** `add`, `insert`: the same, by position in the chain, counted from 0. Not together with `handle`. */
  readonly index?: number;
  /** At most 128 bytes, kept in userdata. */
  readonly comment?: string;
  /** Needed by `add`, `insert` and `replace`, at least one statement. */
  readonly expr?: readonly Statement[];
}
