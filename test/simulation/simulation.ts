import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { EtcdStore } from '../../src/uncloud/index.ts';
import { startEtcd } from '../support/etcd.ts';
import { Namespace } from '../support/frames/namespace.ts';
import { type Fault, faults, type Scene } from './faults.ts';
import { Host, silence } from './host.ts';
import { Latency, type Summary, summary } from './latency.ts';
import { Manager } from './manager.ts';
import { type Leak, now } from './probe.ts';
import { Prober } from './prober.ts';
import { bundle } from './program.ts';
import { Random } from './random.ts';
import { outsideFrames, PREFIX } from './vm.ts';

export interface SimulationOptions {
  readonly hosts: number;
  readonly seconds: number;
  readonly seed: number;
  /** VMs a host that come and go, beside the two that stay. */
  readonly guests: number;
  /** Changes a second, of all hosts. */
  readonly rate: number;
  /** Hostile frames a second. */
  readonly frames: number;
  /** Seconds that hosts may take after a fault. */
  readonly limit: number;
  /** How much shorter faults are than in the long run: 1, or less. */
  readonly scale: number;
  readonly signal: AbortSignal;
  readonly say: (line: string) => void;
}

export interface FaultReport {
  readonly fault: string;
  readonly what: string;
  /** Seconds from the fault's end until every host was equal to the store; nothing where that took too long. */
  readonly recovered: number | undefined;
}

export interface Check {
  readonly name: string;
  readonly isMet: boolean;
  readonly detail: string;
}

export interface SimulationReport {
  readonly options: {
    readonly hosts: number;
    readonly seconds: number;
    readonly seed: number;
    readonly rate: number;
  };
  readonly seconds: number;
  readonly faults: readonly FaultReport[];
  /** Milliseconds from put to enforced, while nothing is at fault: a host by itself, and the last of all. */
  readonly latency: { readonly each: Summary; readonly last: Summary };
  /** Milliseconds from a flush until the rules are back. */
  readonly healed: Summary;
  readonly frames: {
    readonly hostile: number;
    readonly passed: number;
    /** While somebody else had taken the rules away. */
    readonly passedFlushed: number;
    readonly legitimate: number;
    readonly lost: number;
  };
  /** Mean of all agents: bytes of memory, and processor time as a share of one. */
  readonly agents: { readonly memory: number; readonly processor: number };
  readonly changes: Readonly<Record<string, number>>;
  readonly vms: number;
  readonly checks: readonly Check[];
}

const CONTROL = 'control';
const STORE_ADDRESS = '10.99.0.1';
/** How long a host that is not equal to the store is waited for before that is called hopeless, in seconds. */
const HOPELESS = 60;
/** Slack of two clocks that are read at different places, in milliseconds. */
const SLACK = 5;

interface Exposure {
  readonly host: number;
  readonly from: number;
  /** When the rules went: what the agent did before was not its answer. */
  flushed: number | undefined;
  until: number;
}

/** Builds everything, lets it happen, and reports; nothing of it is left, whatever happens. */
export async function simulation(options: SimulationOptions): Promise<SimulationReport> {
  const home = mkdtempSync(join(tmpdir(), 'nftjs-simulation-'));
  await using _home = deferred(() => rmSync(home, { recursive: true, force: true }));
  using program = await bundle();
  const ip = (...args: string[]) => execFileSync('ip', args);
  ip('link', 'set', 'lo', 'up');
  ip('link', 'add', CONTROL, 'type', 'bridge', 'stp_state', '0');
  ip('address', 'add', `${STORE_ADDRESS}/16`, 'dev', CONTROL);
  ip('link', 'set', CONTROL, 'up');
  await using _control = deferred(() => void ip('link', 'delete', CONTROL));
  await using etcd = await startEtcd({ address: STORE_ADDRESS });
  await using store = new EtcdStore(etcd.options);

  using fabric = new Namespace();
  using outside = new Namespace();
  for (const namespace of [fabric, outside]) silence(namespace);
  fabric.run(
    'ip',
    ['-batch', '-'],
    `link add sw0 type bridge stp_state 0 mcast_snooping 0
link set sw0 up
link add out0 type veth peer name out0 netns ${outside.path}
link set out0 master sw0 up
`,
  );
  outside.run('ip', ['link', 'set', 'out0', 'up']);

  options.say(`building ${options.hosts} hosts`);
  const hosts: Host[] = [];
  await using _hosts = deferred(() => Promise.all(hosts.map((host) => host[Symbol.asyncDispose]())));
  for (let number = 0; number < options.hosts; number++) {
    options.signal.throwIfAborted();
    hosts.push(
      await Host.build({
        number,
        home,
        bundle: program,
        fabric,
        control: CONTROL,
        store: `etcd://${new URL(etcd.endpoint).host}`,
        address: `10.99.${1 + (number >> 8)}.${number & 255}`,
      }),
    );
  }
  await using prober = new Prober(options.frames, 10);
  const random = new Random(options.seed);
  await using latency = new Latency();
  const { guests, rate } = options;
  const manager = new Manager({ hosts, store, prober, random, latency, guests, rate });
  await using _manager = deferred(() => manager.stop());
  return await new Run({ ...options, hosts, etcd, store, prober, random, latency, manager, outside }).go();
}

