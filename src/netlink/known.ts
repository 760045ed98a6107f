import type { KernelElement, KnownSet } from '../bytecode/index.ts';
import { delinearizeChain } from '../delinearize/object/chain.ts';
import { delinearizeFlowtable } from '../delinearize/object/flowtable.ts';
import { delinearizeSet } from '../delinearize/object/set.ts';
import { chain, flowtable, MESSAGE, set } from '../message/index.ts';
import type { Chain, Family, Flowtable } from '../model/index.ts';
import { familyByNumber, findFamily } from '../protocol/index.ts';
import { decodeOpen } from '../wire/schema.ts';
import { type NetlinkMessage, readMessages } from './message.ts';
import { concerns, type Part, tableOf } from './part.ts';
import { query } from './query.ts';
import type { Abortable } from './request.ts';
import type { Transport } from './transport.ts';

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

interface KnownTable {
  readonly sets: Map<string, Mutable<KnownSet>>;
  readonly chains: Map<number, Chain>;
  readonly flowtables: Map<string, Flowtable>;
}

/** How often a picture of the sets and chains is tried for while somebody changes them. */
const TRIES = 8;

/** What the kernel's messages have to be read against: the types of sets, where chains and flowtables are hooked. */
export class Known {
  readonly #tables = new Map<string, KnownTable>();
  /** Anonymous sets with elements, which nothing but their own transaction needs. */
  readonly #filled = new Set<Mutable<KnownSet>>();

  /** Asks the kernel for the sets (without elements), chains and flowtables of a part of the ruleset. */
  static async read(socket: Transport, part: Part, { signal }: Abortable): Promise<Known> {
    const { family } = part;
    const number = family === undefined ? 0 : findFamily(family).number;
    const within = tableOf(part);
    for (let attempt = 1; ; attempt++) {
      const generation = await socket.generation({ signal });
      const known = new Known();
      let torn = false;
      for (const request of [
        query(MESSAGE.GETCHAIN, number, chain, within),
        query(MESSAGE.GETSET, number, set, within),
        query(MESSAGE.GETFLOWTABLE, number, flowtable, within),
      ]) {
        const answer = await socket.dump({ ...request, signal }).catch(unlessMissing);
        torn ||= answer?.interrupted === true;
        for (const message of readMessages(answer?.messages ?? new Uint8Array()))
          if (concerns(message, part)) known.learn(message);
      }
      if (attempt === TRIES || (!torn && generation === (await socket.generation({ signal })))) return known;
    }
  }

  /** Learns from a message about a set or chain, and from elements of an anonymous set. */
  learn({ type, family: number, attributes }: NetlinkMessage): void {
    const family = familyByNumber(number)?.name;
    if (family === undefined) return;
    if (type === MESSAGE.NEWSET) {
      const { value } = decodeOpen(set, attributes);
      const { known } = delinearizeSet(family, value);
      this.#table(family, value.table).sets.set(known.name, known);
    } else if (type === MESSAGE.NEWCHAIN) {
      this.keepChain(family, delinearizeChain(family, decodeOpen(chain, attributes).value));
    } else if (type === MESSAGE.NEWFLOWTABLE) {
      this.keepFlowtable(family, delinearizeFlowtable(family, decodeOpen(flowtable, attributes).value));
    }
  }

  /** Notes elements of an anonymous set, for the rule that will name it. */
  fill(
    family: Family,
    table: string | undefined,
    set: string | undefined,
    elements: readonly KernelElement[],
  ): void {
    const known = this.#table(family, table).sets.get(set ?? '');
    if (known === undefined) return;
    this.#filled.add(known);
    known.elements ??= [];
    (known.elements as KernelElement[]).push(...elements);
  }

  set(family: Family, table: string | undefined, name: string | undefined): KnownSet | undefined {
    return this.sets(family, table).get(name ?? '');
  }

  sets(family: Family, table: string | undefined): ReadonlyMap<string, KnownSet> {
    return this.#table(family, table).sets;
  }

  /** A chain by its handle, which stays when its name changes. */
  chain(family: Family, table: string | undefined, handle: number): Chain | undefined {
    return this.#table(family, table).chains.get(handle);
  }

  keepChain(family: Family, chain: Chain): void {
    this.#table(family, chain.table).chains.set(chain.handle ?? 0, chain);
  }

  flowtable(family: Family, table: string | undefined, name: string | undefined): Flowtable | undefined {
    return this.#table(family, table).flowtables.get(name ?? '');
  }

  keepFlowtable(family: Family, flowtable: Flowtable): void {
    this.#table(family, flowtable.table).flowtables.set(flowtable.name, flowtable);
  }

  chainNamed(family: Family, table: string | undefined, name: string | undefined): Chain | undefined {
    return [...this.#table(family, table).chains.values()].find((known) => known.name === name);
  }

  forgetTable(family: Family, name: string | undefined): void {
    this.#tables.delete(key(family, name));
  }

  forgetSet(family: Family, table: string | undefined, name: string | undefined): void {
    this.#table(family, table).sets.delete(name ?? '');
  }

  forgetChain(family: Family, table: string | undefined, handle: number): void {
    this.#table(family, table).chains.delete(handle);
  }

  forgetFlowtable(family: Family, table: string | undefined, name: string | undefined): void {
    this.#table(family, table).flowtables.delete(name ?? '');
  }

  /** Forgets the elements of anonymous sets: the transaction that made them is over. */
  empty(): void {
    for (const known of this.#filled) known.elements = undefined;
    this.#filled.clear();
  }

  #table(family: Family, name: string | undefined): KnownTable {
    const existing = this.#tables.get(key(family, name));
    if (existing !== undefined) return existing;
    const made: KnownTable = { sets: new Map(), chains: new Map(), flowtables: new Map() };
    this.#tables.set(key(family, name), made);
    return made;
  }
}

const key = (family: Family, table = '') => `${family}\0${table}`;

/** The table that is asked for need not be there yet. */
function unlessMissing(error: unknown): undefined {
  if ((error as { readonly code?: string }).code !== 'ENOENT') throw error;
}
