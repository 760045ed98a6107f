import { lookup } from './lookup.ts';
import { type Selector, selectors } from './selector.ts';

/**
 * Keys of the socket that a packet would be delivered to; `key` is NFT_SOCKET_* of
 * linux/netfilter/nf_tables.h. `wildcard` since kernel 5.10, `cgroupv2` (with a level, NFTA_SOCKET_LEVEL)
 * since 5.13.
 */
export const socketKeys: Readonly<Record<string, Selector>> = selectors([
  { key: 0, name: 'transparent', type: 'integer', bits: 8, byteorder: 'host' },
  { key: 1, name: 'mark', type: 'mark', bits: 32, byteorder: 'host' },
  { key: 2, name: 'wildcard', type: 'integer', bits: 8, byteorder: 'host' },
  { key: 3, name: 'cgroupv2', type: 'cgroupsv2', bits: 64, byteorder: 'host' },
]);

/**
 * The socket key that nft calls `name`.
 *
 * @throws ProtocolLookupError listing the keys there are
 */
export function findSocket(name: string): Selector {
  return lookup('socket key', socketKeys, name);
}
