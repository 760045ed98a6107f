import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { suite, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { nftjs } from '../support/cli.ts';
import { etcdServer } from '../support/etcd.ts';
import { requires } from '../support/requirements.ts';

const root = join(import.meta.dirname, '../..');
const text = readFileSync(join(root, 'docs/distributed.md'), 'utf8');

/** Behind `sh` stands where a block is run, and how: `daemon` in a terminal of its own, `end` without those. */
const blocks = [...text.matchAll(/^```sh([^\n]*)\n(.*?)^```$/gms)].map(([, words = '', script = '']) => ({
  words: words.trim().split(/\s+/).filter(Boolean),
  script,
}));

/** A machine: network and mounts of its own, which go with the process that holds them. */
class Machine {
  readonly #directory: string;
  readonly #path: string;
  readonly #holder: ChildProcess;
  readonly #daemons: { child: ChildProcess; log: () => string }[] = [];

  constructor(directory: string, path: string) {
    mkdirSync(directory);
    this.#directory = directory;
    this.#path = path;
    const script = 'mount -t tmpfs none /run && ip link set lo up && echo ready && read _';
    this.#holder = spawn('unshare', ['--net', '--mount', 'sh', '-c', script], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
  }

  get pid(): number {
    return this.#holder.pid as number;
  }

  async ready(): Promise<void> {
    const exited = once(this.#holder, 'exit').then(() => assert.fail('there is no machine'));
    await Promise.race([once(this.#holder.stdout as NodeJS.ReadableStream, 'data'), exited]);
    exited.catch(() => {});
  }

  #inside(script: string): string[] {
    const shell = ['bash', '-c', `cd '${this.#directory}' || exit\n${script}`];
    return ['-t', String(this.pid), '--net', '--mount', '--', ...shell];
  }

  /** Runs a script to its end, which a failure is. */
  run(script: string): void {
    const { status, stdout, stderr } = spawnSync('nsenter', this.#inside(`set -e\n${script}`), {
      env: { ...process.env, PATH: this.#path },
      encoding: 'utf8',
      timeout: 180_000,
    });
    const logs = this.#daemons.map(({ log }) => log()).join('');
    assert.equal(status, 0, `${script}\n${stdout}${stderr}${logs}`);
  }

  /** Has a program run in a terminal of its own. */
  start(script: string): void {
    const child = spawn('nsenter', this.#inside(`exec ${script}`), {
      env: { ...process.env, PATH: this.#path },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let log = '';
    child.stderr.setEncoding('utf8').on('data', (part: string) => {
      log = (log + part).slice(-5000);
    });
    this.#daemons.push({ child, log: () => log });
  }

  /** Ctrl-C in all of its terminals. */
  async interrupt(): Promise<void> {
    for (const { child } of this.#daemons.splice(0)) {
      child.kill('SIGINT');
      const late = setTimeout(() => child.kill('SIGKILL'), 20_000);
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
      clearTimeout(late);
    }
  }

  async end(): Promise<void> {
    await this.interrupt();
    this.#holder.stdin?.end();
    if (this.#holder.exitCode === null && this.#holder.signalCode === null) await once(this.#holder, 'exit');
  }
}

suite('docs/distributed.md', () => {
  test('leads to a firewall on two hosts', requires('root', 'netns', 'etcd', 'bridge', 'veth'), async () => {
    const home = mkdtempSync(join(tmpdir(), 'nftjs-docs-'));
    const machines = new Map<string, Machine>();
    const machine = (name: string) => machines.get(name) ?? assert.fail(name);
    try {
      mkdirSync(join(home, 'bin'));
      const call = `'${process.execPath}' --import '${import.meta.resolve('tsx')}' '${root}/src/cli/main.ts'`;
      writeFileSync(join(home, 'bin/nftjs'), `#!/bin/sh\nexec ${call} "$@"\n`);
      chmodSync(join(home, 'bin/nftjs'), 0o755);
      const path = `${home}/bin:${dirname(etcdServer() ?? '')}:${process.env.PATH}`;
      for (const name of ['store', 'host1', 'host2']) {
        machines.set(name, new Machine(join(home, name), path));
        await machine(name).ready();
      }
      // What the text takes for granted: a network to manage them, and a wire between the hosts.
      machine('store').run(
        'ip link add mgmt type bridge; ip address add 192.0.2.10/24 dev mgmt; ip link set mgmt up',
      );
      for (const n of [1, 2]) {
        const host = machine(`host${n}`);
        machine('store').run(
          `ip link add host${n} type veth peer name eth0 netns ${host.pid}; ip link set host${n} master mgmt up`,
        );
        host.run(`ip address add 192.0.2.${n}/24 dev eth0; ip link set eth0 up`);
      }
      machine('host1').run(`ip link add eth1 type veth peer name eth1 netns ${machine('host2').pid}`);

      let ran = 0;
      for (const { words, script } of blocks) {
        for (const name of words.filter((word) => machines.has(word))) {
          if (words.includes('end')) await machine(name).interrupt();
          if (words.includes('daemon')) machine(name).start(script);
          else machine(name).run(script);
          ran++;
        }
        if (words.includes('daemon')) await pause(1000);
      }
      assert.equal(ran, 13);
      for (const name of ['host1', 'host2'])
        assert.equal((await nftjs(['list', '--netns', `/proc/${machine(name).pid}/ns/net`])).out, '');
    } finally {
      for (const one of machines.values()) await one.end();
      rmSync(home, { recursive: true });
    }
  });

  test('names what there is', async () => {
    const { out: help } = await nftjs(['uncloud', '--help']);
    const commands = blocks.flatMap(({ script }) =>
      script.split('\n').filter((line) => line.startsWith('nftjs uncloud ')),
    );
    assert.ok(commands.length > 10);
    for (const command of commands) {
      for (const option of command.match(/(?<=\s)--[a-z-]+/g) ?? [])
        assert.ok(help.includes(option), `${command}: ${option}`);
      assert.ok(help.includes(`nftjs uncloud ${command.split(' ')[2]}`), command);
    }
    const links = [...text.matchAll(/\[[^\]]*\]\(([^)#]+)\)/g)].map(([, file = '']) => `docs/${file}`);
    for (const file of ['scripts/bootstrap', ...links])
      assert.ok(readFileSync(join(root, file), 'utf8').length > 0, file);
  });
});
