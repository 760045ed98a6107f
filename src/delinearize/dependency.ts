import { type FamilyName, findHeader, type Header, nextHeaderValue } from '../protocol/index.ts';
import type { Entry } from './describer.ts';
import { type Announcement, type Clue, type Layer, layerOf } from './protocol-context.ts';

interface Dependency {
  readonly header: Header;
  readonly entry: Entry;
  /** The clue cannot be left out: it says more than that the header follows. */
  readonly kept: boolean;
}

/** Families where `ip protocol` or `ip6 nexthdr` also says which network protocol it is. */
const SEVERAL_NETWORKS: ReadonlySet<FamilyName> = new Set(['inet', 'bridge', 'netdev']);

/**
 * The matches that announce headers. When a later statement is about such a header the match is implied,
 * and nft does not list it (its payload_dependency_kill).
 */
export class Dependencies {
  readonly #family: FamilyName;
  readonly #enabled: boolean;
  readonly #announced = new Map<Layer, Dependency>();
  #implied: Layer[] = [];

  constructor(family: FamilyName, enabled: boolean) {
    this.#family = family;
    this.#enabled = enabled;
  }

  /** Remembers the statement by which the packet has a header. */
  announce({ layer, header }: Announcement, clue: Clue, value: number, entry: Entry): void {
    this.#announced.set(layer, { header, entry, kept: this.#saysMore(clue, header, value) });
  }

  #saysMore(clue: Clue, header: Header, value: number): boolean {
    if (clue.kind === 'meta') return false;
    if (header.base === 'link') return nextHeaderValue(clue.header, header) !== value;
    return clue.header.base === 'network' && SEVERAL_NETWORKS.has(this.#family);
  }

  /** A statement is about `header`; counts once {@link settle} is called. */
  imply(header: Header): void {
    if (!this.#enabled) return;
    const layer = layerOf(header.base);
    const dependency = this.#announced.get(layer);
    if (dependency?.header !== header || dependency.kept) return;
    this.#implied.push(layer);
    if (layer !== 'transport' || header.over === undefined) return;
    const network = this.#announced.get('network');
    if (network?.header === findHeader(header.over) && !network.kept) this.#implied.push('network');
  }

  /** What was implied since the last call is so. */
  settle(): void {
    for (const layer of this.#implied) {
      const dependency = this.#announced.get(layer);
      if (dependency !== undefined) dependency.entry.implied = true;
      this.#announced.delete(layer);
    }
    this.#implied = [];
  }

  /** What was implied since the last call is not. */
  forget(): void {
    this.#implied = [];
  }
}
