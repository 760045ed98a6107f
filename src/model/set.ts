import type { DatatypeName } from './datatype-value.ts';
import type { Expression } from './expression.ts';
import type { Integer } from './family.ts';
import type { ElementRows } from './packing.ts';
import type { Statement } from './statement.ts';
import type { ObjectRef, TableRef } from './table.ts';

/**
 * - `constant`: elements cannot change once a rule uses the set
 * - `interval`: elements may be ranges and prefixes
 * - `timeout`: elements may expire (Linux 4.1)
 * - `dynamic`: rules may add elements (`add @set { … }`)
 */
export type SetFlag = 'constant' | 'interval' | 'timeout' | 'dynamic';

/** What the kernel optimises the choice of data structure for; default `performance`. */
export type SetPolicy = 'performance' | 'memory';

/**
 * The type of a key: a datatype, a concatenation of them, or the type of an expression (`typeof`), which
 * also fixes the width of types such as `integer`.
 */
export type SetType = DatatypeName | readonly DatatypeName[] | { readonly typeof: Expression };

/** The kinds of object that a map's values can name (Linux 4.10; ct and secmark 5.7). */
export type ObjectMapType =
  | 'counter'
  | 'quota'
  | 'limit'
  | 'ct helper'
  | 'ct timeout'
  | 'ct expectation'
  | 'synproxy'
  | 'secmark'
  | 'tunnel';

/** What a map gives for a key: a value, a concatenation of values, a verdict, or a named object. */
export type MapType = SetType | 'verdict' | ObjectMapType;

interface SetProperties extends ObjectRef {
  readonly type?: SetType;
  readonly policy?: SetPolicy;
  readonly flags?: SetFlag | readonly SetFlag[];
  /** Seconds until an element expires, unless it says otherwise; implies the flag `timeout`. */
  readonly timeout?: number;
  /** Seconds between two searches for expired elements. */
  readonly 'gc-interval'?: number;
  /** Greatest number of elements. The kernel refuses more (ENFILE). */
  readonly size?: number;
  /** At most 128 bytes, kept in userdata. */
  readonly comment?: string;
  /** Overlapping and neighbouring intervals are merged, not refused. Needs the flag `interval`. */
  readonly 'auto-merge'?: boolean;
  /** Statements that each new element carries a copy of: counter, quota, limit, ct count, last (Linux 5.11). */
  readonly stmt?: readonly Statement[];
}

/** A named set. */
export interface NamedSet extends SetProperties {
  readonly elem?: Expression | readonly Expression[];
}

/** A named map, a verdict map when `map` is `verdict`. */
export interface NamedMap extends SetProperties {
  readonly map?: MapType;
  readonly elem?: MapElements;
}

/** What an anonymous set or map is declared with, without a name. */
export type OwnSet = Pick<NamedMap, 'type' | 'map' | 'flags' | 'size' | 'elem'>;

/** Elements of a map: pairs of key and value. */
export type MapElements = readonly (readonly [key: Expression, value: Expression])[];

/** Elements to add to, delete from or get from a named set or map. */
export interface Element extends TableRef {
  /** The set's name. */
  readonly name: string;
  readonly elem: Expression | readonly Expression[] | MapElements | ElementRows;
}

/**
 * A meter: a set that rules fill, as nft before 0.9 named it. Only `list` and `flush` know it; write a
 * {@link NamedSet} with the flag `dynamic` instead.
 */
export interface Meter extends ObjectRef {
  readonly size?: Integer;
}
