import { type Extension, type ExtensionRow, extension, extensions } from './extension.ts';
import { lookup } from './lookup.ts';

function option(type: number, name: string, rows: readonly ExtensionRow[] = []): Extension {
  return extension({ name, op: 'tcp option', type }, 0, [['kind', 'integer', 0, 8], ...rows]);
}

const length: ExtensionRow = ['length', 'integer', 8, 8];

/** One block of a selective acknowledgement; each is a pair of fields in nft's single `sack` table. */
function sack(name: string, block: number): Extension {
  const offset = 16 + 64 * block;
  return option(5, name, [
    length,
    ['left', 'integer', offset, 32, 2 + 2 * block],
    ['right', 'integer', offset + 32, 32, 3 + 2 * block],
  ]);
}

/**
 * TCP options by name (nft's tcpopt.c; kinds of IANA's tcp-parameters). `sack0` is `sack`; `sack1` to
 * `sack3` are its further blocks. `fastopen`, `md5sig` and `mptcp` since nft 1.0.2.
 */
export const tcpOptions: Readonly<Record<string, Extension>> = extensions([
  option(0, 'eol'),
  option(1, 'nop'),
  option(2, 'maxseg', [length, ['size', 'integer', 16, 16]]),
  option(3, 'window', [length, ['count', 'integer', 16, 8]]),
  option(4, 'sack-perm', [length]),
  sack('sack', 0),
  sack('sack0', 0),
  sack('sack1', 1),
  sack('sack2', 2),
  sack('sack3', 3),
  option(8, 'timestamp', [length, ['tsval', 'integer', 16, 32], ['tsecr', 'integer', 48, 32]]),
  option(19, 'md5sig', [length]),
  option(30, 'mptcp', [length, ['subtype', 'integer', 16, 4]]),
  option(34, 'fastopen', [length]),
]);

/** Names that nft still reads but does not print. */
export const tcpOptionAliases: Readonly<Record<string, string>> = Object.freeze({
  noop: 'nop',
  'sack-permitted': 'sack-perm',
});

/**
 * The TCP option that nft calls `name`, by its other name too.
 *
 * @throws ProtocolLookupError listing those there are
 */
export function findTcpOption(name: string): Extension {
  const known = Object.hasOwn(tcpOptionAliases, name) ? (tcpOptionAliases[name] as string) : name;
  return lookup('tcp option', tcpOptions, known);
}
