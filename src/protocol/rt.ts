import { lookup } from './lookup.ts';
import { type Selector, selectors } from './selector.ts';

/** A key of the route that a packet takes (nft's rt_templates). */
export interface RtSelector extends Selector {
  /** The network protocol that the key is for. */
  readonly family?: 'ip' | 'ip6';
}

/**
 * Route keys; `key` is NFT_RT_* of linux/netfilter/nf_tables.h. `nexthop` is two keys, told apart by the
 * rule's network protocol: see {@link findRt}. `mtu` since kernel 4.14, `ipsec` since 4.17.
 */
export const rtKeys: Readonly<Record<string, RtSelector>> = selectors([
  { key: 0, name: 'classid', type: 'realm', bits: 32, byteorder: 'host' },
  { key: 1, name: 'ip nexthop', type: 'ipv4_addr', bits: 32, byteorder: 'network', family: 'ip' },
  { key: 2, name: 'ip6 nexthop', type: 'ipv6_addr', bits: 128, byteorder: 'network', family: 'ip6' },
  { key: 3, name: 'mtu', type: 'integer', bits: 16, byteorder: 'host' },
  { key: 4, name: 'ipsec', type: 'boolean', bits: 8, byteorder: 'host' },
]);

/**
 * A route key by libnftables JSON's `key`, and `family` for `nexthop`.
 *
 * @throws ProtocolLookupError listing the keys there are; `nexthop` without a family is none of them
 */
export function findRt(name: string, family?: 'ip' | 'ip6'): RtSelector {
  return lookup('rt key', rtKeys, name === 'nexthop' && family ? `${family} ${name}` : name);
}
