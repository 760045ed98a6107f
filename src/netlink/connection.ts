import { CompileError } from '../linearize/index.ts';
import { elementList, MESSAGE } from '../message/index.ts';
import type { Family, Ruleset, RulesetElement } from '../model/index.ts';
import { findFamily } from '../protocol/index.ts';
import {
  type Commands,
  commandList,
  compileTransaction,
  encodeMessages,
  type Needs,
  needsOf,
  type OutgoingMessage,
  parseCommands,
} from '../transaction/index.ts';
import { echoedHandles } from './echo.ts';
import { refusalsOf, TransactionError } from './error.ts';
import { type Feature, probeOf } from './features.ts';
import type { Feed } from './feed.ts';
import { type NetworkInterface, readInterfaces } from './interfaces.ts';
import { type ListScope, listRuleset } from './list.ts';
import { type MonitorEvent, type MonitorOptions, monitor } from './monitor.ts';
import { query } from './query.ts';
import { prepareReset } from './reset.ts';
import {
  type Abortable,
  type DumpRequest,
  NetlinkSocket,
  NetlinkSocketError,
  type SocketOptions,
  type SubmitError,
  type SubmitResult,
} from './socket.ts';
import { Interrupted, pause, TornError } from './torn.ts';
import { type TraceEvent, type TraceOptions, trace } from './trace.ts';
import type { Transport } from './transport.ts';
import { canDestroy, questionsFor, View } from './view.ts';

/** How a transaction is committed. */
export interface CommitOptions extends Abortable {
  /**
   * Commit only if the ruleset still has this generation, as it was read: refused with ERESTART where
   * somebody else was faster.
   */
  readonly generation?: number;
}

/** A transaction took effect. */
export interface CommitResult {
  /** The generation that it began. */
  readonly generation: number;
  /** The handle of each command's object, by the command's index, where it made one. */
  readonly handles: ReadonlyMap<number, bigint>;
  /** What `reset` commands found, by the command's index: objects as they were before. */
  readonly reset: ReadonlyMap<number, readonly RulesetElement[]>;
  /** Netlink messages and bytes of the batch. */
  readonly messages: number;
  readonly bytes: number;
}

/** What was in the kernel at one moment. */
export interface Snapshot {
  readonly ruleset: Ruleset;
  /** The state that it is a picture of: see {@link CommitOptions.generation}. */
  readonly generation: number;
}

/** How often a transaction that had to look first is tried again when somebody else was faster. */
const TRIES = 100;

/** How often the ruleset is read while somebody changes it. */
const READS = 50;

interface Prepared {
  readonly messages: readonly OutgoingMessage[];
  /** The generation that the compiler looked at; 0 where it did not have to look. */
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
  /** Ends with the last transaction that has to look first; none when undefined. */
  #looking: Promise<unknown> | undefined;

