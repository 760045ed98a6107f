import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { forwarding } from './forwarding.ts';
import { Namespace } from './namespace.ts';
import { alice, bob, host, type Machine, router } from './network.ts';

/** A program that goes on running. */
export class Program {
  readonly #child: ChildProcess;
  readonly #exited: Promise<unknown>;
  /** What it has said so far. */
  said = '';

  constructor(child: ChildProcess) {
    this.#child = child;
    this.#exited = once(child, 'exit');
    for (const stream of [child.stdout, child.stderr])
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.said += text;
      });
  }

  /** Waits for its end, `seconds` at most, and then makes one. Returns its exit code, null where it was ended. */
  async end(seconds = 0): Promise<number | null> {
    const timer = setTimeout(() => this.#child.kill('SIGTERM'), seconds * 1000);
    const last = setTimeout(() => this.#child.kill('SIGKILL'), (seconds + 2) * 1000);
    await this.#exited;
    clearTimeout(timer);
    clearTimeout(last);
    return this.#child.exitCode;
  }
}

/** A computer with a network stack of its own, whose card eth0 is plugged into a port of a bridge. */
export class Computer implements Disposable {
  readonly is: Machine;
  readonly #namespace = new Namespace();
  readonly #programs: Program[] = [];

  constructor(is: Machine) {
    this.is = is;
  }

  get netns(): string {
    return this.#namespace.path;
  }

  /** Runs a program to its end, of which it has 20 seconds, and returns its standard output. */
  run(command: string, ...args: string[]): string {
    return this.#namespace.run('timeout', ['20', command, ...args]);
  }

  /** Whether a program ends with exit code 0. */
  succeeds(command: string, ...args: string[]): boolean {
    try {
      this.run(command, ...args);
      return true;
    } catch {
      return false;
    }
  }

  /** Starts a program, which has to stay in the foreground. */
  start(command: string, ...args: string[]): Program {
    const child = spawn('nsenter', [`--net=${this.netns}`, '--', command, ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const program = new Program(child);
    this.#programs.push(program);
    return program;
  }

  /** Ends what still runs. */
  async stop(): Promise<void> {
    await Promise.all(this.#programs.splice(0).map((program) => program.end()));
  }

  [Symbol.dispose](): void {
    this.#namespace.close();
  }
}

/** Addresses of the shared network's router, and the network's width. */
export const ROUTER_IPV4 = '10.0.0.254';
export const ROUTER_IPV6 = '2a0a:e5c1:111:888::1';

/** Two VMs and the router behind the uplink of the example's shared bridge, as whole computers. */
export class Machines implements AsyncDisposable {
  readonly #host = new Namespace();
  readonly alice = new Computer(alice);
  readonly bob = new Computer(bob);
  readonly router = new Computer(router);
  /** A directory that goes with them. */
  readonly directory = mkdtempSync(join(tmpdir(), 'nftjs-machines-'));

  static async build(): Promise<Machines> {
    const machines = new Machines();
    try {
      await machines.#wire();
      return machines;
    } catch (error) {
      await machines[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** The namespace of the bridge: where rules go. */
  get netns(): string {
    return this.#host.path;
  }

  get computers(): readonly Computer[] {
    return [this.alice, this.bob, this.router];
  }

  /** Runs a command beside the bridge. */
  run(command: string, ...args: string[]): string {
    return this.#host.run(command, args);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.computers.map((computer) => computer.stop()));
    for (const computer of this.computers) computer[Symbol.dispose]();
    this.#host.close();
    rmSync(this.directory, { recursive: true });
  }

  async #wire(): Promise<void> {
    const lines = [
      `link add br100 address ${host.bridges.br100?.mac} type bridge stp_state 0`,
      'link set br100 up',
      ...this.computers.flatMap(({ is, netns }) => [
        `link add ${is.port} type veth peer name eth0 address ${is.mac} netns ${netns}`,
        `link set ${is.port} master br100 up`,
      ]),
    ];
    this.#host.run('ip', ['-batch', '-'], `${lines.join('\n')}\n`);
    this.router.run('sh', '-ec', 'echo 1 > /proc/sys/net/ipv6/conf/all/forwarding');
    for (const computer of this.computers) {
      computer.run('ip', 'link', 'set', 'lo', 'up');
      // Addresses as in the policy, not random ones.
      computer.run('sh', '-ec', 'echo 0 > /proc/sys/net/ipv6/conf/eth0/addr_gen_mode');
    }
    this.router.run('ip', 'address', 'add', `${ROUTER_IPV4}/24`, 'dev', 'eth0');
    this.router.run('ip', 'address', 'add', `${ROUTER_IPV6}/64`, 'dev', 'eth0', 'nodad');
  }

  /** Plugs the cards in: from here on everybody announces and configures itself. */
  async up(): Promise<void> {
    for (const computer of this.computers) computer.run('ip', 'link', 'set', 'eth0', 'up');
    await forwarding(() => this.run('bridge', '-j', 'link', 'show'), this.computers.length);
  }
}
