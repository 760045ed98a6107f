import type { Answer } from '../support/nft-oracle.ts';
import type { RuleCase } from './arbitrary/rule.ts';

/** A difference from nft 1.0.6 that is meant. */
export interface Explanation {
  readonly why: string;
  /** Whether this case differs for that reason; the narrower the better. */
  readonly covers: (rule: RuleCase, ours: Answer, nft: Answer) => boolean;
}

export const explanations: readonly Explanation[] = [];
