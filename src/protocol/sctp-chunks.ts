import { type Extension, type ExtensionRow, extension, extensions } from './extension.ts';
import { lookup } from './lookup.ts';

function chunk(type: number, name: string, rows: readonly ExtensionRow[] = []): Extension {
  return extension({ name, op: 'sctp chunk', type }, 0, [
    ['type', 'integer', 0, 8],
    ['flags', 'integer', 8, 8],
    ['length', 'integer', 16, 16],
    ...rows,
  ]);
}

const initiation: readonly ExtensionRow[] = [
  ['init-tag', 'integer', 32, 32],
  ['a-rwnd', 'integer', 64, 32],
  ['num-outbound-streams', 'integer', 96, 16],
  ['num-inbound-streams', 'integer', 112, 16],
  ['initial-tsn', 'integer', 128, 32],
];

/** SCTP chunks by name (nft's sctp_chunk.c; RFC 9260, 3758 and 5061). Needs kernel 5.14. */
export const sctpChunks: Readonly<Record<string, Extension>> = extensions([
  chunk(0, 'data', [
    ['tsn', 'integer', 32, 32],
    ['stream', 'integer', 64, 16],
    ['ssn', 'integer', 80, 16],
    ['ppid', 'integer', 96, 32],
  ]),
  chunk(1, 'init', initiation),
  chunk(2, 'init-ack', initiation),
  chunk(3, 'sack', [
    ['cum-tsn-ack', 'integer', 32, 32],
    ['a-rwnd', 'integer', 64, 32],
    ['num-gap-ack-blocks', 'integer', 96, 16],
    ['num-dup-tsns', 'integer', 112, 16],
  ]),
  chunk(4, 'heartbeat'),
  chunk(5, 'heartbeat-ack'),
  chunk(6, 'abort'),
  chunk(7, 'shutdown', [['cum-tsn-ack', 'integer', 32, 32]]),
  chunk(8, 'shutdown-ack'),
  chunk(9, 'error'),
  chunk(10, 'cookie-echo'),
  chunk(11, 'cookie-ack'),
  chunk(12, 'ecne', [['lowest-tsn', 'integer', 32, 32]]),
  chunk(13, 'cwr', [['lowest-tsn', 'integer', 32, 32]]),
  chunk(14, 'shutdown-complete'),
  chunk(128, 'asconf-ack', [['seqno', 'integer', 32, 32]]),
  chunk(192, 'forward-tsn', [['new-cum-tsn', 'integer', 32, 32]]),
  chunk(193, 'asconf', [['seqno', 'integer', 32, 32]]),
]);

/**
 * The SCTP chunk that nft calls `name`.
 *
 * @throws ProtocolLookupError listing those there are
 */
export function findSctpChunk(name: string): Extension {
  return lookup('sctp chunk', sctpChunks, name);
}
