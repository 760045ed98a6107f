import { type Extension, type ExtensionRow, extension, extensions } from './extension.ts';
import { lookup } from './lookup.ts';

function exthdr(
  id: number,
  name: string,
  type: number,
  rows: readonly ExtensionRow[],
  routingType?: number,
): Extension {
  const routing = routingType === undefined ? {} : { routingType };
  return extension({ name, op: 'ipv6', type, id, ...routing }, 1, rows);
}

const next: readonly ExtensionRow[] = [
  ['nexthdr', 'inet_proto', 0, 8],
  ['hdrlength', 'integer', 8, 8],
];

/**
 * IPv6 extension headers by name (nft's exthdr.c): hop-by-hop, routing, fragment and destination options
 * of RFC 8200, mobility of RFC 6275, segment routing of RFC 8754. `rt0`, `rt2` and `srh` are `rt` seen as
 * one routing type; nft itself names `rt2` but has no layout for it.
 */
export const exthdrs: Readonly<Record<string, Extension>> = extensions([
  exthdr(1, 'hbh', 0, next),
  exthdr(2, 'rt', 43, [...next, ['type', 'integer', 16, 8], ['seg-left', 'integer', 24, 8]]),
  exthdr(
    3,
    'rt0',
    43,
    [
      ['reserved', 'integer', 32, 8],
      ['addr[1]', 'ipv6_addr', 64, 128],
      ['addr[2]', 'ipv6_addr', 192, 128],
    ],
    0,
  ),
  exthdr(
    4,
    'rt2',
    43,
    [
      ['reserved', 'integer', 32, 32],
      ['addr', 'ipv6_addr', 64, 128],
    ],
    2,
  ),
  exthdr(
    5,
    'srh',
    43,
    [
      ['last-entry', 'integer', 32, 8],
      ['flags', 'integer', 40, 8],
      ['tag', 'integer', 48, 16],
      ['sid[1]', 'ipv6_addr', 64, 128],
      ['sid[2]', 'ipv6_addr', 192, 128],
    ],
    4,
  ),
  exthdr(6, 'frag', 44, [
    ['nexthdr', 'inet_proto', 0, 8],
    ['reserved', 'integer', 8, 8],
    ['frag-off', 'integer', 16, 13],
    ['reserved2', 'integer', 29, 2],
    ['more-fragments', 'integer', 31, 1],
    ['id', 'integer', 32, 32],
  ]),
  exthdr(7, 'dst', 60, next),
  exthdr(8, 'mh', 135, [
    ...next,
    ['type', 'mh_type', 16, 8],
    ['reserved', 'integer', 24, 8],
    ['checksum', 'integer', 32, 16],
  ]),
]);

/**
 * The extension header that nft calls `name`.
 *
 * @throws ProtocolLookupError listing those there are
 */
export function findExthdr(name: string): Extension {
  return lookup('extension header', exthdrs, name);
}
