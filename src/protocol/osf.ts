import { type Selector, selectors } from './selector.ts';

/**
 * Passive fingerprints of the sender's operating system. The kernel has one key; `key` here is its flags
 * (NFTA_OSF_FLAGS): 0 answers with the system's name, NFT_OSF_F_VERSION (1) with name and version
 * (kernel 5.2).
 */
export const osfKeys: Readonly<Record<string, Selector>> = selectors([
  { key: 0, name: 'name', type: 'string', bits: 128, byteorder: 'host' },
  { key: 1, name: 'version', type: 'string', bits: 128, byteorder: 'host' },
]);

/** How the packet's time to live is compared (NFTA_OSF_TTL): `osf ttl skip name "Linux"`. */
export const osfTtl: Readonly<Record<'exact' | 'loose' | 'skip', number>> = Object.freeze({
  exact: 0,
  loose: 1,
  skip: 2,
});
