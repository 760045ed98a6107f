import type { ByteOrder } from '../datatype/byteorder.ts';
import type { DatatypeName } from '../datatype/index.ts';
import { lookup } from './lookup.ts';
import { type Selector, selectorByKey, selectors } from './selector.ts';

/** A meta key: what the kernel knows about a packet besides its bytes (nft's meta_templates). */
export interface MetaSelector extends Selector {
  /** A rule may set it: `meta mark set 1`. */
  readonly settable: boolean;
  /** Listed without the word `meta` in front: `iifname "eth0"`. */
  readonly unqualified: boolean;
}

function row<const Name extends string, const Type extends DatatypeName>(
  key: number,
  name: Name,
  type: Type,
  bits: number,
  byteorder: ByteOrder = 'host',
  flag?: 'settable' | 'unqualified',
): MetaSelector & { readonly name: Name; readonly type: Type } {
  return {
    key,
    name,
    type,
    bits,
    byteorder,
    settable: flag === 'settable',
    unqualified: flag === 'unqualified',
  };
}

/**
 * Every meta key by name; `key` is NFT_META_* of linux/netfilter/nf_tables.h.
 *
 * Since kernel 4.17 `ipsec`; 5.1 `iifkind`, `oifkind`; 5.3 `ibrpvid`, `ibrvproto`; 5.4 `time`, `day`, `hour`;
 * 5.6 `sdif`, `sdifname`; 6.4 `broute`; 6.18 `ibrhwaddr`. The keys with `br` in their names exist in the
 * bridge family alone, `broute` only in its prerouting hook. `nftrace` and `broute` can be set but not read
 * (EOPNOTSUPP).
 */
export const metaKeys = selectors([
  row(0, 'length', 'integer', 32),
  row(1, 'protocol', 'ether_type', 16, 'network'),
  row(2, 'priority', 'classid', 32, 'host', 'settable'),
  row(3, 'mark', 'mark', 32, 'host', 'settable'),
  row(4, 'iif', 'iface_index', 32, 'host', 'unqualified'),
  row(5, 'oif', 'iface_index', 32, 'host', 'unqualified'),
  row(6, 'iifname', 'ifname', 128, 'host', 'unqualified'),
  row(7, 'oifname', 'ifname', 128, 'host', 'unqualified'),
  row(8, 'iiftype', 'iface_type', 16),
  row(9, 'oiftype', 'iface_type', 16),
  row(10, 'skuid', 'uid', 32),
  row(11, 'skgid', 'gid', 32),
  row(12, 'nftrace', 'integer', 1, 'host', 'settable'),
  row(13, 'rtclassid', 'realm', 32),
  row(14, 'secmark', 'integer', 32, 'host', 'settable'),
  row(15, 'nfproto', 'nf_proto', 8),
  row(16, 'l4proto', 'inet_proto', 8),
  row(17, 'ibrname', 'ifname', 128),
  row(18, 'obrname', 'ifname', 128),
  row(19, 'pkttype', 'pkt_type', 8, 'host', 'settable'),
  row(20, 'cpu', 'integer', 32),
  row(21, 'iifgroup', 'devgroup', 32, 'host', 'unqualified'),
  row(22, 'oifgroup', 'devgroup', 32, 'host', 'unqualified'),
  row(23, 'cgroup', 'integer', 32),
  row(24, 'random', 'integer', 32, 'network'),
  row(25, 'ipsec', 'boolean', 8),
  row(26, 'iifkind', 'ifname', 128),
  row(27, 'oifkind', 'ifname', 128),
  row(28, 'ibrpvid', 'integer', 16),
  row(29, 'ibrvproto', 'ether_type', 16, 'network'),
  row(30, 'time', 'date', 64),
  row(31, 'day', 'day', 8),
  row(32, 'hour', 'hour', 32),
  row(33, 'sdif', 'iface_index', 32),
  row(34, 'sdifname', 'ifname', 128),
  row(35, 'broute', 'integer', 1, 'host', 'settable'),
  row(36, 'ibrhwaddr', 'ether_addr', 48, 'network'),
]);

/** Names that nft still reads but no longer prints. */
export const metaAliases: Readonly<Record<string, string>> = Object.freeze({
  ibriport: 'ibrname',
  obriport: 'obrname',
  secpath: 'ipsec',
});

/**
 * The meta key that nft calls `name`, by its older name too.
 *
 * @throws ProtocolLookupError listing the keys there are
 */
export function findMeta(name: string): MetaSelector {
  return lookup(
    'meta key',
    metaKeys,
    Object.hasOwn(metaAliases, name) ? (metaAliases[name] as string) : name,
  );
}

/** The meta key with the kernel's number `key`, where we know it. */
export function metaByKey(key: number): MetaSelector | undefined {
  return selectorByKey<MetaSelector>(metaKeys, key);
}
