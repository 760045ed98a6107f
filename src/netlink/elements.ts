import { type KnownSet, SET_FLAGS } from '../bytecode/index.ts';
import { delinearizeSet } from '../delinearize/object/set.ts';
import { ELEMENT, ElementReader, elementList, MESSAGE, set } from '../message/index.ts';
import type { Expression, TableRef } from '../model/index.ts';
import { findFamily } from '../protocol/index.ts';
import { decodeOpen } from '../wire/schema.ts';
import type { ElementColumns } from './columns.ts';
import { type IntervalPair, IntervalPairs } from './interval-pairs.ts';
import { readMessages } from './message.ts';
import { NamespaceInterfaces } from './namespace-interfaces.ts';
import { query } from './query.ts';
import { CHANGING_TRIES, changesByItself, mayRehash, TRIES } from './rehash.ts';
import type { Abortable, DumpRequest } from './request.ts';
import { Told } from './told.ts';
import { pause, READS, TornError } from './torn.ts';
import type { Transport } from './transport.ts';

/** Names a set or map of a table. */
export interface SetRef extends TableRef {
  readonly name: string;
}

interface Begun {
  readonly known: KnownSet;
  /** How many elements there are, as far as is known. */
  readonly expected: number | undefined;
  readonly generation: number;
  readonly question: DumpRequest;
}

/**
 * The elements of one set or map, read when they are asked for, each time anew: one by one, or in columns.
 *
 * ```ts
 * const blocked = nft.elements({ family: 'inet', table: 'filter', name: 'blocked' });
 * for await (const element of blocked) console.log(element);
 * const { length, keys } = await blocked.columns();
 * ```
 */
export class Elements implements AsyncIterable<Expression> {
  readonly #socket: Transport;
  readonly #set: SetRef;
  readonly #signal: AbortSignal | undefined;

  /** @internal use `Connection.elements` */
  constructor(socket: Transport, ref: SetRef, { signal }: Abortable) {
    this.#socket = socket;
    this.#set = ref;
    this.#signal = signal;
  }

  /**
   * Tells the elements as the model has them, in the kernel's order and each once, in bounded memory: what the
   * kernel sends is read as it is taken. Of a set that the kernel may rearrange meanwhile (one without `size`, or with the
   * flags `dynamic` or `timeout`) the keys are remembered until the end, as bytes.
   *
   * @throws TornError at the end, when somebody has committed meanwhile: elements that were told may be gone, and
   *   others missing
   * @throws NetlinkSocketError ENOENT when there is no such set
   */
  [Symbol.asyncIterator](): AsyncGenerator<Expression, void, undefined> {
    return new NamespaceInterfaces(this.#socket).follow(this.#each());
  }

  async *#each(): AsyncGenerator<Expression, void, undefined> {
    const { delinearizeElements, elementTeller } = await import('./reading.ts');
    const begun = await this.#begin();
    const { known, generation } = begun;
    const interval = (pair: IntervalPair) => delinearizeElements(pair, known)[0] as Expression;
    const tell = elementTeller(known);
    const isPaired = (known.flags & SET_FLAGS.interval) !== 0 && known.key.length === 1;
    const told = mayRehash(known) ? new Told() : undefined;
    for (let tries = 1; ; tries++) {
      const pairs = isPaired ? new IntervalPairs() : undefined;
      told?.begin();
      for await (const reader of this.#readers(begun)) {
        while (reader.next()) {
          if (told !== undefined && !told.isNew(reader)) continue;
          if (pairs === undefined || reader.at[ELEMENT.key] === 0) yield tell(reader);
          else for (const pair of pairs.take(reader.element())) yield interval(pair);
        }
      }
      for (const pair of pairs?.end() ?? []) yield interval(pair);
      if (!told?.twice || (changesByItself(known) && tries === CHANGING_TRIES)) break;
      if (tries === TRIES) throw new TornError(`the set ${known.name}`, tries);
      await pause(tries, this.#signal);
    }
    if (generation !== (await this.#generation())) throw new TornError(`the ruleset`, 1);
  }

  /**
   * All elements of one moment, in columns, without an object for each: see {@link ElementColumns}. Where the
   * ruleset changes meanwhile they are read again.
   *
   * @throws TornError when it changed each time
   * @throws NetlinkSocketError ENOENT when there is no such set
   */
  async columns(): Promise<ElementColumns> {
    const { ColumnWriter } = await import('./reading.ts');
    for (let tries = 1; ; tries++) {
      const begun = await this.#begin();
      const { known, generation, expected } = begun;
      const told = mayRehash(known) ? new Told() : undefined;
      told?.begin();
      const writer = new ColumnWriter(known, expected);
      for await (const reader of this.#readers(begun)) {
        while (reader.next()) if (told === undefined || told.isNew(reader)) writer.add(reader);
      }
      const whole = !told?.twice || (changesByItself(known) && tries >= CHANGING_TRIES);
      if (whole && generation === (await this.#generation())) return writer.columns();
      if (tries === READS) throw new TornError(`the set ${known.name}`, tries);
      await pause(tries, this.#signal);
    }
  }

  #generation(): Promise<number> {
    return this.#socket.generation({ signal: this.#signal });
  }

  async #begin(): Promise<Begun> {
    const signal = this.#signal;
    const { family, table, name } = this.#set;
    const number = findFamily(family).number;
    const generation = await this.#generation();
    const answer = await this.#socket.get({ ...query(MESSAGE.GETSET, number, set, { table, name }), signal });
    const [message] = [...readMessages(answer.messages)];
    const { value } = decodeOpen(set, message?.attributes ?? new Uint8Array());
    const { known } = delinearizeSet(family, value);
    const question = query(MESSAGE.GETSETELEM, number, elementList, { table, set: name });
    return { known, expected: value.count, generation, question: { ...question, signal } };
  }

  /** A reader for each piece of the kernel's answer. */
  async *#readers({ question, known }: Begun): AsyncGenerator<ElementReader, void, undefined> {
    for await (const { messages, interrupted } of ahead(this.#socket.stream(question))) {
      if (interrupted) throw new TornError(`the set ${known.name}`, 1);
      yield new ElementReader(messages);
    }
  }
}

/** Has the next piece read while one is being worked on. */
async function* ahead<T>(pieces: AsyncGenerator<T, void, undefined>): AsyncGenerator<T, void, undefined> {
  let next = pieces.next();
  try {
    for (;;) {
      const { done, value } = await next;
      if (done) return;
      next = pieces.next();
      // Whoever stops before awaiting it does not care how it ends.
      next.catch(() => {});
      yield value;
    }
  } finally {
    await pieces.return();
  }
}
