import { data, expression, expressions } from '../bytecode/index.ts';
import { bytes, list, nested, optional, string, u32, u64 } from '../wire/schema.ts';

const NFTA_LIST_ELEM = 1;

/** NFTA_SET_ELEM_* */
export const element = {
  key: optional(1, data),
  data: optional(2, data),
  flags: optional(3, u32),
  timeout: optional(4, u64),
  expiration: optional(5, u64),
  userdata: optional(6, bytes),
  expression: optional(7, expression),
  object: optional(9, string),
  keyEnd: optional(10, data),
  expressions: optional(11, expressions),
};

/** NFTA_SET_ELEM_LIST_*: elements of one set. */
export const elementList = {
  table: optional(1, string),
  set: optional(2, string),
  elements: optional(3, list(NFTA_LIST_ELEM, nested(element))),
  setId: optional(4, u32),
};
