import { header } from './header.ts';

const followers = [
  [50, 'esp'],
  [51, 'ah'],
  [108, 'comp'],
  [17, 'udp'],
  [136, 'udplite'],
  [6, 'tcp'],
  [33, 'dccp'],
  [132, 'sctp'],
] as const;

/** IPsec authentication header, RFC 4302. */
export const ah = header({ name: 'ah', id: 1, base: 'transport', key: 'nexthdr', next: followers }, [
  ['nexthdr', 'inet_proto', 0, 8],
  ['hdrlength', 'integer', 8, 8],
  ['reserved', 'integer', 16, 16],
  ['spi', 'integer', 32, 32],
  ['sequence', 'integer', 64, 32],
]);

/** IPsec encapsulating security payload, RFC 4303. */
export const esp = header({ name: 'esp', id: 2, base: 'transport' }, [
  ['spi', 'integer', 0, 32],
  ['sequence', 'integer', 32, 32],
]);

/** IP payload compression, RFC 3173. */
export const comp = header({ name: 'comp', id: 3, base: 'transport', key: 'nexthdr', next: followers }, [
  ['nexthdr', 'inet_proto', 0, 8],
  ['flags', 'bitmask', 8, 8],
  ['cpi', 'integer', 16, 16],
]);
