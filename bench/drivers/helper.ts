import { type ChildProcessByStdio, spawn } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import type { Session } from '../driver.ts';

/**
 * A rival in a language of its own, which runs as one process beside the trial. It reads lines and answers each
 * with one: `prepare JSON` with `ready`, `go N` (the N-th of what was prepared) with the nanoseconds that it took
 * by its own clock, and `list` with how much there was; or `error …`.
 */
export function helper(command: string, args: readonly string[]): Session {
  const child: ChildProcessByStdio<Writable, Readable, null> = spawn(command, args, {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const waiting: { resolve(line: string): void; reject(error: Error): void }[] = [];
  let rest = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop() as string;
    for (const line of lines) {
      const next = waiting.shift();
      if (line.startsWith('error ')) next?.reject(new Error(line.slice('error '.length)));
      else next?.resolve(line);
    }
  });
  child.on('error', fail).on('exit', (code) => fail(new Error(`${command} ended with ${code}`)));
  function fail(error: Error): void {
    for (const { reject } of waiting.splice(0)) reject(error);
  }
  const ask = (line: string) =>
    new Promise<string>((resolve, reject) => {
      waiting.push({ resolve, reject });
      child.stdin.write(`${line}\n`);
    });
  let prepared = 0;
  return {
    prepare(work) {
      const { setup } = work;
      const ready = ask(`prepare ${JSON.stringify({ setup, commands: work.commands() })}`);
      const number = prepared++;
      return async () => {
        await ready;
        return Number(await ask(`go ${number}`)) / 1e9;
      };
    },
    list: () => ask('list'),
    close: () => void child.stdin.end(),
  };
}
