import type { Command } from './commands.ts';

/** One transaction, and what becomes of it: `ok`, or the code of the first refusal and its command's index. */
export interface Step {
  readonly outcome: string;
  readonly commands: readonly Command[];
}

/** Transactions one after the other, on a ruleset that is empty at first. */
export interface Scenario {
  readonly name: string;
  readonly steps: readonly Step[];
}

export function scenario(name: string, ...steps: readonly Step[]): Scenario {
  return { name, steps };
}

export function step(outcome: string, ...commands: readonly Command[]): Step {
  return { outcome, commands };
}
