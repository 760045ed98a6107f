import { type LogConfig, logConfig, NLM } from '../message/index.ts';
import { linksRequest } from '../rtnetlink/index.ts';
import type { ProgramWriter } from '../wire/program.ts';
import { type NativeAnswer, type NativeConnection, type NativeProgram, native } from './native.ts';
import type { Abortable, DumpRequest, DumpResult, LargeProgram, StreamRequest } from './request.ts';
import { codeOf, translate, translated } from './socket-error.ts';
import { type SubmitResult, submitResult } from './submit-result.ts';
import { NetlinkSubscription, type Subscription, type SubscriptionOptions } from './subscription.ts';

export { NetlinkSocketError } from './socket-error.ts';

/** Where and how to open a socket. */
export interface SocketOptions {
  /**
   * The network namespace: a path such as `/run/netns/NAME` or `/proc/PID/ns/net`, or the number of a
   * process in it. Without it, the namespace of the calling thread.
   *
   * Entering another namespace needs CAP_SYS_ADMIN in the user namespace that owns it.
   */
  readonly netns?: string | number;
  /**
   * Bytes of answers that the kernel may queue, 32 MiB by default. Memory is taken as it fills. Without
   * CAP_NET_ADMIN in the initial user namespace the kernel lowers it to net.core.rmem_max.
   */
  readonly receiveBuffer?: number;
}

const RECEIVE_BUFFER = 32 << 20;
const CHUNK = 256 << 10;
/** What the addon copies. */
const COPIED = 64 << 10;
const NO_ATTRIBUTES = new Uint8Array(0);

/**
 * A netlink socket for nf_tables in one network namespace.
 *
 * Asynchronous calls run off the event loop, one after the other in the order they were made. A synchronous
 * call blocks, and goes before asynchronous calls that wait.
 */
export class NetlinkSocket {
  readonly #native: NativeConnection;
  readonly #underway = new Set<Promise<unknown>>();
  /** What ends with this socket. */
  readonly #followers = new Set<{ close(): void }>();
  readonly #figures = new Float64Array(3);
  #closed = false;
  #calls = 0;

  /** Whether the network namespace is, or may be, another one than the process's. */
  readonly isElsewhere: boolean;

  private constructor(connection: NativeConnection, isElsewhere: boolean) {
    this.#native = connection;
    this.isElsewhere = isElsewhere;
  }

  /**
   * @throws NetlinkSocketError when the namespace does not exist or must not be entered
   */
  static open(options: SocketOptions = {}): NetlinkSocket {
    const path = namespacePath(options.netns);
    const size = options.receiveBuffer ?? RECEIVE_BUFFER;
    const connection = translate(() => new (native().Connection)(path, size));
    return new NetlinkSocket(connection, options.netns !== undefined);
  }

  get closed(): boolean {
    return this.#closed;
  }

