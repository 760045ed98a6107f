import type { ByteOrder } from '../datatype/byteorder.ts';
import type { DatatypeName } from '../datatype/index.ts';
import type { FieldLayout } from './field.ts';

/**
 * Where a payload load counts its offset from (NFTA_PAYLOAD_BASE). `inner` is what follows the transport
 * header, `tunnel` the tunnel's own header inside an `inner` instruction.
 */
export type PayloadBase = 'link' | 'network' | 'transport' | 'inner' | 'tunnel';

/** NFT_PAYLOAD_* of linux/netfilter/nf_tables.h; `inner` since kernel 5.17, `tunnel` since 6.2. */
export const payloadBases: Readonly<Record<PayloadBase, number>> = Object.freeze({
  link: 0,
  network: 1,
  transport: 2,
  inner: 3,
  tunnel: 4,
});

/** One field of a {@link Header}. */
export interface HeaderField extends FieldLayout {
  /**
   * ICMP and ICMPv6: the message types that carry this field. nft puts a match on the type before it:
   * a comparison where there is one type, an anonymous set in this order where there are several.
   */
  readonly icmp?: readonly number[];
}

/** How the header's checksum follows a change of the payload (NFTA_PAYLOAD_CSUM_TYPE). */
export interface HeaderChecksum {
  readonly field: string;
  /** `inet`: RFC 1071 (NFT_PAYLOAD_CSUM_INET, 1), `sctp`: CRC32c (NFT_PAYLOAD_CSUM_SCTP, 2). */
  readonly type: 'inet' | 'sctp';
}

/** What the kernel's `inner` instruction needs to look inside a tunnel (kernel 6.2). */
export interface HeaderTunnel {
  /** NFTA_INNER_TYPE */
  readonly type: number;
  /** NFTA_INNER_HDRSIZE, in bytes */
  readonly headerSize: number;
  /** NFTA_INNER_FLAGS: 1 the header has a size of its own, 2 link, 4 network, 8 transport header inside */
  readonly flags: number;
  /** The transport header that a rule must have matched before: nft does not add that match itself. */
  readonly carrier?: 'udp';
}

/** The layout of one protocol header, after the tables of nft's proto.c. */
export interface Header {
  /** nft's and libnftables JSON's name: `ether`, `ip`, `tcp` … */
  readonly name: string;
  /** `enum proto_desc_id`: set declarations with `typeof` carry it in their user data. */
  readonly id: number;
  readonly base: PayloadBase;
  /**
   * Size in bits of a link-layer header, so that one can be stacked on the other (vlan on ether);
   * 0 elsewhere, where the kernel knows where the next header starts.
   */
  readonly bits: number;
  /** The field whose value says which protocol follows. */
  readonly key?: string;
  /**
   * The meta key that nft asks, instead of {@link key}, when it adds a match on the next protocol of its
   * own accord; it skips extension headers, which the field does not.
   */
  readonly keyMeta?: 'l4proto' | 'protocol' | 'nfproto';
  /**
   * The network protocol that this transport header belongs to. In families that carry both, nft matches
   * it first, by the link header that is known: `ether type` in bridge, where `ip` itself goes by
   * `meta protocol` (nft's payload_gen_special_dependency).
   */
  readonly over?: 'ip' | 'ip6';
  /** Values of the key and the header they announce, in nft's order (the first that fits is printed). */
  readonly next: readonly (readonly [value: number, header: string])[];
  readonly checksum?: HeaderChecksum;
  /**
   * Fields that are part of the transport header's checksum: changing one takes the flag
   * NFT_PAYLOAD_L4CSUM_PSEUDOHDR (1).
   */
  readonly pseudoHeader?: readonly string[];
  readonly tunnel?: HeaderTunnel;
  readonly fields: Readonly<Record<string, HeaderField>>;
}

/** A row of a header's table: name, type, offset and width in bits, and the ICMP types that have it. */
export type HeaderFieldRow = readonly [
  name: string,
  type: DatatypeName,
  offset: number,
  bits: number,
  icmp?: readonly number[],
];

/** A header whose fields are known to the type checker: names, and the data type of each. */
export type HeaderOf<Rows extends readonly HeaderFieldRow[]> = Omit<Header, 'fields'> & {
  readonly fields: {
    readonly [Row in Rows[number] as Row[0]]: HeaderField & { readonly name: Row[0]; readonly type: Row[1] };
  };
};

/** A header from its rows: a field's index is its place in them, counted from 1. */
export function header<const Rows extends readonly HeaderFieldRow[]>(
  description: Omit<Header, 'fields' | 'next' | 'bits'> & Partial<Pick<Header, 'next' | 'bits'>>,
  rows: Rows,
): HeaderOf<Rows> {
  const byteorder: ByteOrder = 'network';
  const fields = rows.map(([name, type, offset, bits, icmp], i): [string, HeaderField] => [
    name,
    Object.freeze({ name, index: i + 1, type, offset, bits, byteorder, ...(icmp && { icmp }) }),
  ]);
  const table = Object.freeze(Object.fromEntries(fields)) as HeaderOf<Rows>['fields'];
  return Object.freeze({ bits: 0, next: [], ...description, fields: table });
}
