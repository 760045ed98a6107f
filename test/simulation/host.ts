import assert from 'node:assert/strict';
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type Connection, connect, type MonitorEvent, type Snapshot } from '../../src/index.ts';
import { type Facts, interfacesOf } from '../../src/uncloud/facts.ts';
import {
  completed,
  type Entry,
  factsOf,
  type Host as HostDescription,
  parseHost,
  parsePolicy,
  planOf,
  render,
  TABLE,
} from '../../src/uncloud/index.ts';
import { Namespace } from '../support/frames/namespace.ts';
import { now } from './probe.ts';
import { type Bundle, CLOCK } from './program.ts';
import { BRIDGE, PREFIX, type Vm } from './vm.ts';

const run = promisify(execFile);

/** What an administrator has on each host, and wants to keep. */
const FOREIGN = `table inet admin {
  set trusted {
    type ipv4_addr
    flags interval
    elements = { 192.0.2.0/24, 198.51.100.7 }
  }
  chain input {
    type filter hook input priority 10; policy accept;
    ip saddr @trusted accept comment "an administrator's"
  }
}
table bridge vendor {
  chain early {
    type filter hook prerouting priority -350; policy accept;
    ether type 0x88cc drop
  }
}
`;
const FOREIGN_TABLES = ['inet admin', 'bridge vendor'];
const FOREIGN_ROUTES = ['203.0.113.0/24 via 10.77.0.2 proto static', '198.18.0.0/15 dev other0 proto 99'];

/** A host's kernel at one moment. */
export interface Picture {
  readonly facts: Facts;
  readonly snapshot: Snapshot;
}

/** How a host is wired, and what it runs. */
export interface HostOptions {
  readonly number: number;
  /** Where its agent keeps what it keeps. */
  readonly home: string;
  readonly bundle: Bundle;
  readonly store: string;
  /** The namespace of the switch that all uplinks are plugged into. */
  readonly fabric: Namespace;
  /** The bridge of this process's namespace that leads to the store. */
  readonly control: string;
  readonly address: string;
}

/**
 * A hypervisor: a network namespace with a bridge, an uplink to the switch and a link to the store, a second one
 * with the cards of its VMs, and a real agent.
 */
export class Host implements AsyncDisposable {
  readonly number: number;
  readonly name: string;
  readonly nft: Connection;
  readonly state: string;
  /** Agents that ended without being told to, with their last words. */
  readonly ended: string[] = [];
  /** Each commit that somebody else than this process makes to the agent's tables. */
  onCommit: ((event: MonitorEvent, at: number) => void) | undefined;
  readonly #options: HostOptions;
  readonly #host = new Namespace();
  readonly #guests = new Namespace();
  readonly #description: HostDescription;
  readonly #files: { readonly host: string; readonly clock: string };
  readonly #listening = new AbortController();
  readonly #ports = new Set<string>();
  #kernel: Facts | undefined;
  #agent: { readonly process: ChildProcess; readonly gone: Promise<void> } | undefined;
  #log = '';
  #foreign = '';

  static async build(options: HostOptions): Promise<Host> {
    const host = new Host(options);
    try {
      await host.#wire();
    } catch (error) {
      await host[Symbol.asyncDispose]();
      throw error;
    }
    return host;
  }

