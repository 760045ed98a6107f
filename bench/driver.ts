import type { Work } from './work.ts';

/** One way to talk to nf_tables. */
export interface Driver {
  /** Why it cannot be measured here; undefined where it can. */
  missing(): string | undefined;
  open(): Session;
}

/** A driver at work, in the network namespace of the process. */
export interface Session {
  /**
   * Gets everything ready that is not measured; what it returns is, and throws where it fails. Where another
   * process does the work, it tells the seconds by its own clock: what it takes to ask it is not the rival's.
   */
  prepare(work: Work): () => void | Promise<void> | Promise<number>;
  /** Lists the whole ruleset in the form that the driver gives it. */
  list(): unknown;
  /** Reads the elements of the bench's set, packed. */
  columns?(): unknown;
  /** How many elements a set has, where it is none of nf_tables. */
  count?(set: string): number;
  /** Takes away what it made outside of nf_tables. */
  clear?(): void;
  close(): void;
}
