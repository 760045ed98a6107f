import { CompileError } from '../linearize/index.ts';
import type { Ruleset, RulesetElement } from '../model/index.ts';
import { type NetworkInterface, type Route, type RouteChange, readInterfaces } from '../rtnetlink/index.ts';
import { type Commands, parseCommands } from '../transaction/index.ts';
import { type CommitOptions, type Committed, Committer } from './committer.ts';
import { Elements, type SetRef } from './elements.ts';
import { TransactionError } from './error.ts';
import { type Feature, probeOf } from './features.ts';
import type { Feed } from './feed.ts';
import type { ListScope } from './list.ts';
import { type LogEvent, type LogOptions, logged } from './logged.ts';
import { type MonitorEvent, type MonitorOptions, monitor } from './monitor.ts';
import { NamespaceInterfaces } from './namespace-interfaces.ts';
import type { Abortable } from './request.ts';
import { prepareReset } from './reset.ts';
import { changeRoutes, listRoutes, type RouteScope } from './routing.ts';
import {
  type InterfaceEvent,
  monitorInterfaces,
  monitorRoutes,
  type RouteEvent,
  type RtnetlinkMonitorOptions,
} from './rtnetlink-monitor.ts';
import { NetlinkSocket, NetlinkSocketError, type SocketOptions } from './socket.ts';
import { Interrupted, pause, READS, TornError } from './torn.ts';
import { type TraceEvent, type TraceOptions, trace } from './trace.ts';
import type { Transport } from './transport.ts';

/** A transaction took effect. */
export interface CommitResult extends Committed {
  /** What `reset` commands found, by the command's index: objects as they were before. */
  readonly reset: ReadonlyMap<number, readonly RulesetElement[]>;
}

/** What was in the kernel at one moment. */
export interface Snapshot {
  readonly ruleset: Ruleset;
  /** The state that it is a picture of: see {@link CommitOptions.generation}. */
  readonly generation: number;
}

/**
 * A connection to the nf_tables of one network namespace.
 *
 * ```ts
 * using nft = connect({ netns: '/run/netns/blue' });
 * await nft.commit([{ add: { table: { family: 'inet', name: 'filter' } } }]);
 * ```
 */
export class Connection {
  readonly #socket: Transport;
  readonly #committer: Committer;
  readonly #interfaces: NamespaceInterfaces;

  /** @internal use {@link connect} */
  protected constructor(socket: Transport) {
    this.#socket = socket;
    this.#committer = new Committer(socket);
    this.#interfaces = new NamespaceInterfaces(socket);
  }

  /**
   * Opens a connection.
   *
   * @throws NetlinkSocketError when the namespace does not exist or must not be entered
   */
  static open(options: SocketOptions = {}): Connection {
    return new Connection(NetlinkSocket.open(options));
  }

  /** The socket, for those who speak netlink themselves. */
  get socket(): Transport {
    return this.#socket;
  }

