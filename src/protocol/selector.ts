import type { ByteOrder } from '../datatype/byteorder.ts';
import type { DatatypeName } from '../datatype/index.ts';

/** A value that the kernel hands to a rule by a key number rather than by its place in the packet. */
export interface Selector {
  /** nft's and libnftables JSON's name. */
  readonly name: string;
  /** The kernel's number of the key. */
  readonly key: number;
  readonly type: DatatypeName;
  /** Width in bits; 0 where it is not known without context. */
  readonly bits: number;
  readonly byteorder: ByteOrder;
}

/** Selectors by name, as the type checker knows them too. */
export type SelectorTable<Rows extends readonly Selector[]> = {
  readonly [Row in Rows[number] as Row['name']]: Row;
};

/** Freezes a table of selectors and every entry in it. */
export function selectors<const Rows extends readonly Selector[]>(rows: Rows): SelectorTable<Rows> {
  return Object.freeze(
    Object.fromEntries(rows.map((row) => [row.name, Object.freeze(row)])),
  ) as SelectorTable<Rows>;
}

/** The selector with the kernel's number `key`, where there is one. */
export function selectorByKey<T extends Selector>(
  table: Readonly<Record<string, T>>,
  key: number,
): T | undefined {
  return Object.values(table).find((selector) => selector.key === key);
}
