import { type Elsewhere, InterfacesUnread, type InterfaceTable, withInterfaces } from '../datatype/index.ts';
import { readInterfaces } from '../rtnetlink/index.ts';
import type { Abortable } from './request.ts';
import type { Transport } from './transport.ts';

/**
 * The names of interfaces (`iif`, `oif`, `fib … oif`) as they are where a transport leads to: the process's own
 * network namespace, or another one, whose interfaces have to be asked for.
 */
export class NamespaceInterfaces {
  readonly #socket: Transport;

  constructor(socket: Transport) {
    this.#socket = socket;
  }

  /** Whether names have to be asked for. */
  get areElsewhere(): boolean {
    return this.#socket.isElsewhere;
  }

  /** Does `work`, which names few interfaces or none: they are asked for where it does, and it begins again. */
  async ifNeeded<T>(work: () => Promise<T>, { signal }: Abortable): Promise<T> {
    if (!this.areElsewhere) return work();
    try {
      return await withInterfaces({}, work);
    } catch (error) {
      if (!(error instanceof InterfacesUnread)) throw error;
      return withInterfaces({ table: await this.#read({ signal }) }, work);
    }
  }

  /** As {@link ifNeeded}, on this thread. */
  ifNeededSync<T>(work: () => T): T {
    if (!this.areElsewhere) return work();
    try {
      return withInterfaces({}, work);
    } catch (error) {
      if (!(error instanceof InterfacesUnread)) throw error;
      return withInterfaces({ table: tableOf(this.#socket.linksSync()) }, work);
    }
  }

  /** Does `work`, with the interfaces that there are when it begins. */
  async always<T>(work: () => Promise<T>, { signal }: Abortable): Promise<T> {
    if (!this.areElsewhere) return work();
    return withInterfaces({ table: await this.#read({ signal }) }, work);
  }

  /** The same events, each made with the interfaces as they were when one was last met that was not known. */
  follow<T>(events: AsyncGenerator<T, void, undefined>): AsyncGenerator<T, void, undefined> {
    if (!this.areElsewhere) return events;
    const where: Elsewhere = { missed: true };
    const next = async () => {
      if (where.missed) where.table = await this.#read({});
      where.missed = false;
      return withInterfaces(where, () => events.next());
    };
    return Object.assign(Object.create(Object.getPrototypeOf(events)) as typeof events, {
      next,
      return: (value: undefined) => events.return(value),
      throw: (error: unknown) => events.throw(error),
      [Symbol.asyncIterator]() {
        return this;
      },
    });
  }

  async #read({ signal }: Abortable): Promise<InterfaceTable> {
    return tableOf(await this.#socket.links({ signal }));
  }
}

function tableOf(messages: Uint8Array): InterfaceTable {
  const interfaces = readInterfaces(messages).map(({ index, name }) => [BigInt(index), name] as const);
  return {
    names: new Map(interfaces),
    indices: new Map(interfaces.map(([index, name]) => [name, index])),
  };
}
