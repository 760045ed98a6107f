import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from '../../src/cli/run.ts';

/** What a run of the command line came to. */
export interface Run {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs the command line in this process. */
export async function nftjs(args: readonly string[], stdin = ''): Promise<Run> {
  const written = { out: '', err: '' };
  const code = await run(args, {
    stdin: (async function* () {
      yield Buffer.from(stdin);
    })(),
    out: (text) => {
      written.out += text;
    },
    err: (text) => {
      written.err += text;
    },
  });
  return { code, ...written };
}

/** Runs `work` with a way to write files, which go with it. */
export async function withFiles<T>(
  work: (write: (name: string, content: unknown) => string) => T | Promise<T>,
): Promise<T> {
  const directory = mkdtempSync(join(tmpdir(), 'nftjs-cli-'));
  try {
    return await work((name, content) => {
      const path = join(directory, name);
      writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
      return path;
    });
  } finally {
    rmSync(directory, { recursive: true });
  }
}
