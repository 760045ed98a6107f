import { readdirSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import { type Datatype, DatatypeError, type Literal } from './datatype.ts';
import { readNumber } from './number.ts';
import { quote } from './strings.ts';

const mountPoint = '/sys/fs/cgroup';

function inode(path: string): bigint | undefined {
  try {
    const stat = statSync(path, { bigint: true });
    return stat.isDirectory() ? stat.ino : undefined;
  } catch {
    return undefined;
  }
}

/** The path of the control group with an identifier, relative to the mount point. */
function findPath(id: bigint, directory = mountPoint): string | undefined {
  for (const entry of readDirectories(directory)) {
    const path = join(directory, entry);
    const found = inode(path) === id ? relative(mountPoint, path) : findPath(id, path);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Groups come and go while they are read, so one that is gone has nothing below it. */
function readDirectories(path: string): string[] {
  try {
    return readdirSync(path, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => entry.name);
  } catch {
    return [];
  }
}

/**
 * A control group (version 2): its path below `/sys/fs/cgroup`, or its identifier, which is the number
 * of the directory's inode. A group that is gone is listed by its identifier.
 */
export const cgroupsv2: Datatype = Object.freeze({
  name: 'cgroupsv2',
  id: 46,
  bits: 64,
  byteorder: 'host',
  base: 'integer',
  parse(literal: Literal) {
    const number = readNumber(literal);
    const isPath = typeof literal === 'string' && literal !== '' && !literal.split('/').includes('..');
    const value = number ?? (isPath ? inode(join(mountPoint, literal)) : undefined);
    if (value === undefined || value >> 64n !== 0n) {
      throw new DatatypeError('cgroupsv2', literal, `the path of a control group below ${mountPoint}`);
    }
    return value;
  },
  format: (value: bigint) => findPath(value) ?? String(value),
  formatText(value: bigint) {
    const path = findPath(value);
    return path === undefined ? String(value) : quote(path);
  },
});
