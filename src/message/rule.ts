import { expressions } from '../bytecode/index.ts';
import { bytes, field, nest, nested, optional, string, u32, u64 } from '../wire/schema.ts';

/** NFTA_RULE_COMPAT_*: what xtables extensions want to know. */
const compat = { protocol: field(1, u32), flags: field(2, u32) };

/** NFTA_RULE_* */
export const rule = {
  table: optional(1, string),
  chain: optional(2, string),
  handle: optional(3, u64),
  expressions: optional(4, expressions),
  compat: optional(5, nested(compat)),
  position: optional(6, u64),
  userdata: optional(7, bytes),
  id: optional(9, u32),
  positionId: optional(10, u32),
  chainId: optional(11, u32),
};

/** The same, its instructions encoded already. */
export const encodedRule = { ...rule, expressions: optional(4, nest) };
