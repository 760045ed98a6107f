import { readFile } from 'node:fs/promises';
import { parse, type Ruleset } from '../index.ts';
import type { Io } from './command.ts';

/** The text of a file, or of standard input for `-`. */
export async function readText(file: string, io: Io): Promise<string> {
  if (file !== '-') return readFile(file, 'utf8');
  const chunks: Buffer[] = [];
  for await (const chunk of io.stdin) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks).toString('utf8');
}

/** A ruleset in libnftables JSON; the error names the file. */
export async function readRuleset(file: string, io: Io): Promise<Ruleset> {
  const text = await readText(file, io);
  try {
    return parse(text);
  } catch (error) {
    throw new SyntaxError(`${file}: ${(error as Error).message}`, { cause: error });
  }
}

/** The JSON of a file, or of standard input for `-`; the error names the file. */
export async function readJson(file: string, io: Io): Promise<unknown> {
  const text = await readText(file, io);
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new SyntaxError(`${file}: ${(error as Error).message}`, { cause: error });
  }
}
