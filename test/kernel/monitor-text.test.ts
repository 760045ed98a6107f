import assert from 'node:assert/strict';
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type Kernel, withKernel } from '../support/kernel.ts';
import { requires } from '../support/requirements.ts';

const needs = requires('root', 'netns', 'nft');

/** A program that prints until it is told to end, and what it has printed. */
class Printer {
  output = '';
  readonly #child: ChildProcessByStdio<null, Readable, null>;

  constructor(command: string, args: readonly string[]) {
    this.#child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    this.#child.stdout.on('data', (data) => (this.output += data));
  }

  static nft({ netns }: Kernel): Printer {
    return new Printer('nsenter', [`--net=${ours(netns)}`, '--', 'stdbuf', '-oL', 'nft', 'monitor']);
  }

  static nftjs({ netns }: Kernel, ...options: readonly string[]): Printer {
    const main = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));
    const args = ['--import', 'tsx', main, 'monitor', '--netns', ours(netns), ...options];
    return new Printer(process.execPath, args);
  }

  /** Ends it, and answers with its exit code. */
  async end(signal: NodeJS.Signals = 'SIGKILL'): Promise<unknown> {
    const { exitCode, signalCode } = this.#child;
    if (exitCode !== null || signalCode !== null) return exitCode;
    const closed = once(this.#child, 'close');
    this.#child.kill(signal);
    const [code] = await closed;
    return code;
  }
}

const ours = (netns: string) => netns.replace('/proc/self', `/proc/${process.pid}`);

/** Makes changes until all listen, then these, and waits until all tell of the last. */
async function watch(
  kernel: Kernel,
  printers: readonly Printer[],
  commands: readonly string[],
): Promise<void> {
  const until = async (isDone: () => boolean, meanwhile = () => {}) => {
    for (let i = 0; i < 200 && !isDone(); i++) {
      meanwhile();
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    assert.ok(isDone(), `nothing heard: ${printers.map(({ output }) => output)}`);
  };
  // Nothing says when they listen.
  await until(
    () => printers.every(({ output }) => output !== ''),
    () => void kernel.run('nft', ['add table ip probe; delete table ip probe']),
  );
  for (const command of commands) kernel.run('nft', [command]);
  kernel.run('nft', ['add table ip last']);
  await until(() => printers.every(({ output }) => output.includes('last')));
}

test('nftjs monitor --json tells each commit in a line, and ends well when interrupted', needs, () =>
  withKernel(async (kernel) => {
    const printer = Printer.nftjs(kernel, '--json');
    try {
      await watch(
        kernel,
        [printer],
        [
          'add table ip one; add chain ip one c; add rule ip one c accept; add rule ip one c continue',
          'insert rule ip one c drop; add rule ip one c handle 2 return',
        ],
      );
      assert.equal(await printer.end('SIGINT'), 0);
      const commits = printer.output
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line).commit);
      const [made, ruled] = commits.slice(-3);
      assert.equal(made.process.name, 'nft');
      assert.ok(made.process.pid > 1);
      assert.equal(ruled.generation, made.generation + 1);
      assert.deepEqual(
        made.changes.map((change: object) => Object.keys(change)),
        [['add'], ['add'], ['add'], ['add']],
      );
      assert.deepEqual(
        ruled.changes.map((change: Record<string, { rule: { handle: number } }>) => {
          const [[action, { rule }]] = Object.entries(change) as [[string, { rule: { handle: number } }]];
          return [action, rule.handle, change.after];
        }),
        [
          ['insert', 4, undefined],
          ['add', 5, 2],
        ],
      );
    } finally {
      await printer.end();
    }
  }),
);

/** One transaction each: every kind of object and change. */
const commands = [
  'add table inet t',
  'add chain inet t c { type filter hook input priority 0; policy drop; }',
  'add chain inet t d',
  'add set inet t s { type ipv4_addr; flags interval; auto-merge; comment "a set"; }',
  'add set inet t h { type ipv4_addr . inet_service; size 100; counter; }',
  'add map inet t m { type inet_service : verdict; }',
  'add map inet t v { type inet_service : ipv4_addr; }',
  'add counter inet t k { packets 3 bytes 9; }',
  'add quota inet t q { over 5 mbytes }',
  'add limit inet t l { rate 5/second }',
  'add element inet t s { 10.0.0.0/8, 192.0.2.1-192.0.2.9 comment "x" }',
  'add element inet t h { 192.0.2.1 . 22 }',
  'add element inet t m { 22 : jump d, 80 : drop }',
  'add element inet t v { 22 : 192.0.2.2 }',
  'add rule inet t c tcp dport { 22, 80 } counter accept comment "web"',
  'add rule inet t c ip saddr @s drop',
  'insert rule inet t c iifname "lo" accept',
  'add rule inet t c ip saddr . tcp dport @h counter name k',
  'add rule inet t c tcp dport vmap @m',
  'add rule inet t d ip6 nexthdr tcp log prefix "x" limit rate 5/minute; add rule inet t d return',
  'delete element inet t s { 10.0.0.0/8 }',
  'add chain inet t c { policy accept; }',
  'delete limit inet t l',
  'delete quota inet t q',
  'flush chain inet t c',
  'delete set inet t h',
  'delete counter inet t k',
  'delete chain inet t c',
  'add table inet t { flags dormant; }',
];

/** Lines of both in one form: nft tells anonymous sets too, and parts of an object without semicolons. */
function lines(output: string): string[] {
  const all = output.split('\n').map((line) => line.trimEnd().replace(/(?<!;) \}$/, '; }'));
  const own = all.filter((line) => !line.includes('__set') && !/ probe$/.test(line) && line !== '');
  // Probes begin generations of their own.
  const first = own.indexOf('add table inet t');
  return own.slice(first).map((line) => line.replace(/packets 3 bytes 9;? \}/, 'packets 3 bytes 9; }'));
}

test('nftjs monitor prints what nft monitor prints', needs, () =>
  withKernel(async (kernel) => {
    const printers = [Printer.nft(kernel), Printer.nftjs(kernel)];
    try {
      await watch(kernel, printers, commands);
      const [theirs = [], mine = []] = printers.map(({ output }) => lines(output));
      assert.ok(theirs.length > 2 * commands.length);
      assert.deepEqual(mine, theirs);
    } finally {
      for (const printer of printers) await printer.end();
    }
  }),
);
