import type { TraceInterface } from '../model/index.ts';
import { readInterfaces } from '../rtnetlink/index.ts';
import type { Abortable } from './request.ts';
import type { Transport } from './transport.ts';

/** The names of interfaces, asked for when one is first met that is not known. */
export class InterfaceNames {
  readonly #transport: Transport;
  readonly #signal: AbortSignal | undefined;
  #names = new Map<number, string>();

  constructor(transport: Transport, { signal }: Abortable) {
    this.#transport = transport;
    this.#signal = signal;
  }

  /** @param type - ARPHRD_* of linux/if_arp.h, where it was told */
  async of(index: number, type: number | undefined): Promise<TraceInterface> {
    if (!this.#names.has(index)) {
      const links = readInterfaces(await this.#transport.links({ signal: this.#signal }));
      this.#names = new Map(links.map((link) => [link.index, link.name]));
    }
    const name = this.#names.get(index);
    return { index, ...(name !== undefined && { name }), ...(type !== undefined && { type }) };
  }
}
