import { constants } from 'node:os';
import { basename } from 'node:path';
import { generation, MESSAGE, TABLE_FLAGS } from '../message/index.ts';
import { errnoNumber } from '../netlink/errno.ts';
import { type Feature, NetlinkSocketError, type NetworkInterface } from '../netlink/index.ts';
import { COMMITS } from '../netlink/monitor.ts';
import type { SubscriptionOptions } from '../netlink/subscription.ts';
import type { Commands } from '../transaction/index.ts';
import type { Host } from './batch.ts';
import { FakeConnection } from './fake-connection.ts';
import { refusalOf } from './features.ts';
import { linkMessages } from './links.ts';
import { MessageWriter } from './netlink-message.ts';
import { type FakePacket, packetMessage } from './packet-log.ts';
import type { State } from './state.ts';
import { FakeSubscription } from './subscription.ts';
import { FakeTransport, type Injected } from './transport.ts';

/** TASK_COMM_LEN, without the end. */
const LONGEST_NAME = 15;

/** What a fake kernel is like. */
export interface FakeKernelOptions {
  /** The network interfaces; `lo` alone by default. */
  readonly interfaces?: readonly NetworkInterface[];
  /** What it lacks of what not every kernel has; nothing by default. */
  readonly without?: readonly Feature[];
  /** The time in milliseconds, by which elements expire; `Date.now` by default. */
  readonly now?: () => number;
}

/** A transaction that took effect. */
export interface FakeCommit {
  readonly commands: Commands;
  /** The generation that it began. */
  readonly generation: number;
  readonly connection: FakeConnection;
}

/** How a transaction is to fail. */
export interface Failure {
  /** As `EBUSY`. */
  readonly code: string;
  /** The index of the command that is to blame; without it, the transaction as a whole is refused. */
  readonly operation?: number;
  /** The kernel's own words. */
  readonly message?: string;
}

/** An nf_tables in memory, to which any number of connections can be opened. */
export class FakeKernel {
  readonly #state: State = { tables: [], lastTable: 0n, generation: 1 };
  readonly #interfaces: readonly NetworkInterface[];
  readonly #machine: Host['machine'];
  readonly #commits: FakeCommit[] = [];
  readonly #injected: Injected[] = [];
  readonly #interferences: Commands[] = [];
  readonly #listening = new Set<FakeSubscription>();
  readonly #logs = new Map<number, FakeSubscription>();
  #ports = 0;

  constructor({ interfaces, without = [], now = Date.now }: FakeKernelOptions = {}) {
    this.#interfaces = interfaces ?? [{ name: 'lo', index: 1 }];
    this.#machine = {
      now,
      hasInterface: (name) => this.#interfaces.some((one) => one.name === name),
      refusalOf: (instruction, family) => refusalOf(without, instruction, family),
      hasFlowtables: !without.includes('flowtable'),
    };
  }

  /** The transactions that took effect, the oldest first: whose they were, and what they said. */
  get commits(): readonly FakeCommit[] {
    return this.#commits;
  }

  /** The number of the ruleset's state: every transaction that changes something begins another. */
  get generation(): number {
    return this.#state.generation;
  }

  /** Opens a connection: another one is another writer, who owns what it owns alone. */
  connect(): FakeConnection {
    this.#ports += 1;
    const transport = new FakeTransport({
      state: this.#state,
      machine: this.#machine,
      port: this.#ports,
      beforeBatch: () => this.#beforeBatch(),
      links: () => linkMessages(this.#interfaces),
      tell: (news, port) => this.#tell(news, port),
      subscribe: (group, options) => this.#subscribe(group, options),
      listen: (group, options) => this.#listen(group, options),
      closed: (port) => this.#release(port),
    });
    return new FakeConnection(transport, this, (commit) => this.#commits.push(commit));
  }

  /**
   * Refuses the next transaction that reaches the kernel, whatever it says; called again, the one after that.
   *
   * @throws TypeError when no error has this name
   */
  failNext({ code, operation, message = '' }: Failure): void {
    const errno = errnoNumber(code);
    const where = operation === undefined ? {} : { operation };
    this.#injected.push({ kind: 'refuse', error: { code, errno, message, ...where } });
  }

  /** Loses the answer to the next transaction: it is carried out, and its outcome is `unknown`. */
  loseNextAnswer(): void {
    this.#injected.push({ kind: 'lose' });
  }

  /**
   * Somebody else is faster: commits this right before the next transaction arrives, after whatever that one
   * looked at first.
   */
  interfere(commands: Commands): void {
    this.#interferences.push(commands);
  }

  /** Monitors and listeners that have not read everything yet lose what they have not, and are told of an overrun. */
  overrun(): void {
    for (const subscription of [...this.#listening, ...this.#logs.values()]) subscription.lose();
  }

  /** A packet meets a `log group` statement: whoever listens to the group is told, as `Connection.logged` tells it. */
  logPacket(group: number, packet: FakePacket): void {
    this.#logs.get(group)?.tell(packetMessage(packet, this.#interfaces));
  }

  #tell(news: Uint8Array, port: number): void {
    const id = this.#state.generation;
    const end = new MessageWriter(port);
    const value = { id, pid: process.pid, process: basename(process.title).slice(0, LONGEST_NAME) };
    end.nftables(MESSAGE.NEWGEN, 0, generation, value);
    const all = Buffer.concat([news, end.bytes()]);
    for (const subscription of this.#listening) subscription.tell(all);
  }

  #subscribe(group: number, { receiveBuffer }: SubscriptionOptions): FakeSubscription {
    if (group !== COMMITS) {
      const reason = 'a fake kernel carries no packets: there is nothing to trace';
      throw new NetlinkSocketError(constants.errno.EOPNOTSUPP, 'bind', reason);
    }
    const subscription: FakeSubscription = new FakeSubscription(this.#state.generation, receiveBuffer, () =>
      this.#listening.delete(subscription),
    );
    this.#listening.add(subscription);
    return subscription;
  }

  #listen(group: number, { receiveBuffer }: SubscriptionOptions): FakeSubscription {
    if (this.#logs.has(group)) throw new NetlinkSocketError(constants.errno.EPERM, 'netlink', '');
    const subscription = new FakeSubscription(0, receiveBuffer, () => this.#logs.delete(group));
    this.#logs.set(group, subscription);
    return subscription;
  }

  #beforeBatch(): Injected | undefined {
    const commands = this.#interferences.shift();
    if (commands !== undefined) {
      using somebody = this.connect();
      somebody.commitSync(commands);
    }
    return this.#injected.shift();
  }

  /** What a closed connection owned goes with it, or waits for another owner. */
  #release(port: number): void {
    const mine = this.#state.tables.filter((table) => table.owner === port);
    for (const table of mine) table.owner = undefined;
    const gone = mine.filter(({ flags }) => !(flags & TABLE_FLAGS.persist));
    this.#state.tables = this.#state.tables.filter((table) => !gone.includes(table));
  }
}

/** Opens a connection to a fake kernel of its own. */
export function fakeConnection(options?: FakeKernelOptions): FakeConnection {
  return new FakeKernel(options).connect();
}
