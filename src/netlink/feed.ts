import type { Abortable } from './request.ts';
import type { Subscription } from './subscription.ts';

/** Tells the events of a subscription until that is closed. */
export type Events<T> = (subscription: Subscription) => AsyncGenerator<T, void, undefined>;

/**
 * Events of the kernel, for `for await`. It listens from the moment it is made, and until it is closed, its
 * connection is, or the iteration is left (`break`, `return`, an error); where a signal ends it, the iteration
 * throws the signal's reason.
 *
 * Events are read from the kernel as they are iterated over: a slow consumer takes no memory but the receive
 * buffer.
 */
export class Feed<T> implements AsyncIterableIterator<T>, Disposable {
  readonly #subscription: Subscription;
  readonly #events: AsyncGenerator<T, void, undefined>;
  readonly #signal: AbortSignal | undefined;
  readonly #abort = () => this.#subscription.close();

  constructor(subscription: Subscription, events: Events<T>, { signal }: Abortable) {
    this.#subscription = subscription;
    this.#events = events(subscription);
    this.#signal = signal;
    signal?.addEventListener('abort', this.#abort);
    if (signal?.aborted) subscription.close();
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** The next event. Calls are answered one after the other. */
  async next(): Promise<IteratorResult<T, void>> {
    const result = await this.#events.next();
    if (!result.done) return result;
    this.close();
    this.#signal?.throwIfAborted();
    return result;
  }

  async return(): Promise<IteratorResult<T, void>> {
    this.close();
    return { done: true, value: undefined };
  }

  /** Lets the process go on for this while the next event is awaited, as it does from the beginning. */
  ref(): void {
    this.#subscription.ref();
  }

  /** Lets the process end although the next event is awaited. */
  unref(): void {
    this.#subscription.unref();
  }

  /** Ends the iteration. Closing again does nothing. */
  close(): void {
    this.#signal?.removeEventListener('abort', this.#abort);
    this.#subscription.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
