import type { DatatypeName, DatatypeValue } from '../datatype-value.ts';
import type { ObjectMapType, SetFlag } from '../set.ts';
import type { Verdict } from '../statement.ts';
import type { ElementValue, PropertiedElement } from './element.ts';
import type { Value } from './expression.ts';
import type { Prefix, Range } from './value.ts';

/** The type of a set's key: a datatype, several of them, or the type of an expression. */
export type KeyType = DatatypeName | readonly DatatypeName[] | { readonly typeof: Value };

/** The type of a map's values. */
export type DataType = KeyType | 'verdict' | ObjectMapType;

/** Flags of a set, as the type of the options has them. */
export type SetFlags = SetFlag | readonly SetFlag[];

/** Datatypes that prefixes are written for. */
type Address = 'ipv4_addr' | 'ipv6_addr' | 'ether_addr';

type IsInterval<F extends SetFlags> = 'interval' extends (F extends readonly SetFlag[] ? F[number] : F)
  ? true
  : false;

/** One field of a key: its value, in an interval set also a range or a prefix. */
type Field<D extends DatatypeName, Interval extends boolean> =
  | DatatypeValue[D]
  | (Interval extends true
      ? Range<Extract<DatatypeValue[D], string | number | bigint>> | (D extends Address ? Prefix : never)
      : never);

type Fields<T, Interval extends boolean> = T extends readonly DatatypeName[]
  ? { readonly [I in keyof T]: Field<Extract<T[I], DatatypeName>, Interval> }
  : T extends DatatypeName
    ? Field<T, Interval>
    : ElementValue;

/** A key of a set: an array of fields where its type is a concatenation; `*` is what no other key matches. */
export type SetKey<T extends KeyType, F extends SetFlags> = Fields<T, IsInterval<F>> | '*';

/** An element of a set whose key has the type `T`. */
export type SetElement<T extends KeyType, F extends SetFlags> =
  | SetKey<T, F>
  | PropertiedElement<SetKey<T, F>>;

/** A value of a map whose data has the type `D`. */
export type MapData<D extends DataType> = D extends 'verdict'
  ? Verdict
  : D extends ObjectMapType
    ? string
    : Fields<D, true>;

/** An element of a map: its key and its value. */
export type MapElement<T extends KeyType, D extends DataType, F extends SetFlags> = readonly [
  key: SetElement<T, F>,
  data: MapData<D>,
];
