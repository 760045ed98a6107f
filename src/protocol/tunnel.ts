import { header } from './header.ts';

// Flags of the inner instruction: NFT_INNER_HDRSIZE, LL, NH, TH.
const HEADER_SIZE = 1;
const LINK = 2;
const NETWORK = 4;
const TRANSPORT = 8;

/** VXLAN, RFC 7348: UDP, by custom to port 4789. Needs kernel 6.2; nft knows it since 1.0.7. */
export const vxlan = header(
  {
    name: 'vxlan',
    id: 18,
    base: 'tunnel',
    tunnel: { type: 1, headerSize: 8, flags: HEADER_SIZE | LINK | NETWORK | TRANSPORT, carrier: 'udp' },
  },
  [
    ['vni', 'integer', 32, 24],
    ['flags', 'integer', 0, 8],
  ],
);

/** GENEVE, RFC 8926: UDP, by custom to port 6081. Needs kernel 6.2; nft knows it since 1.0.7. */
export const geneve = header(
  {
    name: 'geneve',
    id: 19,
    base: 'tunnel',
    tunnel: { type: 2, headerSize: 8, flags: HEADER_SIZE | LINK | NETWORK | TRANSPORT, carrier: 'udp' },
  },
  [
    ['vni', 'integer', 32, 24],
    ['type', 'ether_type', 16, 16],
  ],
);

/** Generic routing encapsulation, RFC 2784, with a network header inside. Inner matches need kernel 6.2. */
export const gre = header(
  {
    name: 'gre',
    id: 20,
    base: 'transport',
    tunnel: { type: 3, headerSize: 4, flags: NETWORK | TRANSPORT },
  },
  [
    ['version', 'integer', 13, 3],
    ['flags', 'integer', 0, 5],
    ['protocol', 'ether_type', 16, 16],
  ],
);

/** GRE with an Ethernet frame inside. Inner matches need kernel 6.2. */
export const gretap = header(
  {
    name: 'gretap',
    id: 21,
    base: 'transport',
    tunnel: { type: 4, headerSize: 4, flags: LINK | NETWORK | TRANSPORT },
  },
  [],
);
