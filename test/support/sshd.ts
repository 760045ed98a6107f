import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** The SSH server to test with, where there is one: the one that scripts/setup fetched, or the machine's. */
export function sshServer(): string | undefined {
  const fetched = fileURLToPath(new URL('../../.cache/sshd/usr/sbin/sshd', import.meta.url));
  // It says which options it has, and ends with 1; one that lacks a library ends with 127.
  const runs = (program: string) =>
    existsSync(program) && spawnSync(program, ['-?'], { stdio: 'ignore' }).status === 1;
  return [fetched, '/usr/sbin/sshd'].find(runs);
}
