/**
 * What a verdict may be. `either`: a packet that is cut off within its own headers and no fragment; no
 * receiver takes it, so nobody minds what becomes of it.
 */
export type Decision = 'accept' | 'drop' | 'either';

export interface Verdict {
  readonly decision: Decision;
  /** The rule that decided, in words. */
  readonly reason: string;
}

export const accept = (reason: string): Verdict => ({ decision: 'accept', reason });
export const drop = (reason: string): Verdict => ({ decision: 'drop', reason });
export const either = (reason: string): Verdict => ({ decision: 'either', reason });
