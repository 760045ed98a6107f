import type { Work } from './work.ts';

/** One way to talk to nf_tables. */
export interface Driver {
  /** Why it cannot be measured here; undefined where it can. */
  missing(): string | undefined;
  open(): Session;
}

/** A driver at work, in the network namespace of the process. */
export interface Session {
  /** Gets everything ready that is not measured; what it returns is, and throws where it fails. */
  prepare(work: Work): () => void | Promise<void>;
  /** Lists the whole ruleset in the form that the driver gives it. */
  list(): unknown;
  close(): void;
}
