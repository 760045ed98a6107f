import { PackedElements } from '../linearize/index.ts';
import type { Commands, OutgoingMessage, ParsedCommand } from '../transaction/index.ts';
import { commandList, parseCommands } from '../transaction/index.ts';
import { ProgramWriter } from '../wire/program.ts';
import { Declarations } from './declarations.ts';
import { echoedHandles } from './echo.ts';
import { refusalsOf, TransactionError } from './error.ts';
import { elementQuestions, isLarge, type Job, jobOf } from './job.ts';
import { NamespaceInterfaces } from './namespace-interfaces.ts';
import { compiled, elementsAsNew, encoded, encodedInPieces, type Prepared } from './prepare.ts';
import type { Abortable, DumpRequest } from './request.ts';
import type { SubmitError, SubmitResult } from './submit-result.ts';
import { pause, READS, TornError } from './torn.ts';
import type { Transport } from './transport.ts';
import { questionsFor, View } from './view.ts';

/** How a transaction is committed. */
export interface CommitOptions extends Abortable {
  /**
   * Commit only if the ruleset still has this generation, as it was read: refused with ERESTART where
   * somebody else was faster.
   */
  readonly generation?: number;
}

/** What a transaction that took effect has made. */
export interface Committed {
  /** The generation that it began; the one before where it had nothing to change. */
  readonly generation: number;
  /** The handle of each command's object, by the command's index, where it made one. */
  readonly handles: ReadonlyMap<number, bigint>;
  /** Netlink messages and bytes of the batch. */
  readonly messages: number;
  readonly bytes: number;
}

/** How often a transaction that had to look first is tried again when somebody else was faster. */
const TRIES = 100;

/** Bytes of a program that are kept for the next: memory that was written before is written faster. */
const KEPT = 1 << 20;

/** What was sent, and what became of it. */
interface Sent {
  readonly messages: Iterable<OutgoingMessage>;
  readonly result: SubmitResult;
}

/** Commits transactions over one transport, in the order in which they are given. */
export class Committer {
  readonly #socket: Transport;
  readonly #interfaces: NamespaceInterfaces;
  readonly #declarations = new Declarations();
  /** Of a transaction that is over, for the next. */
  #program: ProgramWriter | undefined;
  /** Ends with the last transaction that takes several steps; none when undefined. */
  #turn: Promise<unknown> | undefined;

  constructor(socket: Transport) {
    this.#socket = socket;
    this.#interfaces = new NamespaceInterfaces(socket);
  }

  async commit(
    parsed: readonly ParsedCommand[],
    commands: Commands,
    options: CommitOptions,
  ): Promise<Committed> {
    const job = jobOf(parsed, commands);
    // Who names an interface of another namespace may have to ask for it first.
    const steps = job.asks || isLarge(parsed) || this.#interfaces.areElsewhere;
    return this.#inTurn(steps, () => this.#interfaces.ifNeeded(() => this.#commit(job, options), options));
  }

  /** Without questions, a transaction that is not large is sent before this returns. */
  async #commit(job: Job, options: CommitOptions): Promise<Committed> {
    for (let attempt = 1; ; attempt++) {
      const prepared = this.#known(job, options) ?? (await this.#look(job, options));
      const generation = options.generation ?? prepared.generation;
      const asNew = generation === 0 ? undefined : elementsAsNew(prepared);
      let sent = await this.#send(job, asNew ?? prepared, generation, options);
      if (asNew !== undefined && isThere(sent.result))
        sent = await this.#send(job, prepared, generation, options);
      this.#declarations.follow(job.parsed, generation, sent.result);
      if (options.generation === undefined && attempt < TRIES && this.#isOvertaken(sent.result)) continue;
      return committed(sent.result, job, sent.messages);
    }
  }

  async #send(job: Job, prepared: Prepared, generation: number, options: Abortable): Promise<Sent> {
    const settings = { echo: true, generation };
    const { messages, program } = isLarge(job.parsed)
      ? await encodedInPieces(job, prepared, settings, this.#socket, options)
      : encoded(job, prepared, settings, this.#takeProgram());
    const result = await this.#socket.submit(program, options);
    if (program instanceof ProgramWriter) this.#keepProgram(program);
    return { messages, result };
  }

  commitSync(parsed: readonly ParsedCommand[], commands: Commands, options: CommitOptions): Committed {
    const job = jobOf(parsed, commands);
    return this.#interfaces.ifNeededSync(() => this.#commitSync(job, options));
  }

  #commitSync(job: Job, options: CommitOptions): Committed {
    for (let attempt = 1; ; attempt++) {
      const prepared = this.#known(job, options) ?? this.#lookSync(job);
      const generation = options.generation ?? prepared.generation;
      const asNew = generation === 0 ? undefined : elementsAsNew(prepared);
      let sent = this.#sendSync(job, asNew ?? prepared, generation);
      if (asNew !== undefined && isThere(sent.result)) sent = this.#sendSync(job, prepared, generation);
      this.#declarations.follow(job.parsed, generation, sent.result);
      if (options.generation === undefined && attempt < TRIES && this.#isOvertaken(sent.result)) continue;
      return committed(sent.result, job, sent.messages);
    }
  }

  #sendSync(job: Job, prepared: Prepared, generation: number): Sent {
    const { messages, program } = encoded(job, prepared, { echo: true, generation }, this.#takeProgram());
    const result = this.#socket.submitSync(program);
    this.#keepProgram(program);
    return { messages, result };
  }

  #takeProgram(): ProgramWriter | undefined {
    const program = this.#program;
    this.#program = undefined;
    return program;
  }

