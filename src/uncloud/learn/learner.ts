import { setTimeout as pause } from 'node:timers/promises';
import type { Command, Connection, LogEvent, LoggedPacket } from '../../index.ts';
import { anyLinkLocal, type Block, blocksIn, overlap, ownable } from '../address.ts';
import type { Firewall } from '../firewall.ts';
import type { Host } from '../host.ts';
import { LEARN, LOGGED } from '../learn-rules.ts';
import { DHCP_CLIENT, DHCP_SERVER, parseDhcp } from './dhcp4.ts';
import { DHCP6_CLIENT, DHCP6_SERVER, parseDhcp6 } from './dhcp6.ts';
import { type LearningFigures, LearningPorts } from './figures.ts';
import { keyOf, learntInKernel } from './in-kernel.ts';
import { isReserved, LEARNING, type Learning } from './learning.ts';
import { type Lesson, teach, unlearn } from './lesson.ts';
import { type Datagram, datagramIn, macAt, sourceOf } from './packet.ts';
import { addressEntries, type LearningPort } from './port.ts';

/** What a {@link Learner} tells of. */
export type LearnEvent =
  | {
      readonly kind: 'learnt' | 'renewed' | 'forgotten' | 'refused';
      readonly vm: string;
      readonly ifname: string;
      readonly address: string;
      /** Of what is learnt: from a server's answer, or a first packet. */
      readonly by?: Lesson['by'];
      /** For how long; left out: until it is forgotten. */
      readonly seconds?: number;
      readonly why?: string;
    }
  /** Packets were lost: what they would have taught is learnt with the next renewal. */
  | { readonly kind: 'overrun' }
  /** It hears nothing for now, or the kernel did not take what it learnt. */
  | { readonly kind: 'failed'; readonly error: Error };

export interface LearnerOptions {
  /** To the network namespace that is guarded: the connection that the rules are put in force with. */
  readonly nft: Connection;
  readonly host: Pick<Host, 'learning'>;
  readonly tell?: (event: LearnEvent) => void;
  /** A clock in milliseconds that never goes back. */
  readonly now?: () => number;
}

/** How long a request may wait for its answer, in milliseconds, and how many of a port are remembered. */
const PATIENCE = 120_000;
const MOST_REQUESTS = 16;
/** A port's refusals are told no more often than this, in milliseconds. */
const SELDOM = 5000;
const RECEIVE_BUFFER = 8 << 20;
const [FIRST_WAIT, LONGEST_WAIT] = [1000, 30_000];
const ETHERNET_HEADER = 14;

/**
 * Learns the addresses of the ports that `learn` says to: from what DHCP servers answer them, or from their first
 * packets. What is learnt is an element of named sets, with the lease's time, each in one small transaction; it
 * outlives whoever runs this, and is read back from the kernel in the beginning.
 *
 * A server's answer counts if it comes from where it may (`learning.servers`; else from behind no port of a VM), is
 * for the port's own MAC, and answers what that port asked for. No address is learnt that another VM has, by its
 * record or because it learnt it earlier; a record that claims one later gets it.
 *
 * ```ts
 * const learner = new Learner({ nft, host, tell: console.log });
 * await apply(nft, firewall.rendering());
 * await learner.take(firewall);
 * await learner.run(signal); // and learner.take(firewall) whenever something else is in force
 * ```
 */
export class Learner {
  readonly #nft: Connection;
  readonly #learning: Learning;
  readonly #tell: (event: LearnEvent) => void;
  readonly #now: () => number;
  #firewall: Firewall | undefined;
  #needed: (() => void) | undefined;
  /** By port, then by address. */
  readonly #lessons = new Map<string, Map<string, Lesson>>();
  /** The port that has learnt an address, by scope and address. */
  readonly #owners = new Map<string, string>();
  /** Requests that wait for an answer, by port: until when. */
  readonly #requests = new Map<string, Map<string, number>>();
  readonly #refused = new Map<string, number>();
  readonly #ports = new LearningPorts();
  #refusals = 0;
  #unbelieved = 0;
  #turn: Promise<unknown> = Promise.resolve();

