import { setTimeout as pause } from 'node:timers/promises';
import { type Store, StoreError } from '../../src/uncloud/index.ts';
import type { Host } from './host.ts';
import type { Latency } from './latency.ts';
import { now } from './probe.ts';
import type { Prober } from './prober.ts';
import type { Random } from './random.ts';
import { arrival, datagram, hostileFrames, PREFIX, recordOf, type Vm, vmOf, WEB } from './vm.ts';

/** What a manager works with. */
export interface ManagerOptions {
  readonly hosts: readonly Host[];
  readonly store: Store;
  readonly prober: Prober;
  readonly random: Random;
  readonly latency: Latency;
  /** VMs a host that come and go, and changes a second of all. */
  readonly guests: number;
  readonly rate: number;
}

/** How long a VM waits for its host's rules before it does without a port, in milliseconds. */
const PATIENCE = 3000;

const key = ({ id }: Vm) => `${PREFIX}vm/${id}`;

/** Creates, changes, moves and deletes VMs, as the manager of a cloud does. */
export class Manager {
  readonly #options: ManagerOptions;
  readonly #residents: Vm[] = [];
  #vms: Vm[] = [];
  /** Those whose record claims another's address: nothing may pass at their ports. */
  readonly #rogues = new Set<Vm>();
  #number = 0;
  #marks = 0;
  #working: Promise<void> | undefined;
  #isStopping = false;
  readonly done = new Map<string, number>();

  constructor(options: ManagerOptions) {
    this.#options = options;
  }

