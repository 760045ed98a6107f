import { lookup } from './lookup.ts';
import { type Selector, selectors } from './selector.ts';

/** A key of an IPsec transformation (nft's xfrm_templates). */
export interface IpsecSelector extends Selector {
  /** The network protocol that the key is for. */
  readonly family?: 'ip' | 'ip6';
}

/**
 * IPsec keys; `key` is NFT_XFRM_KEY_* of linux/netfilter/nf_tables.h. Addresses are two keys each, told
 * apart by the family that the rule names: see {@link findIpsec}. Needs kernel 4.20.
 */
export const ipsecKeys: Readonly<Record<string, IpsecSelector>> = selectors([
  { key: 1, name: 'ip daddr', type: 'ipv4_addr', bits: 32, byteorder: 'network', family: 'ip' },
  { key: 2, name: 'ip6 daddr', type: 'ipv6_addr', bits: 128, byteorder: 'network', family: 'ip6' },
  { key: 3, name: 'ip saddr', type: 'ipv4_addr', bits: 32, byteorder: 'network', family: 'ip' },
  { key: 4, name: 'ip6 saddr', type: 'ipv6_addr', bits: 128, byteorder: 'network', family: 'ip6' },
  { key: 5, name: 'reqid', type: 'integer', bits: 32, byteorder: 'host' },
  { key: 6, name: 'spi', type: 'integer', bits: 32, byteorder: 'network' },
]);

/** Which way the transformed packet goes (NFTA_XFRM_DIR): XFRM_POLICY_IN and XFRM_POLICY_OUT. */
export const ipsecDirections: Readonly<Record<'in' | 'out', number>> = Object.freeze({ in: 0, out: 1 });

/**
 * An IPsec key by libnftables JSON's `key`, and `family` for addresses.
 *
 * @throws ProtocolLookupError listing the keys there are
 */
export function findIpsec(name: string, family?: 'ip' | 'ip6'): IpsecSelector {
  return lookup('ipsec key', ipsecKeys, family ? `${family} ${name}` : name);
}
