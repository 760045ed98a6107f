import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { until } from './wait.ts';

const SYSTEMD = '/lib/systemd/systemd';
/** What else the services of the machine see: where node is, and the project. */
export const PLACES = { node: '/opt/node', project: '/opt/project' } as const;

/**
 * Makes a group of processes below the one that all belong to, and goes on in it: what systemd does with the groups
 * that it sees is done below.
 */
const OUTSIDE = `set -e
mount -t cgroup2 none /mnt
mkdir "/mnt/$1"
echo $$ > "/mnt/$1/cgroup.procs"
umount /mnt
shift
exec unshare --fork --kill-child --pid --mount --net --uts --ipc --cgroup --propagation private "$@"`;

/** This machine's files with changes that only memory keeps, and of the devices those that break nothing. */
const INSIDE = `set -e
mount -t tmpfs -o mode=755 none /mnt
mkdir /mnt/changes /mnt/work /mnt/root
mount -t overlay -o lowerdir=/,upperdir=/mnt/changes,workdir=/mnt/work none /mnt/root
cd /mnt/root
mkdir -p opt/node opt/project old
mount --bind "$1" opt/node
mount --bind "$2" opt/project
mount -t proc none proc
mount --bind proc/sys proc/sys
mount -o remount,bind,ro proc/sys
mount -t sysfs -o ro none sys
mount -t cgroup2 none sys/fs/cgroup
for directory in run tmp dev; do mount -t tmpfs -o mode=755 none $directory; done
chmod 1777 tmp
for device in null zero full random urandom tty; do
  touch dev/$device
  mount --bind /dev/$device dev/$device
done
mkdir dev/pts dev/shm
mount -t devpts -o newinstance,ptmxmode=0666 none dev/pts
ln -s pts/ptmx dev/ptmx
ln -s /proc/self/fd dev/fd
printf '[Unit]\\nDescription=Nothing\\nDefaultDependencies=no\\n' > run/nothing.target
mkdir -p run/systemd/system
mv run/nothing.target run/systemd/system
pivot_root . old
umount -l /old
mount --make-rshared /
exec ${SYSTEMD} --unit=nothing.target --show-status=false`;

/** Takes the group of processes away. */
const AFTERWARDS = `mount -t cgroup2 none /mnt || exit
find "/mnt/$1" -depth -type d -exec rmdir '{}' ';'
[ ! -e "/mnt/$1" ]`;

/**
 * A real systemd, of this machine's version: the first process of namespaces of its own (network, processes, files).
 * It starts nothing by itself. What it and its services change on disk is in memory, and goes with it.
 */
export class Systemd implements AsyncDisposable {
  readonly #group: string;
  readonly #outer: ChildProcess;
  readonly #ended: Promise<unknown>;
  #log = '';
  #pid = 0;

  /** @throws Error with what was said, where it does not come up */
  static async boot(project: string): Promise<Systemd> {
    const systemd = new Systemd(project);
    try {
      await until(
        () => `systemd is there: ${systemd.#log}`,
        () => systemd.#isUp(),
      );
      return systemd;
    } catch (error) {
      await systemd[Symbol.asyncDispose]();
      throw error;
    }
  }

  private constructor(project: string) {
    this.#group = `nftjs-test-${process.pid}-${Date.now()}`;
    const inside = ['sh', '-c', INSIDE, 'sh', dirname(process.execPath), project];
    const outside = ['unshare', '--mount', 'sh', '-c', OUTSIDE, 'sh', this.#group, ...inside];
    this.#outer = spawn('setpriv', ['--pdeathsig', 'KILL', ...outside], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', container: 'nftjs' },
    });
    this.#ended = new Promise((resolve) => this.#outer.once('close', resolve));
    for (const stream of [this.#outer.stdout, this.#outer.stderr])
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.#log = (this.#log + text).slice(-8000);
      });
  }

  /** The network namespace that its services are in. */
  get netns(): string {
    return `/proc/${this.#pid}/ns/net`;
  }

  /** What it has said lately. */
  get log(): string {
    return this.#log;
  }

  /** Writes a file that it and its services see. */
  write(path: string, content: string, mode = 0o644): void {
    const file = this.#path(path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, content, { mode });
  }

  read(path: string): string {
    return readFileSync(this.#path(path), 'utf8');
  }

  /** Runs a program beside its services; its exit status, and what it printed. */
  try(...command: string[]): { readonly status: number | null; readonly text: string } {
    const inside = [`--target=${this.#pid}`, '--mount', '--pid', '--net', '--ipc', '--uts', '--cgroup', '--'];
    const { status, stdout, stderr, error } = spawnSync('nsenter', [...inside, ...command], {
      encoding: 'utf8',
      timeout: 60_000,
    });
    if (error) throw error;
    return { status, text: stdout + stderr };
  }

  /** As {@link try}, of what must not fail. */
  run(...command: string[]): string {
    const { status, text } = this.try(...command);
    assert.equal(status, 0, `${command.join(' ')}: ${text}${this.#log}`);
    return text;
  }

  /** What systemd says of a unit. */
  property(unit: string, name: string): string {
    return this.run('systemctl', 'show', '--value', `--property=${name}`, unit).trim();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#outer.kill('SIGKILL');
    await this.#ended;
    await until('its group of processes is gone', () => {
      const script = ['--mount', 'sh', '-c', AFTERWARDS, 'sh', this.#group];
      return spawnSync('unshare', script, { stdio: 'ignore' }).status === 0;
    });
  }

  #path(path: string): string {
    return join(`/proc/${this.#pid}/root`, path);
  }

  #isUp(): boolean {
    if (this.#outer.exitCode !== null) throw new Error(`systemd did not start: ${this.#log}`);
    this.#pid ||= childOf(this.#outer.pid as number) ?? 0;
    if (this.#pid === 0 || commandOf(this.#pid) !== 'systemd') return false;
    return this.try('systemctl', 'is-active', 'nothing.target').text.trim() === 'active';
  }
}

/** The first process of the namespaces, once its outer end is what forked it. */
function childOf(pid: number): number | undefined {
  if (commandOf(pid) !== 'unshare') return undefined;
  const [child] = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ');
  return child ? Number(child) : undefined;
}

function commandOf(pid: number): string | undefined {
  const file = `/proc/${pid}/comm`;
  return existsSync(file) ? readFileSync(file, 'utf8').trim() : undefined;
}

/** Whether systemd can be the first process of namespaces here, and its files can be there twice. */
export function canBoot(): boolean {
  if (!existsSync(SYSTEMD)) return false;
  const script = `mount -t tmpfs none /mnt && mkdir /mnt/c /mnt/w /mnt/r /mnt/g &&
    mount -t overlay -o lowerdir=/,upperdir=/mnt/c,workdir=/mnt/w none /mnt/r && mount -t cgroup2 none /mnt/g`;
  const namespaces = ['--fork', '--pid', '--mount', '--net', '--uts', '--ipc', '--cgroup'];
  return spawnSync('unshare', [...namespaces, 'sh', '-c', script], { stdio: 'ignore' }).status === 0;
}
