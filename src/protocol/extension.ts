import type { DatatypeName } from '../datatype/index.ts';
import type { FieldLayout } from './field.ts';
import { lookup } from './lookup.ts';

/** What the kernel's exthdr instruction searches for (NFTA_EXTHDR_OP, `enum nft_exthdr_op`). */
export type ExtensionOp = 'ipv6' | 'tcp option' | 'ip option' | 'sctp chunk' | 'dccp option';

/** NFT_EXTHDR_OP_*; `ip option` since kernel 5.3, `sctp chunk` 5.14, `dccp option` 6.5. */
export const extensionOps: Readonly<Record<ExtensionOp, number>> = Object.freeze({
  ipv6: 0,
  'tcp option': 1,
  'ip option': 2,
  'sctp chunk': 3,
  'dccp option': 4,
});

/** A part of a header that has to be searched for: an IPv6 extension header, an option, a chunk. */
export interface Extension {
  /** nft's and libnftables JSON's name. */
  readonly name: string;
  readonly op: ExtensionOp;
  /** The number that the packet marks it with (NFTA_EXTHDR_TYPE): next header, option kind, chunk type. */
  readonly type: number;
  /** IPv6: `enum exthdr_desc_id`, which set declarations with `typeof` carry in their user data. */
  readonly id?: number;
  /** Routing headers: the routing type that has this layout. nft does not check it. */
  readonly routingType?: number;
  readonly fields: Readonly<Record<string, FieldLayout>>;
}

/** A row of an extension's table; without an index, a field's index is one more than its predecessor's. */
export type ExtensionRow = readonly [
  name: string,
  type: DatatypeName,
  offset: number,
  bits: number,
  index?: number,
];

/** An extension from its rows; `first` is the index of the first field. */
export function extension(
  description: Omit<Extension, 'fields'>,
  first: number,
  rows: readonly ExtensionRow[],
): Extension {
  let next = first;
  const fields = rows.map(([name, type, offset, bits, index = next]): [string, FieldLayout] => {
    next = index + 1;
    return [name, Object.freeze({ name, index, type, offset, bits, byteorder: 'network' })];
  });
  return Object.freeze({ ...description, fields: Object.freeze(Object.fromEntries(fields)) });
}

/** Freezes a table of extensions by name. */
export function extensions(list: readonly Extension[]): Readonly<Record<string, Extension>> {
  return Object.freeze(Object.fromEntries(list.map((entry) => [entry.name, entry])));
}

/**
 * A field of an extension.
 *
 * @throws ProtocolLookupError listing the fields that it has
 */
export function findExtensionField(entry: Extension, name: string): FieldLayout {
  return lookup(`${entry.op === 'ipv6' ? '' : `${entry.op} `}${entry.name} field`, entry.fields, name);
}

/**
 * The entries of a table and their fields that lie exactly at `offset` (bits) and are `bits` wide in what
 * the packet marks with `type`, in the table's order: several where layouts overlap (rt, rt0, srh).
 */
export function extensionFieldsAt(
  table: Readonly<Record<string, Extension>>,
  type: number,
  offset: number,
  bits: number,
): readonly { readonly extension: Extension; readonly field: FieldLayout }[] {
  return Object.values(table)
    .filter((entry) => entry.type === type)
    .flatMap((entry) =>
      Object.values(entry.fields)
        .filter((field) => field.offset === offset && field.bits === bits)
        .map((field) => ({ extension: entry, field })),
    );
}