  constructor({ nft, host, tell = () => {}, now = () => performance.now() }: LearnerOptions) {
    this.#nft = nft;
    this.#learning = host.learning ?? LEARNING;
    this.#tell = tell;
    this.#now = now;
  }

  /** What is known just now. */
  get lessons(): readonly Lesson[] {
    const now = this.#now();
    return [...this.#lessons.values()]
      .flatMap((lessons) => [...lessons.values()])
      .filter(({ until }) => until > now);
  }

  /** Nothing where no port learns. */
  get figures(): LearningFigures | undefined {
    if (this.#ports.count === 0) return undefined;
    return {
      ports: this.#ports.count,
      addresses: this.lessons.length,
      refused: this.#refusals,
      unbelieved: this.#unbelieved,
    };
  }

  /**
   * Takes notice of what is in force. What a VM has learnt and may not have any more is taken from it; what the
   * kernel lost is put back.
   *
   * @param vms - the VMs whose records changed, where that is all that may be different
   * @throws what reading the kernel or a transaction throws
   */
  take(firewall: Firewall, vms?: Iterable<string>): Promise<void> {
    return this.#inTurn(async () => {
      this.#firewall = firewall;
      if (!firewall.learns) return this.#forgetAll();
      this.#needed?.();
      this.#ports.take(firewall, vms);
      await (vms === undefined ? this.#compare(firewall) : this.#review(firewall, new Set(vms)));
    });
  }

  /** Listens until `signal` is aborted. What is learnt stays. */
  async run(signal: AbortSignal): Promise<void> {
    const wake = () => this.#needed?.();
    signal.addEventListener('abort', wake, { once: true });
    for (let wait = FIRST_WAIT; ; ) {
      while (!this.#firewall?.learns && !signal.aborted) {
        await new Promise<void>((resolve) => {
          this.#needed = resolve;
        });
      }
      signal.throwIfAborted();
      try {
        const { group } = this.#learning;
        const options = { group, range: LOGGED, receiveBuffer: RECEIVE_BUFFER, signal };
        using events = this.#nft.logged(options);
        wait = FIRST_WAIT;
        for await (const event of events) await this.#inTurn(() => this.#hear(event));
      } catch (error) {
        signal.throwIfAborted();
        this.#tell({ kind: 'failed', error: error as Error });
      }
      await pause(wait, undefined, { signal });
      wait = Math.min(2 * wait, LONGEST_WAIT);
    }
  }

  /** One thing at a time. */
  #inTurn(work: () => Promise<void>): Promise<void> {
    const turn = this.#turn.then(work);
    this.#turn = turn.catch(() => {});
    return turn;
  }

