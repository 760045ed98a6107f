import { lookup } from './lookup.ts';
import { type Selector, selectors } from './selector.ts';

/**
 * What a look-up in the routing tables answers with; `key` is NFT_FIB_RESULT_* of
 * linux/netfilter/nf_tables.h. `check` is `oif` with the flag {@link fibPresent}: whether there is a route
 * at all (`fib saddr . iif oif missing` before nft 1.1.2).
 */
export const fibResults: Readonly<Record<string, Selector>> = selectors([
  { key: 1, name: 'oif', type: 'iface_index', bits: 32, byteorder: 'host' },
  { key: 2, name: 'oifname', type: 'ifname', bits: 128, byteorder: 'host' },
  { key: 3, name: 'type', type: 'fib_addrtype', bits: 32, byteorder: 'host' },
  { key: 1, name: 'check', type: 'boolean', bits: 8, byteorder: 'host' },
]);

/** What to look up with, in nft's order of printing: NFTA_FIB_F_* of linux/netfilter/nf_tables.h. */
export const fibFlags: Readonly<Record<string, number>> = Object.freeze({
  saddr: 1,
  daddr: 2,
  mark: 4,
  iif: 8,
  oif: 16,
});

/** NFTA_FIB_F_PRESENT: answer only whether the route exists, as one byte. */
export const fibPresent = 32;

/**
 * The fib result that nft calls `name`.
 *
 * @throws ProtocolLookupError listing the results there are
 */
export function findFibResult(name: string): Selector {
  return lookup('fib result', fibResults, name);
}

/**
 * The bit of the fib flag that nft calls `name`.
 *
 * @throws ProtocolLookupError listing the flags there are
 */
export function findFibFlag(name: string): number {
  return lookup('fib flag', fibFlags, name);
}