  /** @internal use {@link connect} */
  protected constructor(socket: Transport) {
    this.#socket = socket;
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
    const resets = parseCommands(commands)
      .filter(({ verb }) => verb === 'reset')
      .map((command) => ({ index: command.index, run: prepareReset(command) }));
    const questions = this.#questions(commands);
    const done = await this.#inTurn(questions, () => this.#commit(commands, questions, options));
    const found = new Map<number, readonly RulesetElement[]>();
    for (const { index, run } of resets) found.set(index, await run(this.#socket));
    return { ...done, reset: found };
  }

  /** Without questions the transaction is sent before this returns. */
  async #commit(
    commands: Commands,
    questions: readonly DumpRequest[],
    options: CommitOptions,
  ): Promise<CommitResult> {
    for (let attempt = 1; ; attempt++) {
      const prepared =
        questions.length === 0 ? compiled(commands) : await this.#look(commands, questions, options);
      const generation = options.generation ?? prepared.generation;
      const program = encodeMessages(prepared.messages, { echo: true, generation });
      const result = await this.#socket.submit(program, options);
      if (options.generation === undefined && attempt < TRIES && isRestart(result)) continue;
      return committed(result, commands, prepared.messages);
    }
  }

  /**
   * Transactions take effect in the order they were given. Those that look first take several steps: the
   * ones behind them wait, and do not change the ruleset between a look and its commit.
   */
  #inTurn<T>(questions: readonly DumpRequest[], work: () => Promise<T>): Promise<T> {
    const before = this.#looking;
    if (before === undefined && questions.length === 0) return work();
    const turn = before === undefined ? work() : before.then(work);
    const through = turn.then(
      () => {},
      () => {},
    );
    this.#looking = through;
    void through.then(() => {
      if (this.#looking === through) this.#looking = undefined;
    });
    return turn;
  }

  /** As {@link commit}, on this thread: for small transactions, which `reset` nothing. */
  commitSync(commands: Commands, options: Omit<CommitOptions, 'signal'> = {}): CommitResult {
    const reset = parseCommands(commands).find(({ verb }) => verb === 'reset');
    if (reset !== undefined)
      throw new CompileError(reset.path, 'reset needs commit(): it asks the kernel once more');
    for (let attempt = 1; ; attempt++) {
      const prepared = this.#prepareSync(commands);
      const generation = options.generation ?? prepared.generation;
      const result = this.#socket.submitSync(encodeMessages(prepared.messages, { echo: true, generation }));
      if (options.generation === undefined && attempt < TRIES && isRestart(result)) continue;
      return committed(result, commands, prepared.messages);
    }
  }

  /**
   * Has the kernel validate all commands; nothing takes effect.
   *
   * @throws as {@link commit}
   */
  async check(commands: Commands, options: CommitOptions = {}): Promise<void> {
    const questions = this.#questions(commands);
    const { messages } =
      questions.length === 0 ? compiled(commands) : await this.#look(commands, questions, options);
    const result = await this.#socket.submit(encodeMessages(messages, { check: true }), options);
    if (result.status !== 'checked') throw failure(result, commands, messages);
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
  async snapshot(scope: ListScope & Abortable = {}): Promise<Snapshot> {
    const { signal } = scope;
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

  /** The network interfaces of the namespace. */
  async interfaces(options: Abortable = {}): Promise<NetworkInterface[]> {
    return readInterfaces(await this.#socket.links(options));
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

  /** Compiles with the kernel's answers, which are those of one generation. */
  async #look(
    commands: Commands,
    questions: readonly DumpRequest[],
    { signal }: Abortable,
  ): Promise<Prepared> {
    for (let tries = 1; ; tries++) {
      const generation = await this.#socket.generation({ signal });
      const view = new View();
      let torn = false;
      for (const question of questions) {
        const answer = await this.#socket.dump({ ...question, signal }).catch(nothing);
        torn ||= answer.interrupted;
        view.take(answer.messages);
      }
      if (!torn && !view.torn && generation === (await this.#socket.generation({ signal }))) {
        return { messages: compileTransaction(commands, view), generation };
      }
      if (tries === READS) throw new TornError('the ruleset', tries);
      await pause(tries, signal);
    }
  }

  #prepareSync(commands: Commands): Prepared {
    const questions = this.#questions(commands);
    if (questions.length === 0) return compiled(commands);
    for (let tries = 1; ; tries++) {
      const generation = this.#socket.generationSync();
      const view = new View();
      let torn = false;
      for (const question of questions) {
        const answer = attempt(() => this.#socket.dumpSync(question));
        torn ||= answer.interrupted;
        view.take(answer.messages);
      }
      if (!torn && !view.torn && generation === this.#socket.generationSync()) {
        return { messages: compileTransaction(commands, view), generation };
      }
      if (tries === READS) throw new TornError('the ruleset', tries);
    }
  }

  #questions(commands: Commands): DumpRequest[] {
    const needs: Needs = needsOf(commands, canDestroy);
    return [...questionsFor(needs), ...(canDestroy ? [] : elementQuestions(commands))];
  }
}

/** A transaction that names nothing that the kernel has to tell of. */
function compiled(commands: Commands): Prepared {
  return { messages: compileTransaction(commands, new View()), generation: 0 };
}

/** Which elements are there, where the kernel cannot destroy those that are. */
function elementQuestions(commands: Commands): DumpRequest[] {
  return parseCommands(commands)
    .filter(({ verb, kind }) => verb === 'destroy' && kind === 'element')
    .map(({ node }) => {
      const { family, table, name } = node as { family: Family; table: string; name: string };
      return query(MESSAGE.GETSETELEM, findFamily(family).number, elementList, { table, set: name });
    });
}

const NOTHING = { messages: new Uint8Array(), interrupted: false };

/** What is asked for may not exist: then nothing is there. */
function nothing(error: unknown): typeof NOTHING {
  if ((error as { code?: string }).code === 'ENOENT') return NOTHING;
  throw error;
}

function attempt<T>(ask: () => T): T | typeof NOTHING {
  try {
    return ask();
  } catch (error) {
    return nothing(error);
  }
}

function isRestart(result: SubmitResult): boolean {
  return (
    result.status === 'refused' &&
    result.errors[0]?.code === 'ERESTART' &&
    result.errors[0].operation === undefined
  );
}

function committed(
  result: SubmitResult,
  commands: Commands,
  messages: readonly OutgoingMessage[],
): CommitResult {
  if (result.status !== 'committed') throw failure(result, commands, messages);
  return {
    generation: result.generation ?? 0,
    handles: echoedHandles(result.echo, parseCommands(commands)),
    reset: new Map(),
    messages: result.messages,
    bytes: result.bytes,
  };
}

function failure(
  result: SubmitResult,
  commands: Commands,
  messages: readonly OutgoingMessage[],
): TransactionError {
  const root = Array.isArray(commands) ? '' : 'nftables';
  const refusals = refusalsOf(result.errors, commandList(commands), root, (error) =>
    sourceElement(error, messages),
  );
  return new TransactionError(result.status === 'unknown' ? 'unknown' : 'refused', refusals);
}

/** The caller's element that a refused one comes from: intervals become two. */
function sourceElement(
  { operation, elements }: SubmitError,
  messages: readonly OutgoingMessage[],
): number | undefined {
  if (elements === undefined || elements.first !== elements.last) return undefined;
  const list = messages.find((message) => message.kind === 'elements' && message.operation === operation);
  if (list?.kind !== 'elements') return undefined;
  return 'rows' in list.elements ? elements.first : list.elements[elements.first]?.source;
}

/** Opens a {@link Connection}: to the current network namespace, or to another one. */
export function connect(options: SocketOptions = {}): Connection {
  return Connection.open(options);
}