  async #hear(event: LogEvent): Promise<void> {
    if (event.overrun) {
      this.#tell({ kind: 'overrun' });
      return;
    }
    try {
      await this.#read(event);
    } catch (error) {
      this.#tell({ kind: 'failed', error: error as Error });
    }
  }

  async #read(packet: LoggedPacket): Promise<void> {
    const { prefix, family, hook, hwaddr, hwheader, protocol } = packet;
    const isTo = prefix === LEARN.answered;
    const device = isTo ? (packet.physoutdev ?? packet.outdev) : (packet.physindev ?? packet.indev);
    const port = device?.name === undefined ? undefined : this.#firewall?.learning(device.name);
    if (port === undefined) return;
    const isEgress = family === 'netdev' && hook === 'egress';
    const network = isEgress ? packet.payload.subarray(ETHERNET_HEADER) : packet.payload;
    if (isTo) {
      const sender = isEgress ? macAt(packet.payload, 6) : undefined;
      // Elsewhere the rule knows the port that a frame came in through.
      const isVm = sender !== undefined && this.#firewall?.ownerOf(sender) !== undefined;
      if (isVm && this.#learning.servers === undefined) {
        this.#unbelieved++;
        return;
      }
      return this.#answered(port, datagramIn(protocol, network), device?.index);
    }
    const sender = hwaddr ?? (hwheader && macAt(hwheader, 6));
    if (sender !== port.nic.mac) return;
    if (prefix === LEARN.asked) return this.#asked(port, datagramIn(protocol, network));
    const address = port.nic.learn === 'any' ? sourceOf(protocol, network, port.nic.mac) : undefined;
    if (prefix !== LEARN.unknown || address === undefined || address.value === 0n) return;
    await this.#learn(
      port,
      address,
      this.#learning.timeout ?? Number.POSITIVE_INFINITY,
      'any',
      device?.index,
    );
  }

  /** A client asks for addresses, or gives some back. */
  async #asked(port: LearningPort, datagram: Datagram | undefined): Promise<void> {
    if (datagram?.family === 'ip' && datagram.port === DHCP_SERVER) {
      const message = parseDhcp(datagram.data);
      if (!message || message.isReply || message.mac !== port.nic.mac) return;
      const { type, transaction, has, requested } = message;
      if (type === 'request' || type === 'discover') this.#remember(port, `4 ${transaction}`);
      if (type === 'release' && has) await this.#forget(port, [has], 'released');
      if (type === 'decline' && requested) await this.#forget(port, [requested], 'declined');
    } else if (datagram?.family === 'ip6' && datagram.port === DHCP6_SERVER) {
      const message = parseDhcp6(datagram.data);
      if (!message) return;
      const { type, transaction } = message;
      const addresses = message.addresses.map(({ address }) => address);
      if (type === 'solicit' || type === 'request' || type === 'renew' || type === 'rebind')
        this.#remember(port, `6 ${transaction}`);
      if (type === 'release') await this.#forget(port, addresses, 'released');
      if (type === 'decline') await this.#forget(port, addresses, 'declined');
    }
  }

  /** A server that may answers a client. */
  async #answered(
    port: LearningPort,
    datagram: Datagram | undefined,
    index: number | undefined,
  ): Promise<void> {
    if (datagram?.family === 'ip' && datagram.port === DHCP_CLIENT) {
      const message = parseDhcp(datagram.data);
      if (!message?.isReply || message.type !== 'ack' || message.mac !== port.nic.mac) return;
      const { given, lease = 0, transaction } = message;
      if (!given || lease === 0 || !this.#isAwaited(port, `4 ${transaction}`)) return;
      await this.#learn(port, given, lease, 'dhcp', index);
    } else if (datagram?.family === 'ip6' && datagram.port === DHCP6_CLIENT) {
      const message = parseDhcp6(datagram.data);
      if (message?.type !== 'reply' || !this.#isAwaited(port, `6 ${message.transaction}`)) return;
      for (const { address, lease } of message.addresses) {
        if (lease === 0) await this.#forget(port, [address], 'withdrawn');
        else await this.#learn(port, address, lease, 'dhcp', index);
      }
    }
  }

  #remember({ nic }: LearningPort, request: string): void {
    let requests = this.#requests.get(nic.ifname);
    if (!requests) this.#requests.set(nic.ifname, (requests = new Map()));
    requests.delete(request);
    requests.set(request, this.#now() + PATIENCE);
    const [oldest] = requests.keys();
    if (requests.size > MOST_REQUESTS && oldest !== undefined) requests.delete(oldest);
  }

  #isAwaited({ nic }: LearningPort, request: string): boolean {
    const isSo = (this.#requests.get(nic.ifname)?.get(request) ?? 0) > this.#now();
    if (!isSo) this.#unbelieved++;
    return isSo;
  }

  async #learn(
    port: LearningPort,
    address: Block,
    seconds: number,
    by: Lesson['by'],
    index: number | undefined,
  ): Promise<void> {
    const { vm, nic } = port;
    if (isOwn(port, address)) return;
    this.#expire();
    const mine = this.#lessons.get(nic.ifname) ?? new Map<string, Lesson>();
    const known = mine.get(address.text);
    if (known && by === 'any') return;
    const why = this.#objection(port, address);
    if (why !== undefined) return this.#refuse(port, address, why);
    const most = address.family === 'ip' ? this.#learning.ipv4 : this.#learning.ipv6;
    const others = [...mine.values()].filter((one) => one.address.family === address.family && one !== known);
    if (others.length >= most && by === 'any')
      return this.#refuse(port, address, `no more than ${most} of its family are learnt`);
    // A server knows better: what is forgotten soonest makes room.
    const gone = others.sort((a, b) => a.until - b.until).slice(0, Math.max(0, others.length - most + 1));
    const entries = port.entriesOf(address);
    const commands = [
      ...gone.flatMap((one) => unlearn(one.entries)),
      ...teach(entries, seconds, known !== undefined),
    ];
    await this.#nft.commit(commands);
    for (const one of gone) this.#drop(one, 'another one took its place');
    const { ifname, mac } = nic;
    const until = this.#now() + 1000 * seconds;
    this.#keep({ vm, ifname, mac, address, scope: port.scopeOf(address), by, until, index, entries });
    const time = Number.isFinite(seconds) ? { seconds } : {};
    const kind = known ? 'renewed' : 'learnt';
    this.#tell({ kind, vm, ifname, address: address.text, by, ...time });
  }

  /** Why a port may not learn an address. */
  #objection(port: LearningPort, address: Block): string | undefined {
    const isNobodys = ownableWhy(address);
    if (isNobodys !== undefined) return isNobodys;
    if (isReserved(this.#learning, address)) return 'it is reserved';
    // Routers are known by them, before anybody could say so.
    if (overlap(anyLinkLocal, address)) return 'linkLocal says which link-local addresses it has';
    const owner = port.otherOwner(address);
    if (owner !== undefined) return `it belongs to VM ${owner}`;
    const learner = this.#owners.get(`${port.scopeOf(address)} ${address.text}`);
    if (learner !== undefined && learner !== port.nic.ifname) return `${learner} has learnt it before`;
    return undefined;
  }

  #refuse({ vm, nic: { ifname } }: LearningPort, { text }: Block, why: string): void {
    this.#refusals++;
    const now = this.#now();
    if ((this.#refused.get(ifname) ?? 0) > now) return;
    this.#refused.set(ifname, now + SELDOM);
    this.#tell({ kind: 'refused', vm, ifname, address: text, why });
  }

  async #forget({ nic }: LearningPort, addresses: readonly Block[], why: string): Promise<void> {
    const mine = this.#lessons.get(nic.ifname);
    const lessons = addresses.flatMap(({ text }) => mine?.get(text) ?? []);
    await this.#take(lessons.map((lesson) => ({ lesson, why })));
  }

  /** Takes lessons back. */
  async #take(gone: readonly { readonly lesson: Lesson; readonly why: string }[]): Promise<void> {
    if (gone.length === 0) return;
    await this.#nft.commit(gone.flatMap(({ lesson }) => unlearn(lesson.entries)));
    for (const { lesson, why } of gone) this.#drop(lesson, why);
  }

  #keep(lesson: Lesson): void {
    const { ifname, address, scope } = lesson;
    let mine = this.#lessons.get(ifname);
    if (!mine) this.#lessons.set(ifname, (mine = new Map()));
    mine.set(address.text, lesson);
    this.#owners.set(`${scope} ${address.text}`, ifname);
  }

  #drop({ vm, ifname, address, scope }: Lesson, why: string): void {
    const mine = this.#lessons.get(ifname);
    mine?.delete(address.text);
    if (mine?.size === 0) this.#lessons.delete(ifname);
    this.#owners.delete(`${scope} ${address.text}`);
    this.#tell({ kind: 'forgotten', vm, ifname, address: address.text, why });
  }

  /** What the kernel has forgotten by itself. */
  #expire(): void {
    const now = this.#now();
    for (const lessons of [...this.#lessons.values()]) {
      for (const lesson of [...lessons.values()])
        if (lesson.until <= now) this.#drop(lesson, 'its time is up');
    }
  }

  /** The rules are gone, and their sets with them. */
  #forgetAll(): void {
    for (const lessons of [...this.#lessons.values()]) {
      for (const lesson of [...lessons.values()]) this.#drop(lesson, 'nobody learns any more');
    }
    this.#requests.clear();
    this.#ports.clear();
  }

  /** Why a lesson does not hold any more. */
  #fault(firewall: Firewall, { ifname, vm, mac, address, scope }: Lesson): string | undefined {
    const port = firewall.learning(ifname);
    if (!port || port.vm !== vm || port.nic.mac !== mac || port.scopeOf(address) !== scope)
      return 'the port does not learn any more';
    if (isOwn(port, address)) return 'its record has it';
    return this.#objection(port, address);
  }

  /** Looks at what some VMs have learnt, and at who has learnt what they claim now. */
  async #review(firewall: Firewall, vms: ReadonlySet<string>): Promise<void> {
    this.#expire();
    const claimed = [...vms].flatMap((id) => {
      const { ipv4 = [], ipv6 = [], nics = [] } = firewall.vms.get(id) ?? {};
      return [ipv4, ipv6, ...nics.flatMap((nic) => [nic.ipv4, nic.ipv6])].flatMap((texts) => blocksIn(texts));
    });
    const gone = this.lessons.flatMap((lesson) => {
      const concerned = vms.has(lesson.vm) || claimed.some((block) => overlap(block, lesson.address));
      const why = concerned ? this.#fault(firewall, lesson) : undefined;
      return why === undefined ? [] : [{ lesson, why }];
    });
    await this.#take(gone);
  }

  /** Compares everything with the kernel: what it has is believed, what it lost is put back. */
  async #compare(firewall: Firewall): Promise<void> {
    this.#expire();
    const there = await learntInKernel(this.#nft);
    const strangers: Command[] = [];
    for (const { family, ifname, mac, address, seconds } of there.values()) {
      const port = firewall.learning(ifname);
      const known = this.#lessons.get(ifname)?.get(address.text);
      if (known?.mac === mac) continue;
      const isHeld =
        port?.nic.mac === mac && !isOwn(port, address) && this.#objection(port, address) === undefined;
      if (!port || !isHeld) {
        strangers.push(...unlearn(addressEntries(family, { ifname, mac }, address)));
        continue;
      }
      this.#keep({
        ...{ vm: port.vm, ifname, mac, address, scope: port.scopeOf(address), index: undefined },
        by: port.nic.learn === 'any' && seconds === Number.POSITIVE_INFINITY ? 'any' : 'dhcp',
        until: this.#now() + 1000 * seconds,
        entries: port.entriesOf(address),
      });
    }
    if (strangers.length > 0) await this.#nft.commit(strangers);
    const indices = new Map((await this.#nft.interfaces()).map(({ name, index }) => [name, index]));
    const gone = this.lessons.flatMap((lesson) => {
      const why = this.#fault(firewall, lesson) ?? departure(lesson, indices);
      return why === undefined ? [] : [{ lesson, why }];
    });
    await this.#take(gone);
    const lost = this.lessons.filter(
      (lesson) => !there.has(keyOf(lesson.ifname, lesson.mac, lesson.address)),
    );
    const now = this.#now();
    const again = lost.flatMap(({ entries, until }) => teach(entries, (until - now) / 1000, true));
    if (again.length > 0) await this.#nft.commit(again);
  }
}

/** A first packet teaches until its port goes; a lease has its time. */
function departure({ by, ifname, index }: Lesson, indices: ReadonlyMap<string, number>): string | undefined {
  if (by !== 'any') return undefined;
  const now = indices.get(ifname);
  return now === undefined || (index !== undefined && index !== now) ? 'the port is gone' : undefined;
}

function isOwn({ port }: LearningPort, address: Block): boolean {
  return port[address.family].some((block) => overlap(block, address));
}

/** Why nobody may own an address. */
function ownableWhy({ family, text, length }: Block): string | undefined {
  try {
    ownable(`${text}/${length}`, family);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}
