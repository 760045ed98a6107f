import { createHash } from 'node:crypto';
import { mkdir, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { codeOf, removeDrafts, writeAtomically } from '../store/file.ts';
import type { Entry } from '../store/index.ts';

/** The desired state that an agent last enforced, as it is kept over a restart. */
export interface Snapshot {
  readonly cluster: string;
  readonly revision: number;
  readonly entries: readonly Entry[];
}

/** A snapshot's file is not what an agent wrote. */
export class SnapshotError extends Error {
  override readonly name = 'SnapshotError';
}

const VERSION = 1;

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/**
 * Keeps a snapshot in a file: a line with version, revision and the hash of the rest, and a line of JSON. A
 * reader, and a machine that lost its power, finds the old one or the new one. One agent alone writes it.
 */
export async function writeSnapshot(file: string, snapshot: Snapshot): Promise<void> {
  const body = JSON.stringify(snapshot);
  const head = JSON.stringify({ version: VERSION, revision: snapshot.revision, sha256: hashOf(body) });
  await mkdir(dirname(file), { recursive: true });
  await removeDrafts(file);
  await writeAtomically(file, `${head}\n${body}\n`);
}

/**
 * Reads the snapshot back.
 *
 * @returns nothing where there is none
 * @throws SnapshotError when the file is damaged or of another version
 */
export async function readSnapshot(file: string): Promise<Snapshot | undefined> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
  const [head = '', body = ''] = text.split('\n');
  const wrong = (why: string) => new SnapshotError(`${file}: ${why}`);
  let said: { version?: unknown; sha256?: unknown };
  try {
    said = JSON.parse(head) as typeof said;
  } catch {
    throw wrong('not a snapshot');
  }
  if (said.version !== VERSION) throw wrong(`version ${said.version} (${VERSION} is known)`);
  if (said.sha256 !== hashOf(body)) throw wrong('its content is not what its hash says');
  return JSON.parse(body) as Snapshot;
}
