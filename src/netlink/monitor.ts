import { generation as generationSchema, MESSAGE } from '../message/index.ts';
import type { Change } from '../model/index.ts';
import { decodeOpen } from '../wire/schema.ts';
import { Feed } from './feed.ts';
import { Known } from './known.ts';
import { type NetlinkMessage, readMessages } from './message.ts';
import { NamespaceInterfaces } from './namespace-interfaces.ts';
import { concerns, type Part } from './part.ts';
import type { Abortable } from './request.ts';
import type { Subscription, SubscriptionOptions } from './subscription.ts';
import type { Transport } from './transport.ts';

/** What to listen to. */
export interface MonitorOptions extends Part, Abortable, SubscriptionOptions {
  /**
   * `false`: commits come without what they changed, for those who only have to know that something did, and who did
   * it. Nothing of them is decoded or kept, however large they are, and none is partial.
   */
  readonly changes?: boolean;
}

/**
 * A commit of somebody. In a monitor of a family or table, those that did not touch it are left out.
 *
 * A commit of many elements comes in parts, so that it takes bounded memory: all but the last are `partial`. From
 * its first rule on it comes whole, because a rule may stand behind one that the kernel tells of later.
 */
export interface Commit {
  readonly overrun: false;
  /** The generation that it began; a listing of this or a newer generation has its changes. */
  readonly generation: number;
  /**
   * Who made it: the thread's number, in the initial process namespace, and its name, which is the program's
   * unless the thread was given one. Absent in partial events: the kernel tells it at the end.
   */
  readonly process?: { readonly pid: number; readonly name: string };
  /** Made by the connection that monitors. */
  readonly own: boolean;
  readonly changes: readonly Change[];
  /** More changes of the same commit follow in the next event. */
  readonly partial: boolean;
}

/**
 * The kernel's messages came faster than they were read, and some are lost: whoever keeps a picture of the
 * ruleset takes a new snapshot. Commits that follow are newer than `generation` and complete; those up to the
 * generation of the snapshot are in it already.
 */
export interface Overrun {
  readonly overrun: true;
  /** The generation up to which commits may have been lost. */
  readonly generation: number;
}

export type MonitorEvent = Commit | Overrun;

type Reading = typeof import('./reading.ts');

/** NFNLGRP_NFTABLES of linux/netfilter/nfnetlink.h. */
export const COMMITS = 7;
/** Bytes of messages that make a part of a commit. */
const PART = 1 << 20;

/** Listens to commits: see `Connection.monitor`. */
export function monitor(socket: Transport, options: MonitorOptions): Feed<MonitorEvent> {
  const subscription = socket.subscribe(COMMITS, options);
  // What is there now is asked for now; who never iterates does not want to hear that it failed.
  const known = knownFor(socket, options);
  known.catch(() => {});
  const interfaces = new NamespaceInterfaces(socket);
  return new Feed(subscription, (from) => interfaces.follow(commits(socket, from, options, known)), options);
}

/** What changes are read with. */
const knownFor = async (socket: Transport, options: MonitorOptions): Promise<Known | undefined> =>
  options.changes === false ? undefined : await Known.read(socket, options, options);

async function* commits(
  socket: Transport,
  subscription: Subscription,
  options: MonitorOptions,
  initial: Promise<Known | undefined>,
): AsyncGenerator<MonitorEvent, void, undefined> {
  const reading = await import('./reading.ts');
  try {
    let reader = new CommitReader(reading, await initial, subscription.generation, socket.port, options);
    for (let news = await subscription.read(); news !== undefined; news = await subscription.read()) {
      const whole = yield* reader.read(news.messages);
      if (whole && !news.overrun) continue;
      const generation = await socket.generation(options);
      reader = new CommitReader(reading, await knownFor(socket, options), generation, socket.port, options);
      yield { overrun: true, generation };
    }
  } catch (error) {
    if (!subscription.closed) throw error;
  }
}

const isAfter = (generation: number, base: number) => ((generation - base) | 0) > 0;
const following = (generation: number) => (generation + 1) >>> 0 || 1;

/** Puts the kernel's messages together to commits. */
class CommitReader {
  readonly #reading: Reading;
  readonly #known: Known | undefined;
  /** Commits up to this one are not told. */
  readonly #base: number;
  readonly #port: number;
  readonly #part: Part;
  /** The last commit that was heard of. */
  #last: number | undefined;
  #messages: NetlinkMessage[] = [];
  #bytes = 0;
  #hasRules = false;
  /** Whether a commit touched what is listened to, where that is all that is told of it. */
  #isTouched = false;

  constructor(reading: Reading, known: Known | undefined, base: number, port: number, part: Part) {
    this.#reading = reading;
    this.#known = known;
    this.#base = base;
    this.#port = port;
    this.#part = part;
  }

  /** @returns whether no commit is missing */
  *read(bytes: Uint8Array): Generator<Commit, boolean, undefined> {
    for (const message of readMessages(bytes)) {
      if (message.type === MESSAGE.NEWGEN) {
        const { value } = decodeOpen(generationSchema, message.attributes);
        const generation = value.id ?? 0;
        if (this.#last !== undefined && generation !== following(this.#last)) return false;
        this.#last = generation;
        this.#hasRules = false;
        const { pid = 0, process: name = '' } = value;
        const messages = this.#take(this.#messages.length);
        if (isAfter(generation, this.#base)) {
          const commit = this.#commit(generation, message.port, messages, false, { pid, name });
          this.#known?.empty();
          const isWhole = (this.#part.family ?? this.#part.table) === undefined;
          if (commit.changes.length > 0 || this.#isTouched || isWhole) yield commit;
        }
        this.#isTouched = false;
      } else if (this.#known === undefined) {
        this.#isTouched ||= concerns(message, this.#part);
      } else if (concerns(message, this.#part)) {
        this.#messages.push(message);
        this.#bytes += message.attributes.length;
        this.#hasRules ||= message.type === MESSAGE.NEWRULE;
        // The first commit after the beginning may be an old one, which only its end tells.
        if (this.#bytes > PART && this.#last !== undefined && !this.#hasRules) {
          const messages = this.#take(this.#reading.separable(this.#messages, this.#known));
          const commit = this.#commit(following(this.#last), message.port, messages, true);
          if (commit.changes.length > 0) yield commit;
        }
      }
    }
    return true;
  }

  #commit(
    generation: number,
    port: number,
    messages: readonly NetlinkMessage[],
    partial: boolean,
    process?: Commit['process'],
  ): Commit {
    return {
      overrun: false,
      generation,
      ...(process === undefined ? {} : { process }),
      own: port === this.#port,
      changes: this.#known ? this.#reading.readChanges(messages, this.#known) : [],
      partial,
    };
  }

  #take(count: number): NetlinkMessage[] {
    const taken = this.#messages.splice(0, count);
    this.#bytes = this.#messages.reduce((sum, { attributes }) => sum + attributes.length, 0);
    return taken;
  }
}
