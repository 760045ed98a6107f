export { and, lshift, or, rshift, xor } from './binary.ts';
export { ct } from './ct.ts';
export type {
  BaseChain,
  FlowtableOptions,
  MapOptions,
  RegularChain,
  SetOptions,
  TableOptions,
} from './definition.ts';
export { type DynsetOptions, dynset } from './dynset.ts';
export {
  type ElementInput,
  type ElementProperties,
  type ElementValue,
  element,
  type Mapping,
  type PropertiedElement,
  set,
} from './element.ts';
export type { Value } from './expression.ts';
export { dccpOption, exthdr, ipOption, sctpChunk, tcpOption } from './exthdr.ts';
export { fib, ipsec, jhash, numgen, osf, rt, socket, symhash, tunnelMeta } from './lookup.ts';
export { meta } from './meta.ts';
export { dnat, masquerade, redirect, snat, tproxy } from './nat.ts';
export { match, Operand } from './operand.ts';
export * from './payload.ts';
export { type Comment, comment, type RulePart } from './rule.ts';
export type { DataType, KeyType, MapData, MapElement, SetElement, SetFlags, SetKey } from './set-type.ts';
export {
  counter,
  ctCount,
  ctExpectation,
  ctHelper,
  ctTimeout,
  last,
  limit,
  meter,
  quota,
  type Reference,
  secmark,
  tunnel,
} from './stateful.ts';
export {
  dup,
  flow,
  fwd,
  log,
  notrack,
  queue,
  reject,
  resetTcpOption,
  synproxy,
  type WithValues,
} from './statement.ts';
export { type ElementTypes, TableBuilder, table } from './table.ts';
export { cidr, concat, type Prefix, prefix, type Range, range } from './value.ts';
export { accept, continue_, drop, goto, jump, return_ } from './verdict.ts';
