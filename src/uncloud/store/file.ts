import { randomUUID } from 'node:crypto';
import { open, readdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

const UUID_LENGTH = 36;

/** A name beside `file` that nobody else has, and that is no key: it begins with a dot. */
export function besides(file: string): string {
  return join(dirname(file), `.${basename(file)}.${randomUUID()}`);
}

/** Removes what writers of `file` that were killed have left beside it. Nobody may be writing it. */
export async function removeDrafts(file: string): Promise<void> {
  const start = `.${basename(file)}.`;
  const isDraft = (name: string) => name.startsWith(start) && name.length === start.length + UUID_LENGTH;
  const names = (await readdir(dirname(file))).filter(isDraft);
  await Promise.all(names.map((name) => rm(join(dirname(file), name), { force: true })));
}

/**
 * Writes a file so that a reader, and a machine that loses its power, has the old content or the new one,
 * whole.
 *
 * @param mode - who may read it, less what the umask takes away; its owner alone where left out
 */
export async function writeAtomically(file: string, content: string, mode = 0o600): Promise<void> {
  const draft = besides(file);
  try {
    await using handle = await open(draft, 'wx', mode);
    await handle.writeFile(content);
    await handle.sync();
    await rename(draft, file);
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
  await using directory = await open(dirname(file), 'r');
  await directory.sync();
}

/** The code of a failed system call: `ENOENT`, … */
export function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException | null)?.code;
}
