import { spawn } from 'node:child_process';
import { once } from 'node:events';

/** What happens to the namespace that {@link withNetns} makes. */
export interface NetnsOptions {
  /** Makes it in a user namespace of its own, as someone without privileges would. */
  readonly user?: boolean;
}

/**
 * Runs `work` with the path of a fresh network namespace, which ends with it, whether it fails or not.
 *
 * A child process holds the namespace; it ends as well when this process is killed, because its standard
 * input closes.
 */
export async function withNetns<T>(
  work: (path: string, pid: number) => T | Promise<T>,
  { user = false }: NetnsOptions = {},
): Promise<T> {
  const holder = spawn('unshare', [user ? '-rn' : '-n', 'sh', '-c', 'echo ready; read _'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const exited = once(holder, 'exit');
  try {
    const [ready] = await Promise.race([once(holder.stdout, 'data'), exited]);
    if (!String(ready).startsWith('ready')) throw new Error('unshare made no network namespace');
    const pid = holder.pid as number;
    return await work(`/proc/${pid}/ns/net`, pid);
  } finally {
    holder.stdin.end();
    await exited;
  }
}
