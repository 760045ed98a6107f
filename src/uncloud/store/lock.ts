import { link, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { besides, codeOf } from './file.ts';

const RETRY = 3;

/**
 * A lock between the processes of a host, which a killed process does not keep.
 *
 * Each holder makes the file of the next number: `.lock-8` after `.lock-7`, which it may once the one before
 * is empty (given back) or its process is gone. A number is taken once, as `link` fails where a name
 * exists; who took one that is not the highest was late, and waits again.
 */
export class FileLock {
  readonly #file: string;
  /** The file that this process holds the lock by, or is about to, for all who wait here. */
  #held: Promise<string> | undefined;
  #waiting = 0;
  #turn: Promise<unknown> = Promise.resolve();

  /** @param file - what the names of its files begin with, in a directory that exists */
  constructor(file: string) {
    this.#file = file;
  }

  /** Does `work` while nobody else holds the lock, after the work of this process that was there first. */
  async hold<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    this.#waiting++;
    const turn = this.#turn.then(async () => {
      try {
        this.#held ??= this.#take(signal);
        await this.#held;
        return await work();
      } finally {
        if (--this.#waiting === 0) await this.#giveBack();
      }
    });
    this.#turn = turn.catch(() => {});
    return turn;
  }

  async #giveBack(): Promise<void> {
    const held = await this.#held?.catch(() => undefined);
    this.#held = undefined;
    if (held !== undefined) await truncate(held);
  }

  async #take(signal: AbortSignal | undefined): Promise<string> {
    for (;;) {
      signal?.throwIfAborted();
      const highest = Math.max(0, ...(await this.#numbers()));
      if (highest === 0 || !(await isHeld(this.#name(highest)))) {
        const mine = this.#name(highest + 1);
        if (await claim(mine)) {
          const others = (await this.#numbers()).filter((number) => number !== highest + 1);
          if (others.every((number) => number <= highest)) {
            await Promise.all(others.map((number) => rm(this.#name(number), { force: true })));
            return mine;
          }
          await rm(mine, { force: true });
        }
      }
      await pause(RETRY, undefined, { signal });
    }
  }

  #name(number: number): string {
    return `${this.#file}-${number}`;
  }

  async #numbers(): Promise<number[]> {
    const start = `${basename(this.#file)}-`;
    return (await readdir(dirname(this.#file)))
      .filter((name) => name.startsWith(start))
      .map((name) => Number(name.slice(start.length)))
      .filter(Number.isInteger);
  }
}

/** Makes the file with its holder in it, unless it exists. */
async function claim(file: string): Promise<boolean> {
  const draft = besides(file);
  try {
    await writeFile(draft, `${process.pid} ${await startOf(process.pid)}`, { flag: 'wx' });
    await link(draft, file);
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  } finally {
    await rm(draft, { force: true });
  }
}

async function isHeld(file: string): Promise<boolean> {
  let content: string;
  try {
    content = await readFile(file, 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return true; // somebody took the next number: look again
    throw error;
  }
  const [pid, start] = content.split(' ');
  return pid !== '' && (await startOf(Number(pid))) === start;
}

/** When a process began (proc(5), field 22 of stat): its number may be another's by now. */
async function startOf(pid: number): Promise<string | undefined> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
  return text?.slice(text.lastIndexOf(')') + 2).split(' ')[19];
}
