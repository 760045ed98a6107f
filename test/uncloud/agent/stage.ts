import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { type Connection, connect } from '../../../src/index.ts';
import { DirectoryStore, TABLE } from '../../../src/uncloud/index.ts';
import { Prober } from '../../simulation/prober.ts';
import { type Bundle, bundle } from '../../simulation/program.ts';
import { BRIDGE, hostileFrames, PREFIX, recordOf, vmOf, WEB } from '../../simulation/vm.ts';
import { PacketSocket } from '../../support/frames/packet-socket.ts';
import { Rig } from '../../support/frames/rig.ts';

export const description = { bridges: { [BRIDGE]: { uplinks: ['up0'] } }, sets: 'named' };

/** Two VMs that do not trust each other; one of them may be reached at one port alone. */
export const [attacker, web] = [vmOf(1, 0, [], true), vmOf(2, 0, [WEB], true)];
const both = [attacker, web];
const rule = { direction: 'in', action: 'accept', protocol: 'udp', ports: ['5001'] };

/** One host with a bridge and two VMs, a store in a directory, an agent in a process of its own, and hostile frames. */
export class Stage implements AsyncDisposable {
  readonly rig: Rig;
  readonly nft: Connection;
  readonly store: DirectoryStore;
  readonly prober: Prober;
  /** What goes with it; the store's directory; where the agent keeps its snapshot. */
  readonly home: string;
  readonly directory: string;
  readonly states: string;
  readonly #program: Bundle;
  #agent: ChildProcess | undefined;
  #log = '';

  /** @param hostilePerSecond - from each VM against the other, once {@link plug}ged */
  static async build(hostilePerSecond: number): Promise<Stage> {
    const home = await mkdtemp(join(tmpdir(), 'nftjs-stage-'));
    const rig = await Rig.build({ [BRIDGE]: { ports: [attacker.ifname, web.ifname, 'up0'] } });
    const stage = new Stage(home, rig, await bundle(), hostilePerSecond);
    await mkdir(stage.directory);
    await mkdir(stage.states);
    await writeFile(join(home, 'host.json'), JSON.stringify(description));
    await stage.store.put(`${PREFIX}group/${WEB}`, JSON.stringify({ rules: [rule] }));
    for (const vm of both) await stage.store.put(`${PREFIX}vm/${vm.id}`, recordOf(vm));
    stage.unplug();
    return stage;
  }

  private constructor(home: string, rig: Rig, program: Bundle, hostilePerSecond: number) {
    this.home = home;
    this.directory = join(home, 'store');
    this.states = join(home, 'states');
    this.rig = rig;
    this.#program = program;
    this.nft = connect({ netns: rig.netns });
    this.store = new DirectoryStore(this.directory);
    this.prober = new Prober(hostilePerSecond, 0);
  }

  get state(): string {
    return join(this.states, 'state');
  }

  /** Has the ports on the bridge, and hostile frames sent from both. */
  async plug(): Promise<void> {
    for (const vm of both)
      await this.prober.add(
        vm.ifname,
        this.rig.outside,
        0,
        hostileFrames(vm, vm === web ? attacker : web, web),
      );
    this.#ports(`master ${BRIDGE}`);
  }

  unplug(): void {
    this.#ports('nomaster');
  }

  start(...more: string[]): void {
    const args = ['uncloud', 'agent', '--host', join(this.home, 'host.json'), '--name', 'here'];
    const where = ['--netns', this.rig.netns, '--store', `dir:${this.directory}`, '--state', this.state];
    this.#agent = spawn(
      'setpriv',
      ['--pdeathsig', 'KILL', process.execPath, this.#program.main, ...args, ...where, ...more],
      { stdio: ['ignore', 'ignore', 'pipe'] },
    );
    this.#agent.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#log = (this.#log + text).slice(-4000);
    });
  }

  /** What agents have said lately. */
  get log(): string {
    return this.#log;
  }

  async kill(): Promise<void> {
    const child = this.#agent;
    this.#agent = undefined;
    child?.kill('SIGKILL');
    if (child && child.exitCode === null && child.signalCode === null)
      await new Promise((resolve) => child.once('exit', resolve));
  }

  /** Whether the rules of both VMs are there. */
  async isGuarded(): Promise<boolean> {
    const ruleset = await this.nft.list({ family: 'bridge', table: TABLE }).catch(() => undefined);
    const text = JSON.stringify(ruleset ?? '');
    return both.every(({ mac, ifname }) => text.includes(mac) && text.includes(`"${ifname}"`));
  }

  async until(what: string, isSo: () => Promise<boolean>): Promise<void> {
    for (const limit = Date.now() + 60_000; !(await isSo()); await pause(20))
      assert.ok(Date.now() < limit, `not within 60 s: ${what}`);
  }

  /** Whether a frame that the attacker may send arrives at the web server. */
  passes(frame: Buffer): boolean {
    using card = new PacketSocket(this.rig.outside, web.ifname);
    using other = new PacketSocket(this.rig.outside, attacker.ifname, 'send');
    other.send(frame);
    for (let seen = card.receive(2000); seen; seen = card.receive(2000)) if (seen.equals(frame)) return true;
    return false;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    await this.prober[Symbol.asyncDispose]();
    await this.nft[Symbol.asyncDispose]();
    await this.store.close();
    this.rig.close();
    this.#program[Symbol.dispose]();
    await rm(this.home, { recursive: true, force: true });
  }

  #ports(what: string): void {
    const lines = both.map(({ ifname }) => `link set ${ifname} ${what}\n`);
    this.rig.run('ip', ['-batch', '-'], lines.join(''));
  }
}
