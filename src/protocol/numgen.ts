import { type Selector, selectors } from './selector.ts';

/**
 * Number generators; `key` is NFT_NG_* of linux/netfilter/nf_tables.h: `numgen inc mod 2`.
 */
export const numgenModes: Readonly<Record<string, Selector>> = selectors([
  { key: 0, name: 'inc', type: 'integer', bits: 32, byteorder: 'host' },
  { key: 1, name: 'random', type: 'integer', bits: 32, byteorder: 'host' },
]);
