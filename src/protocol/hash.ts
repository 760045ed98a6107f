import { type Selector, selectors } from './selector.ts';

/** Hashes; `key` is NFT_HASH_*: `jhash ip saddr mod 2`, `symhash mod 2` (kernel 4.12). */
export const hashTypes: Readonly<Record<string, Selector>> = selectors([
  { key: 0, name: 'jhash', type: 'integer', bits: 32, byteorder: 'host' },
  { key: 1, name: 'symhash', type: 'integer', bits: 32, byteorder: 'host' },
]);
