/** The process's exit codes. */
export const EXIT = {
  /** Done. */
  success: 0,
  /** The kernel or the compiler refused, or a check found something. */
  failure: 1,
  /** The command line is wrong. */
  usage: 2,
} as const;

/** A sub-command of `nftjs`. */
export interface CliCommand {
  readonly name: string;
  /** One line, for the list of commands. */
  readonly summary: string;
  /** What `--help` prints. */
  readonly help: string;
  /** @returns the exit code */
  run(args: readonly string[], io: Io): Promise<number>;
}

/** Where a command reads and writes, so that tests can stand in. */
export interface Io {
  readonly stdin: AsyncIterable<Uint8Array | string>;
  out(text: string): void;
  err(text: string): void;
  /** How wide the terminal is that `err` writes to; nothing where it is none. */
  readonly columns?: number | undefined;
}

/** The command line is wrong: the message says how, `--help` what is right. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}
