import { expression, expressions } from '../bytecode/index.ts';
import { bytes, field, list, nested, optional, string, u32, u64 } from '../wire/schema.ts';

const NFTA_LIST_ELEM = 1;

/** NFTA_SET_DESC_*: how many elements there will be, and how wide the parts of the key are, in bytes. */
const description = {
  size: optional(1, u32),
  concat: optional(2, list(NFTA_LIST_ELEM, nested({ length: field(1, u32) }))),
};

/** NFTA_SET_* */
export const set = {
  table: optional(1, string),
  name: optional(2, string),
  flags: optional(3, u32),
  keyType: optional(4, u32),
  keyLength: optional(5, u32),
  dataType: optional(6, u32),
  dataLength: optional(7, u32),
  policy: optional(8, u32),
  description: optional(9, nested(description)),
  id: optional(10, u32),
  timeout: optional(11, u64),
  gcInterval: optional(12, u32),
  userdata: optional(13, bytes),
  objectType: optional(15, u32),
  handle: optional(16, u64),
  expression: optional(17, expression),
  expressions: optional(18, expressions),
  /** How many elements there are, where the kernel says so. */
  count: optional(20, u32),
};

/** NFT_SET_POL_* */
export const SET_POLICIES = { performance: 0, memory: 1 } as const;
/** NFTA_SET_DATA_TYPE of a verdict map. */
export const VERDICT_TYPE = 0xffffff00;
