import { type Selector, selectors } from './selector.ts';

/** Keys of a tunnel's metadata; `key` is NFT_TUNNEL_* of linux/netfilter/nf_tables.h (nft 1.1.4). */
export const tunnelKeys: Readonly<Record<string, Selector>> = selectors([
  { key: 0, name: 'path', type: 'boolean', bits: 8, byteorder: 'host' },
  { key: 1, name: 'id', type: 'integer', bits: 32, byteorder: 'host' },
]);