  /** Groups, a network, and two VMs on each host that stay: one of them may be reached at one port alone. */
  async begin(): Promise<void> {
    const { hosts, store, prober } = this.#options;
    await store.put(`${PREFIX}group/${WEB}`, this.#web(80));
    await store.put(`${PREFIX}network/virbr7`, this.#network(1));
    for (const { number } of hosts) {
      this.#residents.push(this.#make(number, [], true), this.#make(number, [WEB], true));
    }
    for (const vm of this.#residents) await store.put(key(vm), recordOf(vm));
    await Promise.all(this.#residents.map((vm) => this.#plug(vm, hosts[vm.host] as Host)));
    const plain = this.#residents.filter(({ groups }) => groups.length === 0);
    for (const [i, vm] of plain.entries()) {
      const to = plain[(i + 1) % plain.length] as Vm;
      prober.stream(vm.ifname, to.ifname, datagram(vm, to));
    }
    const { guests, random } = this.#options;
    for (let i = 0; i < hosts.length * guests; i++) await this.#create(random.between(0, hosts.length - 1));
  }

  /** One that can be reached at one port alone. */
  get web(): Vm {
    return this.#options.random.pick(this.#residents.filter(({ groups }) => groups.length > 0));
  }

  /** VMs that nobody moves or deletes while the manager rests. */
  get vms(): readonly Vm[] {
    return [...this.#residents, ...this.#vms];
  }

  /** Those whose record is good. */
  get good(): readonly Vm[] {
    return this.vms.filter((vm) => !this.#rogues.has(vm));
  }

  guestsOf(host: Host): Vm[] {
    return this.vms.filter((vm) => vm.host === host.number);
  }

  start(): void {
    this.#isStopping = false;
    this.#working ??= this.#work();
    // Who stops it hears of it.
    this.#working.catch(() => {});
  }

  /** Finishes what it is about. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    await this.#working;
    this.#working = undefined;
  }

  /** Puts a record that is no JSON in the place of a VM's. */
  async tear(vm: Vm): Promise<void> {
    const whole = recordOf(vm);
    await this.#options.store.put(key(vm), whole.slice(0, whole.length / 2));
  }

  async mend(vm: Vm): Promise<void> {
    await this.#options.store.put(key(vm), recordOf(vm));
  }

  /** Takes the ports of a host away, as when it loses its power; the VMs are still this host's. */
  async unplugAll(host: Host): Promise<void> {
    for (const vm of this.guestsOf(host)) await this.#unplug(vm, host);
  }

  async plugAll(host: Host): Promise<void> {
    await Promise.all(this.guestsOf(host).map((vm) => this.#plug(vm, host)));
  }

  async #work(): Promise<void> {
    const { rate } = this.#options;
    while (!this.#isStopping) {
      const start = performance.now();
      const [name, work] = this.#next();
      try {
        await work();
        this.done.set(name, (this.done.get(name) ?? 0) + 1);
      } catch (error) {
        // The store is away: a manager tries something else later. What it knows not, the store knows.
        if (!(error instanceof StoreError)) throw error;
        this.done.set('refused by the store', (this.done.get('refused by the store') ?? 0) + 1);
      }
      await pause(Math.max(1, 1000 / rate - (performance.now() - start)));
    }
  }

  #next(): [string, () => Promise<void>] {
    const { random, hosts, guests, store } = this.#options;
    const wanted = hosts.length * guests;
    const few = this.#vms.length < wanted * 0.8;
    const draw = random.between(0, few ? 3 : 19);
    const anywhere = () => random.between(0, hosts.length - 1);
    if (draw < 4) return ['create', () => this.#create(anywhere())];
    if (draw < 8 && this.#vms.length > 0) return ['delete', () => this.#delete(random.pick(this.#vms))];
    if (draw < 12 && this.#vms.length > 0)
      return ['migrate', () => this.#migrate(random.pick(this.#vms), anywhere())];
    if (draw < 17) return ['change addresses', () => this.#readdress()];
    if (draw === 17) {
      const port = random.between(80, 90);
      return ['change a group', async () => void (await store.put(`${PREFIX}group/${WEB}`, this.#web(port)))];
    }
    if (draw === 18) {
      const third = random.between(1, 9);
      return [
        'change a network',
        async () => void (await store.put(`${PREFIX}network/virbr7`, this.#network(third))),
      ];
    }
    return ['claim an address of another', () => this.#createRogue(anywhere())];
  }

  #make(host: number, groups: readonly string[], isResident = false): Vm {
    return vmOf(++this.#number, host, groups, isResident);
  }

  async #create(host: number): Promise<void> {
    const { random, hosts, store } = this.#options;
    const vm = this.#make(host, random.real() < 0.3 ? [WEB] : []);
    await store.put(key(vm), recordOf(vm));
    await this.#plug(vm, hosts[host] as Host);
    this.#vms.push(vm);
  }

  async #createRogue(host: number): Promise<void> {
    const { random, hosts, store } = this.#options;
    const victim = random.pick(this.#residents);
    const vm = { ...this.#make(host, []), ipv4: victim.ipv4 };
    this.#rogues.add(vm);
    await store.put(key(vm), recordOf(vm));
    await this.#plug(vm, hosts[host] as Host);
    this.#vms.push(vm);
  }

  async #delete(vm: Vm): Promise<void> {
    const { random, hosts, store } = this.#options;
    this.#vms = this.#vms.filter((one) => one !== vm);
    this.#rogues.delete(vm);
    const unplug = () => this.#unplug(vm, hosts[vm.host] as Host);
    if (random.real() < 0.5) {
      await unplug();
      await store.delete(key(vm));
    } else {
      try {
        await store.delete(key(vm));
      } finally {
        await unplug();
      }
    }
  }

  /** The port comes there and goes here; the store is not concerned. */
  async #migrate(vm: Vm, to: number): Promise<void> {
    if (vm.host === to) return;
    const { hosts, prober } = this.#options;
    const from = hosts[vm.host] as Host;
    if (!(await (hosts[to] as Host).knows(vm))) return;
    prober.remove(vm.ifname);
    vm.host = to;
    await this.#plug(vm, hosts[to] as Host);
    prober.send(vm.ifname, arrival(vm));
    if (from.has(vm)) await from.unplug(vm);
  }

  async #readdress(): Promise<void> {
    const { random, hosts, store, latency } = this.#options;
    const vm = random.pick(this.good);
    const mark = ++this.#marks;
    const address = `100.${64 + (mark >> 16)}.${(mark >> 8) & 255}.${mark & 255}`;
    vm.extra = [...vm.extra.slice(-1), address];
    latency.begin(
      address,
      hosts.map(({ number }) => number),
    );
    try {
      await store.put(key(vm), recordOf(vm));
    } catch (error) {
      latency.forget(address);
      throw error;
    }
  }

  async #plug(vm: Vm, host: Host): Promise<void> {
    const { prober, random } = this.#options;
    // A kernel that cannot tell which bridge a port is on lets two strangers talk: VMs wait for their rules.
    for (const limit = now() + PATIENCE; !(await host.knows(vm)); await pause(100)) if (now() > limit) return;
    const victims = this.#residents.filter((one) => one !== vm && one.ipv4 !== vm.ipv4);
    const web = this.#residents.find((one) => one.groups.length > 0 && one !== vm) ?? vm;
    const frames = hostileFrames(vm, random.pick(victims), web);
    await host.plug(vm, () => prober.add(vm.ifname, host.guests, host.number, frames));
  }

  async #unplug(vm: Vm, host: Host): Promise<void> {
    if (!host.has(vm)) return;
    this.#options.prober.remove(vm.ifname);
    await host.unplug(vm);
  }

  #web(port: number): string {
    const rule = { direction: 'in', action: 'accept', protocol: 'tcp', ports: [String(port)] };
    return JSON.stringify({ rules: [rule, { ...rule, protocol: 'udp', ports: ['5001'] }] });
  }

  #network(third: number): string {
    return JSON.stringify({ mode: 'nat', ipv4: `192.168.${third}.0/24` });
  }
}
