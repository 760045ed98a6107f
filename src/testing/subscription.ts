import type { News, Subscription } from '../netlink/subscription.ts';

/** Bytes of messages that wait for a reader before the rest is lost. */
const RECEIVE_BUFFER = 32 << 20;
/** Never too soon: what counts is that a timer waits. */
const NEVER = 2 ** 31 - 1;

/** What a fake kernel tells those who listen. */
export class FakeSubscription implements Subscription {
  readonly generation: number;
  readonly #limit: number;
  readonly #closing: (subscription: FakeSubscription) => void;
  #queue: Uint8Array[] = [];
  #bytes = 0;
  #overrun = false;
  #closed = false;
  #waiting: ((news: News | undefined) => void) | undefined;
  /** Keeps the process alive while a read waits, as a socket would. */
  #alive: NodeJS.Timeout | undefined;
  #isRef = true;

  constructor(
    generation: number,
    limit: number = RECEIVE_BUFFER,
    closing: (subscription: FakeSubscription) => void,
  ) {
    this.generation = generation;
    this.#limit = limit;
    this.#closing = closing;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Queues the messages of one transaction, or loses them where there is no room. */
  tell(messages: Uint8Array): void {
    this.#bytes += messages.length;
    if (this.#overrun || this.#bytes > this.#limit) this.lose();
    else this.#queue.push(messages);
    this.#answer();
  }

  /** Loses what waits. */
  lose(): void {
    this.#overrun = true;
    this.#queue = [];
    this.#answer();
  }

  read(): Promise<News | undefined> {
    return new Promise((resolve) => {
      this.#waiting = resolve;
      this.#alive = setInterval(() => {}, NEVER);
      if (!this.#isRef) this.#alive.unref();
      this.#answer();
    });
  }

  ref(): void {
    this.#isRef = true;
    this.#alive?.ref();
  }

  unref(): void {
    this.#isRef = false;
    this.#alive?.unref();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#closing(this);
    this.#answer();
  }

  #answer(): void {
    const resolve = this.#waiting;
    if (resolve === undefined || !(this.#closed || this.#overrun || this.#queue.length > 0)) return;
    clearInterval(this.#alive);
    this.#waiting = undefined;
    resolve(this.#closed ? undefined : { messages: Buffer.concat(this.#queue), overrun: this.#overrun });
    this.#queue = [];
    this.#bytes = 0;
    this.#overrun = false;
  }
}
