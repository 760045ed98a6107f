import { type ChildProcess, spawn } from 'node:child_process';
import { setTimeout as pause } from 'node:timers/promises';
import type { PushHost } from './hosts.ts';

/** How ssh is called. */
export interface SshOptions {
  /** The program; default `ssh`, found in PATH. No shell reads it. */
  readonly program?: string;
  /** Each is an `-o` of ssh: `IdentityFile=/root/key`. They come first, and the first one counts. */
  readonly options?: readonly string[];
  /** The user of hosts that do not say one. */
  readonly user?: string;
}

/** What a program on another host came to. */
export interface SshResult {
  /** Its exit code; ssh's own failures are 255; nothing where a signal ended ssh. */
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** It must end by itself, ask nobody anything, and notice that the other end is gone. */
const DEFAULTS = ['BatchMode=yes', 'ConnectTimeout=10', 'ServerAliveInterval=5', 'ServerAliveCountMax=3'];

/** No more of what a host says is kept: its last words count. */
const MOST_KEPT = 1 << 18;

/** How long ssh may take to end when it is told to, in milliseconds. */
const GRACE = 1000;

/** A word as the POSIX shell at the other end reads it back, whatever is in it. */
export function quoted(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`;
}

/** The arguments of ssh that run a command on a host. */
export function sshArguments(
  { address, user, port }: PushHost,
  command: readonly string[],
  { options = [], user: otherwise }: SshOptions = {},
): string[] {
  const login = user ?? otherwise;
  return [
    ...['-T', '-x', '-a'],
    ...[...options, ...DEFAULTS].flatMap((option) => ['-o', option]),
    ...(port === undefined ? [] : ['-p', String(port)]),
    ...(login === undefined ? [] : ['-l', login]),
    ...['--', address, command.map(quoted).join(' ')],
  ];
}

/**
 * Runs a command on a host with `input` as its standard input.
 *
 * ssh leads a process group of its own, and all of it has ended when the promise settles. Where `signal` is aborted
 * it is ended, with its reason.
 *
 * @throws Error where ssh cannot be started; `signal.reason`
 */
export async function runOverSsh(
  host: PushHost,
  command: readonly string[],
  input: string,
  options: SshOptions,
  signal: AbortSignal,
): Promise<SshResult> {
  signal.throwIfAborted();
  const { program = 'ssh' } = options;
  const child = spawn(program, sshArguments(host, command, options), { detached: true });
  const out = lastOf(child.stdout);
  const err = lastOf(child.stderr);
  let force: NodeJS.Timeout | undefined;
  const end = () => {
    if (killGroup(child, 'SIGTERM')) force ??= setTimeout(() => killGroup(child, 'SIGKILL'), GRACE);
  };
  signal.addEventListener('abort', end, { once: true });
  try {
    const exited = new Promise<number | null>((resolve, reject) => {
      child.once('error', reject);
      child.once('exit', resolve);
    });
    const closed = new Promise((resolve) => child.once('close', resolve));
    // One that ends without reading all of it has said why.
    child.stdin.on('error', () => {});
    child.stdin.end(input);
    const code = await exited;
    // What ssh has started ends with it; a shared connection that it leaves behind is in no group of ours, and
    // may keep its output open.
    end();
    await Promise.race([closed, pause(2 * GRACE, undefined, { ref: false })]);
    signal.throwIfAborted();
    return { code, out: out(), err: err() };
  } finally {
    clearTimeout(force);
    signal.removeEventListener('abort', end);
    for (const stream of [child.stdin, child.stdout, child.stderr]) stream.destroy();
  }
}

function lastOf(stream: NodeJS.ReadableStream): () => string {
  let text = '';
  stream.setEncoding('utf8').on('data', (part: string) => {
    text = (text + part).slice(-MOST_KEPT);
  });
  return () => text;
}

/**
 * The leader may have ended: its group goes on while anyone is in it.
 *
 * @returns whether anyone is
 */
function killGroup({ pid }: ChildProcess, signal: NodeJS.Signals): boolean {
  if (pid === undefined) return false;
  try {
    return process.kill(-pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    return false;
  }
}