/** What is done in the end, however that comes. */
function deferred(work: () => unknown): AsyncDisposable {
  return { [Symbol.asyncDispose]: async () => void (await work()) };
}

interface World
  extends Omit<SimulationOptions, 'hosts'>,
    Pick<Scene, 'hosts' | 'etcd' | 'store' | 'random' | 'manager'> {
  readonly prober: Prober;
  readonly latency: Latency;
  readonly outside: Namespace;
}

class Run {
  readonly #world: World;
  readonly #exposures: Exposure[] = [];
  readonly #healed: number[] = [];
  readonly #faults: FaultReport[] = [];
  readonly #complaints: string[] = [];

  constructor(world: World) {
    this.#world = world;
  }

  async go(): Promise<SimulationReport> {
    const { hosts, manager, prober, latency, outside, say, seconds, seed, rate, signal } = this.#world;
    for (const host of hosts) {
      host.onCommit = (event, at) => {
        if (event.overrun) return;
        latency.announced(host.number, event.generation, at);
        if (event.process?.name === 'nft') this.#flushed(host, at);
        else this.#heal(host, at);
      };
    }
    const begun = now();
    for (const host of hosts) host.start();
    await this.#until(async () => (await Promise.all(hosts.map((host) => host.hasRules()))).every(Boolean));
    say(`all agents deny after ${((now() - begun) / 1000).toFixed(1)} s; VMs come`);
    await manager.begin();
    await prober.add('out0', outside.path, hosts.length, outsideFrames(manager.web), false);
    await this.#settle();
    say(`${manager.vms.length} VMs on ${hosts.length} hosts; faults begin`);

    const start = now();
    const costs = hosts.map((host) => host.cost()?.processor ?? 0);
    const quiet = await this.#calm(2000);
    const processor =
      hosts.reduce((sum, host, i) => sum + (host.cost()?.processor ?? 0) - (costs[i] ?? 0), 0) /
      hosts.length /
      (quiet / 1000);
    let bag: string[] = [];
    for (let isFirst = true; isFirst || now() - start < seconds * 1000; ) {
      if (bag.length === 0) bag = this.#world.random.shuffled(Object.keys(faults));
      const name = bag.pop() as string;
      await this.#fault(name, faults[name] as Fault);
      signal.throwIfAborted();
      await this.#calm(1500 * this.#world.scale);
      if (bag.length === 0) isFirst = false;
    }
    await manager.stop();
    await this.#settle();
    await pause(300);
    const memory = hosts.reduce((sum, host) => sum + (host.cost()?.memory ?? 0), 0) / hosts.length;
    const { hostileSent, leaks, streamSent, streamSeen } = await prober.report();
    const passed = leaks.filter((leak) => !this.#isExposed(leak));
    const frames = {
      hostile: hostileSent,
      passed: passed.length,
      passedFlushed: leaks.length - passed.length,
      legitimate: streamSent,
      lost: streamSent - streamSeen,
    };
    const measured = { each: summary(latency.each), last: summary(latency.last) };
    return {
      options: { hosts: hosts.length, seconds, seed, rate },
      seconds: (now() - start) / 1000,
      faults: this.#faults,
      latency: measured,
      healed: summary(this.#healed),
      frames,
      agents: { memory, processor },
      changes: Object.fromEntries(manager.done),
      vms: manager.vms.length,
      checks: this.#checks(frames, measured.each, passed),
    };
  }

  #checks(frames: SimulationReport['frames'], each: Summary, passed: readonly Leak[]): Check[] {
    const { limit, hosts } = this.#world;
    const slow = this.#faults.filter(({ recovered }) => recovered === undefined || recovered > limit);
    const ended = hosts.flatMap((host) => host.ended);
    const check = (name: string, isMet: boolean, detail = ''): Check => ({ name, isMet, detail });
    return [
      check(
        `after each fault every host is as the store says within ${limit} s`,
        slow.length === 0,
        slow.map(({ fault, recovered }) => `${fault}: ${recovered?.toFixed(1) ?? 'never'}`).join('; '),
      ),
      check(
        'no hostile frame passes',
        passed.length === 0,
        passed
          .slice(0, 5)
          .map((leak) => JSON.stringify(leak))
          .join('; '),
      ),
      check('hostile frames were sent all the time', frames.hostile > 0),
      check(
        'legitimate frames arrive, 99 of 100 at least',
        frames.legitimate > 0 && frames.lost <= frames.legitimate / 100,
        `${frames.lost} of ${frames.legitimate} lost`,
      ),
      check(
        'tables and routes of others are byte for byte what they were, and records that are torn change no rule',
        this.#complaints.length === 0,
        this.#complaints.slice(0, 3).join('; '),
      ),
      check('no agent ends by itself', ended.length === 0, ended.slice(0, 3).join('; ')),
      check(
        'put to enforced: p50 under 150 ms, p99 under 500 ms',
        each.p50 < 150 && each.p99 < 500,
        `p50 ${each.p50.toFixed(0)}, p99 ${each.p99.toFixed(0)} of ${each.count}`,
      ),
    ];
  }

  async #fault(name: string, fault: Fault): Promise<void> {
    const { hosts, etcd, store, manager, random, limit, scale, say } = this.#world;
    manager.start();
    const scene: Scene = {
      ...{ hosts, etcd, store, manager, random, scale },
      complaints: this.#complaints,
      expose: (host) =>
        void this.#exposures.push({
          host: host.number,
          from: now() - SLACK,
          flushed: undefined,
          until: Infinity,
        }),
      settle: async () => void (await this.#settle()),
    };
    const what = await fault(scene);
    const end = now();
    await manager.stop();
    let recovered: number | undefined;
    try {
      recovered = ((await this.#settle()) - end) / 1000;
    } catch (error) {
      if (!(error instanceof HopelessError)) throw error;
      this.#complaints.push(error.message);
    }
    this.#faults.push({ fault: name, what, recovered });
    const mark = recovered !== undefined && recovered <= limit ? ' ' : '!';
    say(`${mark} ${name.padEnd(24)} ${recovered?.toFixed(2).padStart(6) ?? ' never'} s  ${what}`);
    for (const wrong of await Promise.all(hosts.map((host) => host.foreignDifference())))
      if (wrong !== undefined) this.#complaints.push(wrong);
    // Its end is what the host's own agent did; where that was not seen, now it is sure.
    for (const exposure of this.#exposures) exposure.until = Math.min(exposure.until, now());
  }

  /** Lets the manager work while nothing is at fault. @returns for how many milliseconds */
  async #calm(milliseconds: number): Promise<number> {
    const { hosts, manager, latency } = this.#world;
    const start = now();
    await latency.open(hosts.map(({ number, netns }) => [number, netns]));
    manager.start();
    await pause(milliseconds);
    await manager.stop();
    latency.rest();
    await this.#until(async () => latency.pending === 0, 10).catch((error) => {
      this.#complaints.push(`a change did not arrive everywhere: ${error}`);
    });
    await latency.close();
    return now() - start;
  }

  /** @returns when pictures were taken on which every host is as the store says */
  async #settle(): Promise<number> {
    const { hosts, store } = this.#world;
    const { entries } = await store.list(PREFIX);
    const records = entries.filter(({ key }) => !key.endsWith('/status'));
    let rest: readonly Host[] = hosts;
    let wrong: (string | undefined)[] = [];
    let at = now();
    await this.#until(async () => {
      // Pictures first: how long this process compares them is not the hosts' time.
      const pictures = await Promise.all(
        rest.map((host) => host.picture().catch((error) => `${host.name}: ${error}`)),
      );
      at = now();
      wrong = await Promise.all(
        rest.map((host, i) => {
          const picture = pictures[i];
          return typeof picture === 'object' ? host.difference(records, picture).catch(String) : picture;
        }),
      );
      rest = rest.filter((_, i) => wrong[i] !== undefined);
      return rest.length === 0;
    }, HOPELESS).catch((error) => {
      if (!(error instanceof HopelessError)) throw error;
      throw new HopelessError(`${wrong.filter((one) => one !== undefined).join('; ')} ${rest[0]?.log}`);
    });
    return at;
  }

  async #until(isSo: () => Promise<boolean>, limit = HOPELESS): Promise<void> {
    const { signal } = this.#world;
    for (const end = now() + limit * 1000; !(await isSo()); await pause(50)) {
      signal.throwIfAborted();
      if (now() > end) throw new HopelessError(`not within ${limit} s`);
    }
  }

  #flushed({ number }: Host, at: number): void {
    for (const exposure of this.#exposures)
      if (exposure.host === number && exposure.until === Infinity) exposure.flushed ??= at;
  }

  #heal({ number }: Host, at: number): void {
    for (const exposure of this.#exposures) {
      if (exposure.host !== number || exposure.until !== Infinity || exposure.flushed === undefined) continue;
      exposure.until = at + SLACK;
      this.#healed.push(at - exposure.flushed);
    }
  }

  #isExposed({ from, to, sent, seen }: Leak): boolean {
    return this.#exposures.some(
      ({ host, from: start, until }) => (host === from || host === to) && seen >= start && sent <= until,
    );
  }
}

class HopelessError extends Error {
  override readonly name = 'HopelessError';
}
