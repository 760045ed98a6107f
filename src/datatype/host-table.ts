import { readFileSync, statSync } from 'node:fs';
import { readNumber } from './number.ts';

/** How long a table is believed before its file is looked at again, in milliseconds. */
const freshness = 1000;

/** Numbers that the administrator of the host has given names to. */
export interface HostTable {
  /** The names, in the order of the file; none when there is no file. */
  symbols(): ReadonlyMap<string, bigint>;
  /** The name that the file lists first for a number. */
  nameOf(value: bigint): string | undefined;
}

/**
 * A table in a file of the host, such as `/etc/iproute2/rt_marks`: read when first asked for, and again
 * after it changed.
 *
 * @param paths - where to look; the first file that exists counts
 * @param entry - a line, without its comment and split at white space, to a name and its number
 */
export function hostTable(
  paths: readonly string[],
  entry: (fields: readonly string[]) => readonly [string, bigint] | undefined = numberThenName,
): HostTable {
  let checked = Number.NEGATIVE_INFINITY;
  let version = '';
  let symbols: ReadonlyMap<string, bigint> = new Map();
  let names: ReadonlyMap<bigint, string> = new Map();

  function refresh(): void {
    const now = performance.now();
    if (now - checked < freshness) return;
    checked = now;
    const found = firstFile(paths);
    if (found?.version === version) return;
    version = found?.version ?? '';
    const rows = found === undefined ? [] : readRows(found.path, entry);
    symbols = new Map(rows);
    names = new Map(rows.map(([name, value]) => [value, name] as const).reverse());
  }

  return {
    symbols() {
      refresh();
      return symbols;
    },
    nameOf(value) {
      refresh();
      return names.get(value);
    },
  };
}

function firstFile(paths: readonly string[]): { path: string; version: string } | undefined {
  for (const path of paths) {
    const stat = statSync(path, { throwIfNoEntry: false });
    if (stat !== undefined) return { path, version: `${path} ${stat.ino} ${stat.mtimeMs} ${stat.size}` };
  }
  return undefined;
}

function readRows(
  path: string,
  entry: (fields: readonly string[]) => readonly [string, bigint] | undefined,
): (readonly [string, bigint])[] {
  return readFileSync(path, 'utf8')
    .split('\n')
    .map((line) => line.replace(/#.*/, '').trim())
    .filter((line) => line !== '')
    .map((line) => entry(line.split(/\s+/)))
    .filter((row) => row !== undefined);
}

/** The layout of iproute2's files: `11 name`. */
function numberThenName([number = '', name]: readonly string[]): readonly [string, bigint] | undefined {
  const value = readNumber(number);
  return value === undefined || name === undefined ? undefined : [name, value];
}
