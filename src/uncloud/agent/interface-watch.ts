import type { Connection, InterfaceEvent, NetworkInterface } from '../../index.ts';
import { listen } from './listen.ts';
import type { AgentOptions } from './options.ts';

/** The interfaces of a network namespace as they are: read once, then kept up by what the kernel tells. */
export class InterfaceWatch {
  readonly #nft: Connection;
  #interfaces = new Map<number, NetworkInterface>();

  constructor(nft: Connection) {
    this.#nft = nft;
  }

  get interfaces(): readonly NetworkInterface[] {
    return [...this.#interfaces.values()];
  }

  /** Reads them all; whether they are not what they were thought to be. */
  async read(): Promise<boolean> {
    const found = new Map((await this.#nft.interfaces()).map((each) => [each.index, each]));
    const isNew =
      found.size !== this.#interfaces.size ||
      [...found].some(([index, each]) => !isSame(this.#interfaces.get(index), each));
    this.#interfaces = found;
    return isNew;
  }

  /** Keeps them up; `changed` is told when they are not what they were. */
  follow(
    changed: () => void,
    options: Pick<AgentOptions, 'backoff' | 'log'> & { readonly signal: AbortSignal },
  ): Promise<never> {
    const { signal } = options;
    const look = async () => {
      if (await this.read()) changed();
    };
    return listen<InterfaceEvent>({
      ...options,
      what: 'interfaces',
      open: () => this.#nft.monitorInterfaces({ signal }),
      begun: look,
      heard: (event) => {
        if (event.overrun) return look();
        if (this.#take(event.gone, event.link)) changed();
      },
    });
  }

  #take(gone: boolean, link: NetworkInterface): boolean {
    if (gone) return this.#interfaces.delete(link.index);
    if (isSame(this.#interfaces.get(link.index), link)) return false;
    this.#interfaces.set(link.index, link);
    return true;
  }
}

function isSame(a: NetworkInterface | undefined, b: NetworkInterface): boolean {
  return a?.name === b.name && a.master === b.master && a.mac === b.mac && a.up === b.up;
}
