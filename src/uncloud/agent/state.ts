import type { LearningFigures } from '../learn/figures.ts';
import type { Problem } from '../problem.ts';
import type { HeldDeletions } from './records.ts';

/** What an agent has come to. */
export interface AgentState {
  /** Whether rules are in force, from before or by this agent: nothing that they forbid passes any more. */
  readonly isGuarded: boolean;
  /** The revision of the VMs' records in force; 0: not yet heard of any store. */
  readonly revision: number;
  readonly hash: string;
  /** When that came into force. */
  readonly since: Date;
  /** Since when the store has not been heard. */
  readonly staleSince: Date | undefined;
  readonly vms: number;
  readonly leftOut: readonly Problem[];
  /** Nothing where routes are not the agent's, or not yet. */
  readonly routes: RoutesInForce | undefined;
  /** Nothing where no port learns. */
  readonly learning: LearningFigures | undefined;
  readonly held: HeldDeletions | undefined;
  readonly error: string | undefined;
  /** Counted since the agent began. */
  readonly transactions: number;
  readonly healed: number;
  readonly failures: number;
}

/** What became of the prefixes that are to be routed. */
export interface RoutesInForce {
  /** How many routes of ours there are. */
  readonly installed: number;
  /** Prefixes that are not routed, and why. */
  readonly problems: readonly Problem[];
}

/** What an agent begins with. */
export const BEGINNING: AgentState = {
  isGuarded: false,
  revision: 0,
  hash: '',
  since: new Date(0),
  staleSince: undefined,
  vms: 0,
  leftOut: [],
  routes: undefined,
  learning: undefined,
  held: undefined,
  error: undefined,
  transactions: 0,
  healed: 0,
  failures: 0,
};
