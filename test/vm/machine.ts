import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A boot of the test VM. */
export interface MachineOptions {
  /** The kernel's file. */
  readonly kernel: string;
  /** The root filesystem, a cpio archive. */
  readonly image: string;
  /** A directory for the machine's own files. */
  readonly directory: string;
  /** Seconds until the machine is switched off. */
  readonly timeout: number;
}

/**
 * Boots the machine, passes its console on, and answers with the status that its /init leaves.
 *
 * @throws Error when it takes too long, or goes down without a status (a panic, say)
 */
export async function runMachine({ kernel, image, directory, timeout }: MachineOptions): Promise<number> {
  const status = join(directory, 'status');
  // Software emulation: it works everywhere, in virtual machines too, and is the same everywhere.
  const qemu = spawn(
    'qemu-system-x86_64',
    [
      ['-nodefaults', '-no-user-config', '-display', 'none', '-no-reboot'],
      ['-accel', 'tcg,thread=multi,tb-size=512', '-cpu', 'max', '-smp', '2', '-m', '2048'],
      ['-kernel', kernel, '-initrd', image],
      ['-append', 'console=ttyS0 quiet loglevel=4 panic=-1 mitigations=off nokaslr random.trust_cpu=on'],
      ['-serial', 'stdio', '-serial', `file:${status}`],
    ].flat(),
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const exit = once(qemu, 'exit');
  qemu.stdout.pipe(process.stdout, { end: false });
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    qemu.kill('SIGKILL');
  }, timeout * 1000);
  const kill = () => qemu.kill('SIGKILL');
  process.once('exit', kill);
  try {
    await exit;
  } finally {
    clearTimeout(timer);
    process.off('exit', kill);
  }
  if (isLate) throw new Error(`the machine was not done after ${timeout} seconds`);
  const answer = existsSync(status) ? readFileSync(status, 'latin1').trim() : '';
  if (!/^\d+$/.test(answer)) throw new Error('the machine went down before its tests were done');
  return Number(answer);
}
