import type { ByteOrder } from '../datatype/byteorder.ts';
import type { DatatypeName } from '../datatype/index.ts';
import { lookup } from './lookup.ts';
import { type Selector, selectorByKey, selectors } from './selector.ts';

/** Which way of a connection a key is read for (NFTA_CT_DIRECTION). */
export type CtDirection = 'original' | 'reply';

/** IP_CT_DIR_* of linux/netfilter/nf_conntrack_tuple_common.h. */
export const ctDirections: Readonly<Record<CtDirection, number>> = Object.freeze({ original: 0, reply: 1 });

/** A conntrack key: what the kernel knows about the packet's connection (nft's ct_templates). */
export interface CtSelector extends Selector {
  /** Whether the kernel wants a direction: `ct original packets` beside `ct packets`. */
  readonly direction: 'none' | 'optional' | 'required';
  /** A rule may set it: `ct mark set 1`. */
  readonly settable: boolean;
  /**
   * What decides type and width where these are not fixed: `address` follows the network protocol of the
   * rule (ipv4_addr or ipv6_addr), `port` becomes inet_service once the transport protocol is known. The
   * type in the table is a stand-in: nft has none for the key until then.
   */
  readonly depends?: 'address' | 'port';
  /** The network protocol that the key is for (nft's newer spelling: `ct original ip saddr`). */
  readonly family?: 'ip' | 'ip6';
}

function row<const Name extends string, const Type extends DatatypeName>(
  key: number,
  name: Name,
  type: Type,
  bits: number,
  byteorder: ByteOrder,
  more: Partial<Omit<CtSelector, keyof Selector>> = {},
): CtSelector & { readonly name: Name; readonly type: Type } {
  return { key, name, type, bits, byteorder, direction: 'none', settable: false, ...more };
}

/**
 * Every conntrack key by name; `key` is NFT_CT_* of linux/netfilter/nf_tables.h. Of the two spellings of an
 * address, `saddr` (a key of no fixed width) and `ip saddr`, the kernel has the second since 4.17.
 *
 * Setting needs kernel 4.11 for `zone` and `event`; `helper` is set through a `ct helper` object.
 */
export const ctKeys = selectors([
  row(0, 'state', 'ct_state', 32, 'host'),
  row(1, 'direction', 'ct_dir', 8, 'host'),
  row(2, 'status', 'ct_status', 32, 'host'),
  row(3, 'mark', 'mark', 32, 'host', { settable: true }),
  row(4, 'secmark', 'integer', 32, 'host', { settable: true }),
  row(5, 'expiration', 'time', 32, 'host'),
  row(6, 'helper', 'string', 128, 'host'),
  row(7, 'l3proto', 'nf_proto', 8, 'host', { direction: 'optional' }),
  row(8, 'saddr', 'integer', 0, 'network', { direction: 'required', depends: 'address' }),
  row(9, 'daddr', 'integer', 0, 'network', { direction: 'required', depends: 'address' }),
  row(10, 'protocol', 'inet_proto', 8, 'network', { direction: 'optional' }),
  row(11, 'proto-src', 'integer', 16, 'network', { direction: 'required', depends: 'port' }),
  row(12, 'proto-dst', 'integer', 16, 'network', { direction: 'required', depends: 'port' }),
  row(13, 'label', 'ct_label', 128, 'host', { settable: true }),
  row(14, 'packets', 'integer', 64, 'host', { direction: 'optional' }),
  row(15, 'bytes', 'integer', 64, 'host', { direction: 'optional' }),
  row(16, 'avgpkt', 'integer', 64, 'host', { direction: 'optional' }),
  row(17, 'zone', 'integer', 16, 'host', { direction: 'optional', settable: true }),
  row(18, 'event', 'ct_event', 32, 'host', { settable: true }),
  row(19, 'ip saddr', 'ipv4_addr', 32, 'network', { direction: 'required', family: 'ip' }),
  row(20, 'ip daddr', 'ipv4_addr', 32, 'network', { direction: 'required', family: 'ip' }),
  row(21, 'ip6 saddr', 'ipv6_addr', 128, 'network', { direction: 'required', family: 'ip6' }),
  row(22, 'ip6 daddr', 'ipv6_addr', 128, 'network', { direction: 'required', family: 'ip6' }),
  row(23, 'id', 'integer', 32, 'network'),
]);

/**
 * The conntrack key that nft calls `name`.
 *
 * @throws ProtocolLookupError listing the keys there are
 */
export function findCt(name: string): CtSelector {
  return lookup<CtSelector>('ct key', ctKeys, name);
}

/** The conntrack key with the kernel's number `key`, where we know it. */
export function ctByKey(key: number): CtSelector | undefined {
  return selectorByKey<CtSelector>(ctKeys, key);
}
