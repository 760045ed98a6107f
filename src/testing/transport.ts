import { constants } from 'node:os';
import type { LogConfig } from '../message/index.ts';
import type { Abortable, DumpRequest, DumpResult, StreamRequest } from '../netlink/request.ts';
import { NetlinkSocketError } from '../netlink/socket.ts';
import type { SubmitError, SubmitResult } from '../netlink/submit-result.ts';
import type { SubscriptionOptions } from '../netlink/subscription.ts';
import type { Transport } from '../netlink/transport.ts';
import { readAttributes } from '../wire/attribute-reader.ts';
import type { ProgramWriter } from '../wire/program.ts';
import { collectExpired, type Host, type Refusal, runBatch } from './batch.ts';
import { answer } from './dump.ts';
import { readProgram } from './program-reader.ts';
import { Refused } from './refusal.ts';
import type { FakeSubscription } from './subscription.ts';

/** The fake kernel, as a transport sees it. */
export interface TransportHost extends Host {
  /** Called before a batch is carried out; what it returns happens instead. */
  beforeBatch(): Injected | undefined;
  links(): Uint8Array;
  /** Tells the monitors of a transaction that began a generation. */
  tell(news: Uint8Array, port: number): void;
  subscribe(group: number, options: SubscriptionOptions): FakeSubscription;
  listen(group: number, options: SubscriptionOptions): FakeSubscription;
  closed(port: number): void;
}

/** Something that a test wants to happen to a batch. */
export type Injected =
  | { readonly kind: 'refuse'; readonly error: SubmitError }
  /** The batch is carried out, and nobody hears of it. */
  | { readonly kind: 'lose' };

/** Speaks with a fake kernel as a socket does with the real one. */
export class FakeTransport implements Transport {
  readonly #host: TransportHost;
  readonly #subscriptions = new Set<FakeSubscription>();
  #closed = false;
  readonly isElsewhere = true;

  constructor(host: TransportHost) {
    this.#host = host;
  }

  get closed(): boolean {
    return this.#closed;
  }

  async submit(program: ProgramWriter | Uint8Array, { signal }: Abortable = {}): Promise<SubmitResult> {
    const bytes = (program instanceof Uint8Array ? program : program.bytes()).slice();
    await turn(signal);
    return this.submitSync(bytes);
  }

  submitSync(program: ProgramWriter | Uint8Array): SubmitResult {
    this.#mustBeOpen();
    const batch = readProgram(program instanceof Uint8Array ? program : program.bytes());
    const host = this.#host;
    const injected = host.beforeBatch();
    const result = {
      // The batch's begin, and its end where it is to be committed.
      messages: batch.messages.length + (batch.check ? 1 : 2),
      bytes: batch.messages.reduce((sum, message) => sum + message.bytes, batch.check ? 20 : 40),
      lost: false,
    };
    if (injected?.kind === 'refuse')
      return { ...result, status: 'refused', errors: [injected.error], echo: [] };
    const { refusals, news, changed } = runBatch(host, batch);
    const told = !batch.check && refusals.length === 0 && news.write(host.port, batch.echo);
    if (told && changed) host.tell(told.all, host.port);
    if (injected?.kind === 'lose') return { ...result, lost: true, status: 'unknown', errors: [], echo: [] };
    if (refusals.length > 0)
      return { ...result, status: 'refused', errors: refusals.map(submitError), echo: [] };
    if (batch.check) return { ...result, status: 'checked', errors: [], echo: [] };
    const echo = told ? told.echo : [];
    return { ...result, status: 'committed', generation: host.state.generation, errors: [], echo };
  }

  async dump(request: DumpRequest): Promise<DumpResult> {
    await turn(request.signal);
    return this.dumpSync(request);
  }

  dumpSync(request: DumpRequest): DumpResult {
    return this.#ask(request, false);
  }

  async get(request: DumpRequest): Promise<DumpResult> {
    await turn(request.signal);
    return this.getSync(request);
  }

  getSync(request: DumpRequest): DumpResult {
    return this.#ask(request, true);
  }

  async *stream(request: StreamRequest): AsyncGenerator<DumpResult, void, undefined> {
    yield await this.dump(request);
  }

  async generation({ signal }: Abortable = {}): Promise<number> {
    await turn(signal);
    return this.generationSync();
  }

  generationSync(): number {
    this.#mustBeOpen();
    return this.#host.state.generation;
  }

  async links({ signal }: Abortable = {}): Promise<Uint8Array> {
    await turn(signal);
    return this.linksSync();
  }

  linksSync(): Uint8Array {
    this.#mustBeOpen();
    return this.#host.links();
  }

  get port(): number {
    return this.#host.port;
  }

  subscribe(group: number, options: SubscriptionOptions = {}): FakeSubscription {
    this.#mustBeOpen();
    const subscription = this.#host.subscribe(group, options);
    this.#subscriptions.add(subscription);
    return subscription;
  }

  listen({ group }: LogConfig, options: SubscriptionOptions = {}): FakeSubscription {
    this.#mustBeOpen();
    const subscription = this.#host.listen(group, options);
    this.#subscriptions.add(subscription);
    return subscription;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const subscription of this.#subscriptions) subscription.close();
    this.#host.closed(this.#host.port);
  }

  [Symbol.dispose](): void {
    this.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
  }

  #ask({ type, family, attributes = NO_ATTRIBUTES }: DumpRequest, single: boolean): DumpResult {
    this.#mustBeOpen();
    const { state, machine } = this.#host;
    collectExpired(this.#host);
    try {
      const messages = answer(state, { type, family, attributes, single }, machine.now());
      return { messages, interrupted: false };
    } catch (error) {
      if (error instanceof Refused) throw new NetlinkSocketError(error.errno, 'netlink', '');
      throw error;
    }
  }

  #mustBeOpen(): void {
    if (this.#closed) throw new NetlinkSocketError(constants.errno.EBADF, 'close', 'the socket was closed');
  }
}

const NO_ATTRIBUTES = new Uint8Array(0);

/** Lets others go first, as a real call would. */
async function turn(signal: AbortSignal | undefined): Promise<void> {
  signal?.throwIfAborted();
  await new Promise(setImmediate);
  signal?.throwIfAborted();
}

function submitError({ refused, message }: Refusal): SubmitError {
  const { code, errno, attribute, nth } = refused;
  if (message === undefined) return { code, errno, message: '' };
  const { operation, elements = [], attributes } = message;
  const element = attribute.length === 0 ? nth : undefined;
  const offset = attribute.length === 0 ? undefined : offsetOf(attributes, attribute, nth);
  return {
    code,
    errno,
    message: '',
    operation,
    ...(elements.length === 0
      ? {}
      : { elements: { first: element ?? 0, last: element ?? elements.length - 1 } }),
    // Where elements are listed, the addon counts places from the start of each of them.
    ...(offset === undefined ? {} : elements.length > 0 ? { attribute } : { offset, attribute }),
  };
}

/** Where an attribute starts, the `nth` of its kind in the innermost nest; nothing where it was not given. */
function offsetOf(attributes: Uint8Array, [id, ...inner]: readonly number[], nth = 0): number | undefined {
  const all = readAttributes(attributes).filter((attribute) => attribute.id === id);
  const found = all[inner.length === 0 ? nth : 0];
  if (found === undefined) return undefined;
  const start = found.payload.byteOffset - attributes.byteOffset;
  const deeper = inner.length === 0 ? undefined : offsetOf(found.payload, inner, nth);
  return deeper === undefined ? start - HEADER : start + deeper;
}

const HEADER = 4;
