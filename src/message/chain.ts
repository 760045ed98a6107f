import { bytes, field, list, nested, optional, s32, string, u32, u64 } from '../wire/schema.ts';

const NFTA_DEVICE_NAME = 1;

/** Names of devices, in a nest of their own. */
export const devices = list(NFTA_DEVICE_NAME, string);

/** NFTA_HOOK_* */
export const hook = {
  number: optional(1, u32),
  priority: optional(2, s32),
  device: optional(3, string),
  devices: optional(4, devices),
};

/** NFTA_COUNTER_*, of a base chain's policy. */
const counters = { bytes: field(1, u64), packets: field(2, u64) };

/** NFTA_CHAIN_* */
export const chain = {
  table: optional(1, string),
  handle: optional(2, u64),
  name: optional(3, string),
  hook: optional(4, nested(hook)),
  policy: optional(5, u32),
  use: optional(6, u32),
  type: optional(7, string),
  counters: optional(8, nested(counters)),
  flags: optional(10, u32),
  id: optional(11, u32),
  userdata: optional(12, bytes),
};

/** Verdicts of a policy (linux/netfilter.h). */
export const POLICIES = { drop: 0, accept: 1 } as const;