  private constructor(options: HostOptions) {
    this.#options = options;
    this.number = options.number;
    this.name = `host${options.number}`;
    this.state = join(options.home, `${this.name}.state`);
    this.#files = {
      host: join(options.home, `${this.name}.json`),
      clock: join(options.home, `${this.name}.clock`),
    };
    const sets = (['named', 'anonymous', 'auto'] as const)[options.number % 3] as string;
    const described = { bridges: { [BRIDGE]: { uplinks: ['up0'] } }, sets };
    writeFileSync(this.#files.host, JSON.stringify(described));
    this.#description = parseHost(described);
    this.nft = connect({ netns: this.#host.path });
  }

  get netns(): string {
    return this.#host.path;
  }

  get guests(): string {
    return this.#guests.path;
  }

  /** What the agent has said lately. */
  get log(): string {
    return this.#log;
  }

  get isRunning(): boolean {
    return this.#agent !== undefined;
  }

  /** Runs a command on the host. */
  async run(command: string, args: readonly string[], input?: string): Promise<string> {
    return runIn(this.#host, command, args, input);
  }

  start(): void {
    if (this.#agent) throw new Error(`${this.name} has an agent`);
    const { bundle, store } = this.#options;
    const node = [process.execPath, '--import', bundle.clock, bundle.main];
    const agent = ['uncloud', 'agent', '--host', this.#files.host, '--name', this.name, '--store', store];
    const child = spawn(
      'nsenter',
      // It ends with this process, however that ends.
      [
        `--net=${this.netns}`,
        '--',
        'setpriv',
        '--pdeathsig',
        'KILL',
        ...node,
        ...agent,
        '--state',
        this.state,
      ],
      { stdio: ['ignore', 'ignore', 'pipe'], env: { ...process.env, [CLOCK]: this.#files.clock } },
    );
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#log = (this.#log + text).slice(-8000);
    });
    const gone = new Promise<void>((resolve) => {
      child.once('exit', (code, signal) => {
        if (this.#agent?.process === child) {
          this.#agent = undefined;
          this.ended.push(`${this.name}: exit ${code ?? signal}: ${this.#log.slice(-1000)}`);
        }
        resolve();
      });
    });
    this.#agent = { process: child, gone };
  }

  /** Kills the agent, as -9 does. */
  async kill(): Promise<void> {
    const agent = this.#agent;
    this.#agent = undefined;
    agent?.process.kill('SIGKILL');
    await agent?.gone;
  }

  /** Puts the clock of the agent wrong by so many milliseconds, at once. */
  skew(milliseconds: number): void {
    writeFileSync(this.#files.clock, String(milliseconds));
    this.#agent?.process.kill('SIGUSR2');
  }

  /** Memory that the agent uses, in bytes, and processor time that it has used, in seconds. */
  cost(): { readonly memory: number; readonly processor: number } | undefined {
    const pid = this.#agent?.process.pid;
    if (pid === undefined) return undefined;
    try {
      const [, kilobytes] = /^VmRSS:\s*(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      return {
        memory: Number(kilobytes) * 1024,
        processor: (Number(fields[11]) + Number(fields[12])) / 100,
      };
    } catch {
      return undefined;
    }
  }

  /** Cuts the host off from the store, and joins it again: its cable, or the port that the cable is in. */
  async cut(how: 'cable' | 'port', isOff: boolean): Promise<void> {
    const state = isOff ? 'down' : 'up';
    if (how === 'port') await run('ip', ['link', 'set', `c${this.number}`, state]);
    else await this.run('ip', ['link', 'set', 'st0', state]);
  }

  /**
   * Makes a VM's port. Its card is up, and `ready` done, before the port is on the bridge: whatever it sends
   * meets the rules from the first frame on.
   */
  async plug({ ifname }: Vm, ready: () => Promise<void>): Promise<void> {
    await this.run(
      'ip',
      ['-batch', '-'],
      `link add ${ifname} type veth peer name ${ifname} netns ${this.guests}\nlink set ${ifname} up\n`,
    );
    await runIn(this.#guests, 'ip', ['link', 'set', ifname, 'up']);
    await ready();
    await this.run('ip', ['link', 'set', ifname, 'master', BRIDGE]);
    this.#ports.add(ifname);
  }

  /** Whether the VM has a port here. */
  has({ ifname }: Vm): boolean {
    return this.#ports.has(ifname);
  }

  /** Whether there are rules about the VM's port: it is guarded, or closed. */
  async knows({ ifname }: Vm): Promise<boolean> {
    if (!(await this.hasRules())) return false;
    const ruleset = await this.nft.list({ table: TABLE, family: 'bridge' }).catch(() => undefined);
    return JSON.stringify(ruleset ?? '').includes(`"${ifname}"`);
  }

  async unplug({ ifname }: Vm): Promise<void> {
    this.#ports.delete(ifname);
    await this.run('ip', ['link', 'delete', ifname]);
  }

  /** What the system does where its firewall service starts or is restarted: all rules go, the administrator's come. */
  async restartFirewall(): Promise<void> {
    await this.run('nft', ['-f', '-'], `flush ruleset\n${FOREIGN}`);
    this.#foreign = await this.#foreignNow();
  }

  /** Whether rules of ours are there at all. */
  async hasRules(): Promise<boolean> {
    const { ruleset } = await this.nft.snapshot({ terse: true });
    return ruleset.nftables.some(
      (one) => 'table' in one && one.table.name === TABLE && one.table.family === 'bridge',
    );
  }

  /** What the kernel has just now. */
  async picture(): Promise<Picture> {
    this.#kernel ??= await factsOf(this.nft);
    const facts = { ...this.#kernel, interfaces: await interfacesOf(this.nft) };
    return { facts, snapshot: await this.nft.snapshot({ table: TABLE }) };
  }

  /**
   * Compares the kernel with what the store says.
   *
   * @returns how many commands would be needed to make them equal, and the first of them
   */
  async difference(entries: readonly Entry[], { facts, snapshot }: Picture): Promise<string | undefined> {
    const host = completed(this.#description, facts);
    const { policy, blocked } = desiredPolicy(host, entries);
    const kernel = { snapshot: async () => snapshot, commit: () => assert.fail('nothing is sent') };
    const { transaction } = await planOf(kernel, render({ host, policy, blocked, facts }));
    const [first] = transaction.nftables;
    if (first === undefined) return undefined;
    return `${this.name}: ${transaction.nftables.length} commands, ${JSON.stringify(first).slice(0, 300)}`;
  }

  /** Whether what belongs to others is as it was. */
  async foreignDifference(): Promise<string | undefined> {
    const there = await this.#foreignNow();
    return there === this.#foreign
      ? undefined
      : `${this.name}: foreign tables and routes changed to\n${there}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    this.#listening.abort();
    await this.nft[Symbol.asyncDispose]();
    this.#guests.close();
    this.#host.close();
  }

  async #wire(): Promise<void> {
    const { fabric, control, address } = this.#options;
    for (const namespace of [this.#host, this.#guests]) silence(namespace);
    await run('ip', [
      ...['link', 'add', `c${this.number}`, 'type', 'veth', 'peer', 'name', 'st0', 'netns', this.netns],
    ]);
    await run('ip', ['link', 'set', `c${this.number}`, 'master', control, 'up']);
    const lines = [
      'link set lo up',
      'link set st0 up',
      `address add ${address}/16 dev st0`,
      `link add ${BRIDGE} type bridge stp_state 0 mcast_snooping 0`,
      `link set ${BRIDGE} up`,
      `link add up0 type veth peer name h${this.number} netns ${fabric.path}`,
      `link set up0 master ${BRIDGE} up`,
      'link add other0 type veth peer name other1',
      'link set other1 up',
      'link set other0 up',
      'address add 10.77.0.1/24 dev other0',
      ...FOREIGN_ROUTES.map((route) => `route add ${route}`),
    ];
    await this.run('ip', ['-batch', '-'], `${lines.join('\n')}\n`);
    await runIn(fabric, 'ip', ['link', 'set', `h${this.number}`, 'master', 'sw0', 'up']);
    await this.restartFirewall();
    void this.#listen();
  }

  async #listen(): Promise<void> {
    const { signal } = this.#listening;
    try {
      for await (const event of this.nft.monitor({ table: TABLE, changes: false, signal }))
        this.onCommit?.(event, now());
    } catch (error) {
      if (!signal.aborted) this.ended.push(`${this.name}: the monitor ended: ${error}`);
    }
  }

  async #foreignNow(): Promise<string> {
    const parts = FOREIGN_TABLES.map((table) =>
      this.run('nft', ['-a', 'list', 'table', ...table.split(' ')]),
    );
    const routes = ['static', '99'].map((protocol) =>
      this.run('ip', ['-details', 'route', 'show', 'table', 'all', 'proto', protocol]),
    );
    return (await Promise.all([...parts, ...routes])).join('');
  }
}

/** What the records of a store mean, read without the agent. */
function desiredPolicy(host: HostDescription, entries: readonly Entry[]) {
  const kinds: Readonly<Record<string, string>> = { vm: 'vms', group: 'groups', network: 'networks' };
  const value: Record<string, Record<string, unknown>> = { vms: {}, groups: {}, networks: {} };
  const revisions: Record<string, number> = {};
  for (const { key, value: text, created } of entries) {
    const [kind = '', id = ''] = key.slice(PREFIX.length).split('/');
    const records = value[kinds[kind] ?? ''];
    if (records === undefined) continue;
    records[id] = JSON.parse(text);
    if (kind === 'vm') revisions[id] = created;
  }
  return parsePolicy(value, { host, revisions });
}

/** Runs a command in a namespace, while everything else goes on. */
export async function runIn(
  { path }: Namespace,
  command: string,
  args: readonly string[],
  input = '',
): Promise<string> {
  const child = run('nsenter', [`--net=${path}`, '--', command, ...args]);
  child.child.stdin?.on('error', () => {}).end(input);
  return (await child).stdout;
}

/** No interface announces itself, and no bridge judges IP packets by itself. */
export function silence(namespace: Namespace): void {
  namespace.run('sh', [
    '-ec',
    `for kind in all default; do echo 1 > /proc/sys/net/ipv6/conf/$kind/disable_ipv6; done
     for tables in ip ip6 arp; do
       file=/proc/sys/net/bridge/bridge-nf-call-\${tables}tables
       [ ! -e $file ] || echo 0 > $file
     done`,
  ]);
}
