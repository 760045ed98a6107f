import { type NativeConnection, type NativeMonitor, native } from './native.ts';
import { codeOf, translate, translated } from './socket-error.ts';

/** How a subscription receives. */
export interface SubscriptionOptions {
  /**
   * Bytes of messages that the kernel may queue for a reader that is slow, 32 MiB by default; it counts some
   * 1.5 to 4 bytes for each byte of a message. Memory is taken as it fills. Without CAP_NET_ADMIN in the initial
   * user namespace the kernel lowers it to net.core.rmem_max.
   */
  readonly receiveBuffer?: number;
}

/** NETLINK_* of linux/netlink.h. */
export const PROTOCOL = { route: 0, netfilter: 12 } as const;

const RECEIVE_BUFFER = 32 << 20;
const CHUNK = 256 << 10;

/** Messages that a subscription brought. */
export interface News {
  /** Whole netlink messages, one behind the other. */
  readonly messages: Uint8Array;
  /** Behind them, messages were lost. */
  readonly overrun: boolean;
}

/** What groups are told; see {@link NetlinkSubscription}. */
export interface Subscription {
  readonly closed: boolean;
  /** The generation of the ruleset when this began: all newer ones are heard, from their beginning. 0 of rtnetlink. */
  readonly generation: number;
  /** The next messages; undefined once this is closed. One call at a time. */
  read(): Promise<News | undefined>;
  /** Lets a read that waits keep the process alive, as it does from the beginning. */
  ref(): void;
  /** Lets the process end although a read waits. */
  unref(): void;
  /** Ends a read that waits. Closing again does nothing. */
  close(): void;
}

/**
 * What the kernel tells multicast groups, or whoever asked it to: then the request stands in the groups' place.
 *
 * Messages are taken from the kernel as they are read, so a slow
 * reader takes no memory but the receive buffer; when that is full, messages are lost and the next read says so.
 */
export class NetlinkSubscription implements Subscription {
  readonly #native: NativeMonitor;
  readonly #closing: () => void;
  #closed = false;

  constructor(
    connection: NativeConnection,
    protocol: keyof typeof PROTOCOL,
    source: readonly number[] | Uint8Array,
    { receiveBuffer = RECEIVE_BUFFER }: SubscriptionOptions,
    closing: () => void,
  ) {
    const { Monitor } = native();
    const number = PROTOCOL[protocol];
    this.#native = translate(() =>
      source instanceof Uint8Array
        ? new Monitor(connection, number, [], receiveBuffer, source)
        : new Monitor(connection, number, source, receiveBuffer),
    );
    this.#closing = closing;
  }

  get closed(): boolean {
    return this.#closed;
  }

  get generation(): number {
    return this.#native.generation();
  }

  async read(): Promise<News | undefined> {
    if (this.#closed) return undefined;
    try {
      return await this.#native.read(CHUNK);
    } catch (error) {
      if (this.#closed && codeOf(error) === 'ABORT_ERR') return undefined;
      throw translated(error);
    }
  }

  ref(): void {
    this.#native.ref();
  }

  unref(): void {
    this.#native.unref();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#native.close();
    this.#closing();
  }
}
