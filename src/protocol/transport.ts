import { header } from './header.ts';

/** Transmission control, RFC 9293. */
export const tcp = header(
  { name: 'tcp', id: 8, base: 'transport', checksum: { field: 'checksum', type: 'inet' } },
  [
    ['sport', 'inet_service', 0, 16],
    ['dport', 'inet_service', 16, 16],
    ['sequence', 'integer', 32, 32],
    ['ackseq', 'integer', 64, 32],
    ['doff', 'integer', 96, 4],
    ['reserved', 'integer', 100, 4],
    ['flags', 'tcp_flag', 104, 8],
    ['window', 'integer', 112, 16],
    ['checksum', 'integer', 128, 16],
    ['urgptr', 'integer', 144, 16],
  ],
);

/** User datagrams, RFC 768. */
export const udp = header(
  { name: 'udp', id: 6, base: 'transport', checksum: { field: 'checksum', type: 'inet' } },
  [
    ['sport', 'inet_service', 0, 16],
    ['dport', 'inet_service', 16, 16],
    ['length', 'integer', 32, 16],
    ['checksum', 'integer', 48, 16],
  ],
);

/** Datagrams with a partial checksum, RFC 3828; nft leaves that checksum alone. */
export const udplite = header({ name: 'udplite', id: 7, base: 'transport' }, [
  ['sport', 'inet_service', 0, 16],
  ['dport', 'inet_service', 16, 16],
  ['csumcov', 'integer', 32, 16],
  ['checksum', 'integer', 48, 16],
]);

/** Stream control transmission, RFC 9260; its chunks are in sctp-chunks.ts. */
export const sctp = header(
  { name: 'sctp', id: 10, base: 'transport', checksum: { field: 'checksum', type: 'sctp' } },
  [
    ['sport', 'inet_service', 0, 16],
    ['dport', 'inet_service', 16, 16],
    ['vtag', 'integer', 32, 32],
    ['checksum', 'integer', 64, 32],
  ],
);

/** Datagram congestion control, RFC 4340. */
export const dccp = header({ name: 'dccp', id: 9, base: 'transport' }, [
  ['sport', 'inet_service', 0, 16],
  ['dport', 'inet_service', 16, 16],
  ['type', 'dccp_pkttype', 67, 4],
]);

/**
 * Whatever transport header there is: the ports that TCP, UDP, UDP-Lite, SCTP and DCCP have in the same
 * place. A match on it asks for no particular protocol.
 */
export const th = header({ name: 'th', id: 11, base: 'transport' }, [
  ['sport', 'inet_service', 0, 16],
  ['dport', 'inet_service', 16, 16],
]);
