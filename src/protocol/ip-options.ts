import { type Extension, type ExtensionRow, extension, extensions } from './extension.ts';
import { lookup } from './lookup.ts';

function option(type: number, name: string, rows: readonly ExtensionRow[]): Extension {
  return extension({ name, op: 'ip option', type }, 1, [
    ['type', 'integer', 0, 8],
    ['length', 'integer', 8, 8],
    ...rows,
  ]);
}

const route: readonly ExtensionRow[] = [
  ['ptr', 'integer', 16, 8, 4],
  ['addr', 'integer', 24, 32, 5],
];

/** IPv4 options by name (nft's ipopt.c): source routes and record route of RFC 791, router alert of RFC 2113. */
export const ipOptions: Readonly<Record<string, Extension>> = extensions([
  option(131, 'lsrr', route),
  option(7, 'rr', route),
  option(137, 'ssrr', route),
  option(148, 'ra', [['value', 'integer', 16, 16, 3]]),
]);

/**
 * The IPv4 option that nft calls `name`.
 *
 * @throws ProtocolLookupError listing those there are
 */
export function findIpOption(name: string): Extension {
  return lookup('ip option', ipOptions, name);
}