  /**
   * Carries out all commands, in one batch, or none of them.
   *
   * @throws CompileError when a command cannot be meant: nothing was sent
   * @throws TransactionError when the kernel refused one, or did not say
   */
  async commit(commands: Commands, options: CommitOptions = {}): Promise<CommitResult> {
    const parsed = parseCommands(commands);
    const resets = parsed
      .filter(({ verb }) => verb === 'reset')
      .map((command) => ({ index: command.index, run: prepareReset(command) }));
    const done = await this.#committer.commit(parsed, commands, options);
    const found = new Map<number, readonly RulesetElement[]>();
    for (const { index, run } of resets)
      found.set(index, await this.#interfaces.always(() => run(this.#socket), options));
    return { ...done, reset: found };
  }

  /** As {@link commit}, on this thread: for small transactions, which `reset` nothing. */
  commitSync(commands: Commands, options: Omit<CommitOptions, 'signal'> = {}): CommitResult {
    const parsed = parseCommands(commands);
    for (const { verb, path } of parsed)
      if (verb === 'reset')
        throw new CompileError(path, 'reset needs commit(): it asks the kernel once more');
    // Each by its name: spreading takes a twentieth of the whole.
    const { generation, handles, messages, bytes } = this.#committer.commitSync(parsed, commands, options);
    return { generation, handles, messages, bytes, reset: new Map() };
  }

  /**
   * Has the kernel validate all commands; nothing takes effect.
   *
   * @throws as {@link commit}
   */
  check(commands: Commands, options: CommitOptions = {}): Promise<void> {
    return this.#committer.check(commands, options);
  }

  /**
   * What is in the kernel, as one consistent picture: where the ruleset changes meanwhile, it is read again.
   *
   * Sets that packets or time change (flags `dynamic` and `timeout`) have no generation: of those the picture has
   * what was in them while it was taken, each element once.
   *
   * @throws TornError when the ruleset changed each time that it was read
   * @throws NetlinkSocketError ENOENT when what the scope names is not there
   */
  async list(scope: ListScope & Abortable = {}): Promise<Ruleset> {
    return (await this.snapshot(scope)).ruleset;
  }

  /** As {@link list}, with the generation of the picture, which guards a commit that builds on it. */
  snapshot(scope: ListScope & Abortable = {}): Promise<Snapshot> {
    return this.#interfaces.always(() => this.#snapshot(scope), scope);
  }

  async #snapshot(scope: ListScope & Abortable): Promise<Snapshot> {
    const { signal } = scope;
    const { listRuleset } = await import('./reading.ts');
    for (let tries = 1; ; tries++) {
      const generation = await this.#socket.generation({ signal });
      try {
        const ruleset = await listRuleset((request) => this.#socket.dump({ ...request, signal }), scope);
        if (generation === (await this.#socket.generation({ signal }))) return { ruleset, generation };
      } catch (error) {
        // Something that was there when it was named is gone: the picture would be torn.
        const gone = error instanceof NetlinkSocketError && error.code === 'ENOENT';
        if (
          !(
            error instanceof Interrupted ||
            (gone && generation !== (await this.#socket.generation({ signal })))
          )
        )
          throw error;
      }
      if (tries === READS) throw new TornError('the ruleset', tries);
      await pause(tries, signal);
    }
  }

  /**
   * The elements of one set or map, which may be millions: one by one, or in columns. Nothing is read before either
   * is asked for.
   *
   * ```ts
   * const blocked = nft.elements({ family: 'inet', table: 'filter', name: 'blocked' });
   * for await (const element of blocked) console.log(element);
   * const { length, keys } = await blocked.columns();
   * ```
   */
  elements(set: SetRef, options: Abortable = {}): Elements {
    return new Elements(this.#socket, set, options);
  }

  /** Whether the kernel has something that not every kernel has. */
  async supports(feature: Feature): Promise<boolean> {
    try {
      await this.check(probeOf(feature));
      return true;
    } catch (error) {
      if (error instanceof TransactionError && error.code !== 'EPERM') return false;
      throw error;
    }
  }

  /**
   * Tells every commit of anybody from now on, as it happens: see {@link MonitorEvent}.
   *
   * ```ts
   * for await (const event of nft.monitor({ family: 'inet', table: 'filter' })) {
   *   if (event.overrun) ruleset = await nft.snapshot(scope);
   *   else if (!event.own) console.log(event.process, event.changes);
   * }
   * ```
   *
   * What packets do (elements that rules add, counters, elements that expire) and tables that go with their
   * owner are no commits: the kernel does not tell of them.
   *
   * @throws NetlinkSocketError EPERM without CAP_NET_ADMIN
   */
  monitor(options: MonitorOptions = {}): Feed<MonitorEvent> {
    return monitor(this.#socket, options);
  }

  /**
   * Tells the way of packets that rules mark with `meta nftrace set 1` through the rules, step by step, from
   * now on: see {@link TraceEvent}.
   *
   * @throws NetlinkSocketError EPERM without CAP_NET_ADMIN
   */
  trace(options: TraceOptions = {}): Feed<TraceEvent> {
    return trace(this.#socket, options);
  }

  /**
   * Receives the packets that `log group N` statements tell of, from now on: see {@link LogEvent}. It is done when
   * this returns, and until it is left nobody else can.
   *
   * ```ts
   * for await (const packet of nft.logged({ group: 5, range: 128 })) {
   *   if (packet.overrun) console.warn('packets were lost');
   *   else console.log(packet.prefix, packet.indev?.name, packet.hwaddr, packet.payload);
   * }
   * ```
   *
   * A group without a listener costs its packets nothing but a look: the kernel drops what it would tell. Whatever
   * logs packets that strangers send should have a `limit` before it.
   *
   * @throws NetlinkSocketError EPERM without CAP_NET_ADMIN, and where the group has another listener; EOPNOTSUPP or
   *   EINVAL where the kernel has no nfnetlink_log (CONFIG_NETFILTER_NETLINK_LOG)
   */
  logged(options: LogOptions): Feed<LogEvent> {
    return logged(this.#socket, options);
  }

  /** The network interfaces of the namespace. */
  async interfaces(options: Abortable = {}): Promise<NetworkInterface[]> {
    return readInterfaces(await this.#socket.links(options));
  }

  /** Tells what happens to the namespace's interfaces from now on. Nobody needs privileges for that. */
  monitorInterfaces(options: RtnetlinkMonitorOptions = {}): Feed<InterfaceEvent> {
    return monitorInterfaces(this.#socket, options);
  }

  /**
   * The routes of the namespace: all, or those of a family, a table, a protocol.
   *
   * @throws TornError when the tables changed each time that they were read
   */
  routes(scope: RouteScope & Abortable = {}): Promise<Route[]> {
    return listRoutes(this.#socket, scope, scope);
  }

  /**
   * Changes routes, one after the other: some may be refused and the others take effect. To delete one that is not
   * there is no refusal.
   *
   * @returns what was refused, by the index of the change; the message has the kernel's own words
   * @throws NetlinkSocketError when nobody knows what became of some: list the routes
   */
  changeRoutes(
    changes: readonly RouteChange[],
    options: Abortable = {},
  ): Promise<ReadonlyMap<number, NetlinkSocketError>> {
    return changeRoutes(this.#socket, changes, options);
  }

  /** Tells what happens to routes from now on. Nobody needs privileges for that. */
  monitorRoutes(options: RtnetlinkMonitorOptions = {}): Feed<RouteEvent> {
    return monitorRoutes(this.#socket, options);
  }

  /** The number of the ruleset's current state: every commit of anybody changes it. */
  generation(options: Abortable = {}): Promise<number> {
    return this.#socket.generation(options);
  }

  /**
   * Closes the connection. A transaction that was sent runs to its end; one that has still to look first is
   * refused with EBADF, and nothing of it takes effect. Closing again does nothing.
   */
  close(): void {
    this.#socket.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#socket[Symbol.asyncDispose]();
  }
}

/** Opens a {@link Connection}: to the current network namespace, or to another one. */
export function connect(options: SocketOptions = {}): Connection {
  return Connection.open(options);
}
