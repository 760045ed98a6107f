import type { Verdict } from '../statement.ts';
import { checkName } from './name.ts';
import { worded } from './plain.ts';

/** Lets the packet pass this base chain; later chains of the hook still see it. */
export const accept = () => worded({ accept: null });

/** Drops the packet, for good. */
export const drop = () => worded({ drop: null });

/** Goes on with the next rule: what a rule does without a verdict, of use in a verdict map. */
export const continue_ = () => worded({ continue: null });

/** Goes back to the chain that jumped here; at the end of a base chain its policy decides. */
export const return_ = () => worded({ return: null });

/** Goes on in a regular chain, and comes back at its end. At most 16 jumps deep. */
export function jump(chain: string): Verdict {
  return worded({ jump: { target: checkName('chain', chain) } });
}

/** Goes on in a regular chain for good. */
export function goto(chain: string): Verdict {
  return worded({ goto: { target: checkName('chain', chain) } });
}
