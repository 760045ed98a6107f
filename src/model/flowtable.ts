import type { Priority } from './chain.ts';
import type { ObjectRef } from './table.ts';

/**
 * A flowtable: established connections that are forwarded from ingress past the rest of the stack.
 * Families ip, ip6, inet (Linux 4.16).
 */
export interface Flowtable extends ObjectRef {
  readonly hook?: 'ingress';
  readonly prio?: Priority;
  readonly dev?: string | readonly string[];
  /** `offload`: into the device where it can (5.13). `counter`: count packets of flows (5.7). */
  readonly flags?: FlowtableFlag | readonly FlowtableFlag[];
}

export type FlowtableFlag = 'offload' | 'counter';
