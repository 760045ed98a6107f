import { optional, string, u32 } from '../wire/schema.ts';

/** NFTA_GEN_*: which commit this is, and whose. */
export const generation = { id: optional(1, u32), pid: optional(2, u32), process: optional(3, string) };
