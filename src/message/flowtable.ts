import { nested, optional, s32, string, u32, u64 } from '../wire/schema.ts';
import { devices } from './chain.ts';

/** NFTA_FLOWTABLE_* (Linux 4.16; flags 5.7). */
export const flowtable = {
  table: optional(1, string),
  name: optional(2, string),
  hook: optional(
    3,
    nested({ number: optional(1, u32), priority: optional(2, s32), devices: optional(3, devices) }),
  ),
  use: optional(4, u32),
  handle: optional(5, u64),
  flags: optional(7, u32),
};

/** NFT_FLOWTABLE_* */
export const FLOWTABLE_FLAGS = { offload: 1, counter: 2 } as const;