  #keepProgram(program: ProgramWriter): void {
    if (program.capacity <= KEPT) this.#program = program;
  }

  async check(commands: Commands, options: Abortable): Promise<void> {
    const job = jobOf(parseCommands(commands), commands);
    await this.#interfaces.ifNeeded(() => this.#check(job, options), options);
  }

  async #check(job: Job, options: Abortable): Promise<void> {
    const prepared = !job.asks ? compiled(job, new View(), 0) : await this.#look(job, options);
    const { messages, program } = isLarge(job.parsed)
      ? await encodedInPieces(job, prepared, { check: true }, this.#socket, options)
      : encoded(job, prepared, { check: true });
    const result = await this.#socket.submit(program, options);
    if (result.status !== 'checked') throw failure(result, job, messages);
  }

  /**
   * Transactions take effect in the order they were given. Those that look first, or are large, take several steps:
   * the ones behind them wait, and do not change the ruleset between a look and its commit.
   */
  #inTurn<T>(steps: boolean, work: () => Promise<T>): Promise<T> {
    const before = this.#turn;
    if (before === undefined && !steps) return work();
    const turn = before === undefined ? work() : before.then(work);
    const through = turn.then(
      () => {},
      () => {},
    );
    this.#turn = through;
    void through.then(() => {
      if (this.#turn === through) this.#turn = undefined;
    });
    return turn;
  }

  /** Compiles what needs no look, or none any more; undefined where the kernel has to be asked. */
  #known(job: Job, options: CommitOptions): Prepared | undefined {
    if (!job.asks) return compiled(job, new View(), 0);
    const { generation } = this.#declarations;
    if (options.generation !== undefined && options.generation !== generation) return undefined;
    const view = this.#declarations.viewOf(job.needs);
    if (view === undefined || elementQuestions(job.parsed, view).length > 0) return undefined;
    try {
      return compiled(job, view, generation);
    } catch {
      // It may be right by now: what it names may be there.
      return undefined;
    }
  }

  /** Compiles with the kernel's answers, which are those of one generation. */
  async #look(job: Job, { signal }: Abortable): Promise<Prepared> {
    for (let tries = 1; ; tries++) {
      const generation = await this.#socket.generation({ signal });
      const view = new View();
      let torn = false;
      const ask = async (question: DumpRequest) => {
        const answer = await this.#socket.dump({ ...question, signal }).catch(nothing);
        torn ||= answer.interrupted;
        view.take(answer.messages);
      };
      for (const question of questionsFor(job.needs)) await ask(question);
      for (const question of elementQuestions(job.parsed, view)) await ask(question);
      if (!torn && !view.torn && generation === (await this.#socket.generation({ signal })))
        return this.#looked(job, view, generation);
      if (tries === READS) throw new TornError('the ruleset', tries);
      await pause(tries, signal);
    }
  }

  #lookSync(job: Job): Prepared {
    for (let tries = 1; ; tries++) {
      const generation = this.#socket.generationSync();
      const view = new View();
      let torn = false;
      const ask = (question: DumpRequest) => {
        const answer = attempt(() => this.#socket.dumpSync(question));
        torn ||= answer.interrupted;
        view.take(answer.messages);
      };
      for (const question of questionsFor(job.needs)) ask(question);
      for (const question of elementQuestions(job.parsed, view)) ask(question);
      if (!torn && !view.torn && generation === this.#socket.generationSync())
        return this.#looked(job, view, generation);
      if (tries === READS) throw new TornError('the ruleset', tries);
    }
  }

  #looked(job: Job, view: View, generation: number): Prepared {
    this.#declarations.learn(job.needs, view, generation);
    return compiled(job, view, generation);
  }

  #isOvertaken(result: SubmitResult): boolean {
    const [error] = result.errors;
    const overtaken =
      result.status === 'refused' && error?.code === 'ERESTART' && error.operation === undefined;
    if (overtaken) this.#declarations.forget();
    return overtaken;
  }
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

function committed(
  result: SubmitResult,
  { parsed, ...job }: Job,
  messages: Iterable<OutgoingMessage>,
): Committed {
  if (result.status !== 'committed') throw failure(result, job, messages);
  return {
    generation: result.generation ?? 0,
    handles: echoedHandles(result.echo, parsed),
    messages: result.messages,
    bytes: result.bytes,
  };
}

function failure(
  result: SubmitResult,
  { commands }: Pick<Job, 'commands'>,
  messages: Iterable<OutgoingMessage>,
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
  messages: Iterable<OutgoingMessage>,
): number | undefined {
  if (elements === undefined || elements.first !== elements.last) return undefined;
  for (const message of messages) {
    if (message.kind !== 'elements' || message.operation !== operation) continue;
    const list = message.elements;
    return list instanceof PackedElements ? elements.first : list[elements.first]?.source;
  }
  return undefined;
}

function isThere({ status, errors }: SubmitResult): boolean {
  return status === 'refused' && errors[0]?.code === 'EEXIST';
}
