import { existsSync } from 'node:fs';

/** One thing that the kernel refused, in the order the kernel met them: later ones may follow from the first. */
export interface NativeFailure {
  /** Positive. */
  readonly errno: number;
  /** The kernel's own words, often empty. */
  readonly message: string;
  /** The `operation` of the message head; without it, the transaction as a whole was refused. */
  readonly operation?: number;
  /** The elements, both included, of the refused message; the very element, twice, where the kernel names it. */
  readonly elements?: { readonly first: number; readonly last: number };
  /**
   * Where the attribute that the kernel objects to starts: bytes into the attributes that were given for the message,
   * or for the one element.
   */
  readonly offset?: number;
  /** The types of the attributes around `offset`, outermost first. */
  readonly attribute?: readonly number[];
}

/** What the addon says about a transaction. */
export interface NativeOutcome {
  readonly status: 'checked' | 'committed' | 'refused' | 'unknown';
  readonly generation?: number;
  readonly lost: boolean;
  readonly messages: number;
  readonly bytes: number;
  /** Left out where there are none. */
  readonly errors?: readonly NativeFailure[];
  /** Three numbers an echo: operation, start and length in `echo`. Left out where there are none. */
  readonly echoIndex?: Uint32Array;
  readonly echo?: Uint8Array;
}

/** A part of an answer. */
export interface NativeAnswer {
  readonly messages: Uint8Array;
  readonly done: boolean;
  readonly interrupted: boolean;
}

/**
 * A netlink socket of the addon. Its asynchronous calls run one after the other, off the event loop;
 * a synchronous one goes before those that wait. `id` is what {@link NativeConnection.cancel} knows a call by.
 *
 * Errors carry `errno` and `syscall`, or `code`: `ERR_NFTJS_PROGRAM` for a corrupt program, `ABORT_ERR`
 * after a cancellation.
 */
export interface NativeConnection {
  /**
   * A program of more than 64 KiB is not copied: it must not change until the promise is settled. One that was taken
   * in by pieces is empty from then on.
   */
  submit(id: number, program: Uint8Array | NativeProgram): Promise<NativeOutcome>;
  /**
   * @param figures - where, instead of what is returned, generation, messages and bytes go when there is nothing else
   *   to tell of a transaction but that it was committed: making an object takes half as long as the kernel does
   */
  submitSync(program: Uint8Array, figures: Float64Array): NativeOutcome | undefined;
  /** Asks, and reads the answer until it is whole or has `limit` bytes. */
  request(
    id: number,
    type: number,
    family: number,
    flags: number,
    attributes: Uint8Array,
    limit: number,
  ): Promise<NativeAnswer>;
  requestSync(type: number, family: number, flags: number, attributes: Uint8Array): NativeAnswer;
  /** Reads on in an answer that was not whole. */
  next(id: number, limit: number): Promise<NativeAnswer>;
  generation(id: number): Promise<number>;
  generationSync(): number;
  /** Sends whole messages of rtnetlink to the same namespace, and returns all that it answers, reports included. */
  rtnetlink(id: number, requests: Uint8Array): Promise<Uint8Array>;
  rtnetlinkSync(requests: Uint8Array): Uint8Array;
  /** The address of the socket. */
  port(): number;
  /** Rejects a call that has not begun to send, or reads an answer. */
  cancel(id: number): void;
  /** Cancels what waits; the socket closes when the call under way ends. */
  close(): void;
}

/**
 * A large program, which the addon makes into messages as it comes, in memory that V8 does not count: it would look
 * through its own for it.
 */
export interface NativeProgram {
  /** Takes whole records, the last of which may lack its rows, or rows of that one. Nothing of the piece is kept. */
  append(piece: Uint8Array): void;
}

/** What a read of a monitor brought. */
export interface NativeNews {
  /** Whole netlink messages, one behind the other. */
  readonly messages: Uint8Array;
  /** Behind them, messages were lost. */
  readonly overrun: boolean;
}

/**
 * Messages of the kernel to a group. They are taken off the socket by {@link NativeMonitor.read} alone, one at
 * a time; only while it waits does the event loop go on for it. Errors are those of the connection.
 */
export interface NativeMonitor {
  /** Waits for messages, and returns what is there: about `limit` bytes at most. */
  read(limit: number): Promise<NativeNews>;
  /**
   * The generation of the ruleset when the monitor began: it hears of all newer ones, from their beginning. 0 of
   * rtnetlink.
   */
  generation(): number;
  /** Whether a process waits for a read that waits; it does until it is told not to. */
  ref(): void;
  unref(): void;
  /** Rejects a read that waits; closing again does nothing. */
  close(): void;
}

interface Addon {
  readonly Connection: {
    /** @param netns - a path, or '' for the network namespace of the calling thread */
    new (netns: string, receiveBuffer: number): NativeConnection;
    /** Another socket in the network namespace of `other`. */
    new (other: NativeConnection): NativeConnection;
  };
  readonly Program: new () => NativeProgram;
  readonly Monitor: {
    /**
     * In the network namespace of `connection`; `protocol` is a NETLINK_* number.
     *
     * @param request - a whole message, which is sent, and acknowledged, before anything is read
     */
    new (
      connection: NativeConnection,
      protocol: number,
      groups: readonly number[],
      receiveBuffer: number,
      request?: Uint8Array,
    ): NativeMonitor;
  };
  /** A datagram to a Unix socket: a path, or `@` and an abstract name. It does not wait. */
  notify(address: string, text: string): void;
}

let loaded: Addon | undefined;

/**
 * The addon: what was built here, or the prebuilt binary of the package. It is loaded when it is first
 * needed: compiling, formatting and rendering do without.
 */
export function native(): Addon {
  loaded ??= load();
  return loaded;
}

/** Where it may be: as node-gyp leaves it, or as prebuildify names it for either C library. */
const PLACES = [
  'build/Release/nftjs.node',
  ...['glibc', 'musl'].map((libc) => `prebuilds/linux-${process.arch}/nftjs.${libc}.node`),
];

/** Without `require`, whose own start takes as long as the addon's. */
function load(): Addon {
  // The package, seen from here as from `dist/chunks`.
  const directory = process.env.NFTJS_PREBUILD ?? `${import.meta.dirname}/../..`;
  const found = PLACES.map((place) => `${directory}/${place}`).filter((path) => existsSync(path));
  let failure: unknown = new Error(
    `no addon for linux-${process.arch} in ${directory}: run npm run build:native`,
  );
  for (const path of found) {
    const module = { exports: {} };
    try {
      process.dlopen(module, path);
      return module.exports as Addon;
    } catch (error) {
      failure = error;
    }
  }
  throw failure;
}