  /**
   * Sends a transaction as one batch. The program is copied before this returns, or, where it comes from a writer
   * that nothing is written to any more, handed over.
   *
   * A signal is heeded until the batch is sent; after that the transaction runs to its end.
   *
   * @throws NetlinkSocketError when the batch could not be sent: nothing took effect
   */
  async submit(
    program: ProgramWriter | Uint8Array | LargeProgram,
    { signal }: Abortable = {},
  ): Promise<SubmitResult> {
    return submitResult(await this.#run(signal, (id) => this.#native.submit(id, owned(program))));
  }

  /**
   * Takes a program in, to be submitted once, when all of its pieces are there.
   *
   * Large programs are no single piece of work for the event loop.
   */
  collect(): LargeProgram {
    return new (native().Program)();
  }

  /** As {@link submit}, on this thread. */
  submitSync(program: ProgramWriter | Uint8Array): SubmitResult {
    const outcome = translate(() => this.#native.submitSync(bytesOf(program), this.#figures));
    if (outcome !== undefined) return submitResult(outcome);
    const [generation, messages, bytes] = this.#figures as unknown as [number, number, number];
    return { status: 'committed', generation, errors: [], echo: [], lost: false, messages, bytes };
  }

  /** All objects that match the request. */
  dump(request: DumpRequest): Promise<DumpResult> {
    return this.#ask(request, NLM.DUMP);
  }

  /** As {@link dump}, on this thread. */
  dumpSync(request: DumpRequest): DumpResult {
    return this.#askSync(request, NLM.DUMP);
  }

  /**
   * The one object, or for `NFT_MSG_GETSETELEM` the elements, that the attributes name.
   *
   * @throws NetlinkSocketError ENOENT
   */
  get(request: DumpRequest): Promise<DumpResult> {
    return this.#ask(request, 0);
  }

  /** As {@link get}, on this thread. */
  getSync(request: DumpRequest): DumpResult {
    return this.#askSync(request, 0);
  }

  /**
   * All objects that match the request, piece by piece in bounded memory.
   *
   * Reads from a socket of its own in the same network namespace (entering that needs the same capabilities as
   * {@link open}), so that this one stays free meanwhile. Ends with the iteration, however that ends.
   */
  async *stream(request: StreamRequest): AsyncGenerator<DumpResult, void, undefined> {
    const connection = translate(() => new (native().Connection)(this.#native));
    const reader = new NetlinkSocket(connection, this.isElsewhere);
    this.#followers.add(reader);
    try {
      yield* reader.#pieces(request);
    } finally {
      reader.close();
      this.#followers.delete(reader);
    }
  }

  /** The generation of the ruleset: a number that every commit changes. */
  generation({ signal }: Abortable = {}): Promise<number> {
    return this.#run(signal, (id) => this.#native.generation(id));
  }

  /** As {@link generation}, on this thread. */
  generationSync(): number {
    return translate(() => this.#native.generationSync());
  }

  /** The network interfaces of the namespace: RTM_NEWLINK messages, and the report of their end. */
  links(options: Abortable = {}): Promise<Uint8Array> {
    return this.rtnetlink(linksRequest(), options);
  }

  /** As {@link links}, on this thread. */
  linksSync(): Uint8Array {
    return translate(() => this.#native.rtnetlinkSync(linksRequest()));
  }

  /**
   * Sends whole messages of rtnetlink, one behind the other, to the same namespace, and returns all that the kernel
   * answers, its reports included.
   *
   * @throws NetlinkSocketError ENOBUFS when there were more reports than the socket holds (some thousand): what
   *   became of the requests is not known
   */
  rtnetlink(requests: Uint8Array, { signal }: Abortable = {}): Promise<Uint8Array> {
    return this.#run(signal, (id) => this.#native.rtnetlink(id, requests));
  }

  /** The address of the socket: messages about what it did carry it. */
  get port(): number {
    return translate(() => this.#native.port());
  }

  /**
   * Listens to what the kernel tells a group (`NFNLGRP_*` of linux/netfilter/nfnetlink.h), in the same network
   * namespace and with a socket of its own, which closes with this one.
   *
   * @throws NetlinkSocketError EPERM without CAP_NET_ADMIN
   */
  subscribe(group: number, options: SubscriptionOptions = {}): Subscription {
    return this.#subscribe('netfilter', [group], options);
  }

  /** As {@link subscribe}, to groups of rtnetlink (`RTNLGRP_*` of linux/rtnetlink.h), for which nobody needs privileges. */
  subscribeRtnetlink(groups: readonly number[], options: SubscriptionOptions = {}): Subscription {
    return this.#subscribe('route', groups, options);
  }

  #subscribe(
    protocol: 'route' | 'netfilter',
    groups: readonly number[],
    options: SubscriptionOptions,
  ): Subscription {
    const subscription: Subscription = new NetlinkSubscription(this.#native, protocol, groups, options, () =>
      this.#followers.delete(subscription),
    );
    this.#followers.add(subscription);
    return subscription;
  }

  /**
   * Has the packets of a group of `log` statements sent to a socket of its own, in the same network namespace, which
   * closes with this one.
   *
   * @throws NetlinkSocketError EPERM without CAP_NET_ADMIN, and where the group has a listener
   */
  listen(config: LogConfig, options: SubscriptionOptions = {}): Subscription {
    const request = logConfig(config);
    const subscription: Subscription = new NetlinkSubscription(
      this.#native,
      'netfilter',
      request,
      options,
      () => this.#followers.delete(subscription),
    );
    this.#followers.add(subscription);
    return subscription;
  }

  /**
   * Closes the socket, its streams and subscriptions. A transaction under way still runs to its end and tells its result;
   * everything else is rejected. Closing again does nothing.
   */
  close(): void {
    this.#closed = true;
    this.#native.close();
    for (const follower of this.#followers) follower.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** Closes, and waits for what was under way. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
    await Promise.allSettled(this.#underway);
  }

  async *#pieces({ type, family, attributes, signal, chunk }: StreamRequest): AsyncGenerator<DumpResult> {
    const limit = chunk ?? CHUNK;
    const given = attributes ?? NO_ATTRIBUTES;
    let answer = await this.#run(signal, (id) =>
      this.#native.request(id, type, family, NLM.DUMP, given, limit),
    );
    yield dumpResult(answer);
    while (!answer.done) {
      answer = await this.#run(signal, (id) => this.#native.next(id, limit));
      yield dumpResult(answer);
    }
  }

  async #ask({ type, family, attributes, signal }: DumpRequest, flags: number): Promise<DumpResult> {
    const given = attributes ?? NO_ATTRIBUTES;
    return dumpResult(
      await this.#run(signal, (id) =>
        this.#native.request(id, type, family, flags, given, Number.POSITIVE_INFINITY),
      ),
    );
  }

  #askSync({ type, family, attributes }: DumpRequest, flags: number): DumpResult {
    return dumpResult(
      translate(() => this.#native.requestSync(type, family, flags, attributes ?? NO_ATTRIBUTES)),
    );
  }

  async #run<T>(signal: AbortSignal | undefined, call: (id: number) => Promise<T>): Promise<T> {
    signal?.throwIfAborted();
    const id = this.#calls++ >>> 0;
    const cancel = () => this.#native.cancel(id);
    const promise = translate(() => call(id));
    this.#underway.add(promise);
    signal?.addEventListener('abort', cancel);
    try {
      return await promise;
    } catch (error) {
      if (signal?.aborted && codeOf(error) === 'ABORT_ERR') throw signal.reason;
      throw translated(error);
    } finally {
      signal?.removeEventListener('abort', cancel);
      this.#underway.delete(promise);
    }
  }
}

function namespacePath(netns: string | number | undefined): string {
  if (netns === undefined) return '';
  if (typeof netns === 'string') {
    if (netns === '' || netns.includes('\0'))
      throw new TypeError('netns must be a path or the number of a process');
    return netns;
  }
  if (!Number.isSafeInteger(netns) || netns <= 0) {
    throw new TypeError(`netns: ${netns} is not the number of a process`);
  }
  return `/proc/${netns}/ns/net`;
}

function bytesOf(program: ProgramWriter | Uint8Array): Uint8Array {
  return program instanceof Uint8Array ? program : program.bytes();
}

/** The bytes of a program that nobody changes until it is sent: the addon copies small ones itself. */
function owned(program: ProgramWriter | Uint8Array | LargeProgram): Uint8Array | NativeProgram {
  if ('append' in program) return program;
  return program instanceof Uint8Array && program.length > COPIED ? program.slice() : bytesOf(program);
}

function dumpResult({ messages, interrupted }: NativeAnswer): DumpResult {
  return { messages, interrupted };
}
