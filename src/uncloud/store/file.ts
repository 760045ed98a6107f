import { randomUUID } from 'node:crypto';
import { open, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

/** A name beside `file` that nobody else has, and that is no key: it begins with a dot. */
export function besides(file: string): string {
  return join(dirname(file), `.${basename(file)}.${randomUUID()}`);
}

/**
 * Writes a file so that a reader, and a machine that loses its power, has the old content or the new one,
 * whole.
 */
export async function writeAtomically(file: string, content: string): Promise<void> {
  const draft = besides(file);
  try {
    await using handle = await open(draft, 'wx', 0o600);
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
