import { bytes, optional, string, u32, u64 } from '../wire/schema.ts';

/** NFTA_TABLE_* */
export const table = {
  name: optional(1, string),
  flags: optional(2, u32),
  use: optional(3, u32),
  handle: optional(4, u64),
  userdata: optional(6, bytes),
  owner: optional(7, u32),
};

/** NFT_TABLE_F_*: dormant Linux 3.18, owner 5.12, persist 6.9. */
export const TABLE_FLAGS = { dormant: 1, owner: 2, persist: 4 } as const;
