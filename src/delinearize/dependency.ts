import { type FamilyName, findHeader, type Header, nextHeaderValue } from '../protocol/index.ts';
import type { Entry } from './describer.ts';
import { type Announcement, type Clue, type Layer, layerOf } from './protocol-context.ts';

interface Dependency {
  readonly header: Header;
  readonly entry: Entry;
  /** The clue cannot be left out: it says more than that the header follows. */
  readonly kept: boolean;
  /** It says that a tag follows the link header. */
  readonly tag: boolean;
  /** What the match that announces the header implies itself, and nothing else does. */
  readonly implies: readonly Dependency[];
}

/** Families where `ip protocol` or `ip6 nexthdr` also says which network protocol it is. */
const SEVERAL_NETWORKS: ReadonlySet<FamilyName> = new Set(['inet', 'bridge', 'netdev']);

/** Headers that nft takes to say themselves what they are carried in; of IGMP it lists both. */
const TELLING: ReadonlySet<string> = new Set(['icmp', 'icmpv6']);

/**
 * The matches that announce headers. When a later statement is about such a header the match is implied,
 * and nft does not list it (its payload_dependency_kill).
 */
export class Dependencies {
  readonly #family: FamilyName;
  readonly #enabled: boolean;
  readonly #announced = new Map<Layer, Dependency>();
  #message: Dependency | undefined;
  #implied: Dependency[] = [];

  constructor(family: FamilyName, enabled: boolean) {
    this.#family = family;
    this.#enabled = enabled;
  }

  /** Remembers the statement by which the packet has a header. */
  announce({ layer, header }: Announcement, clue: Clue, value: number, entry: Entry): void {
    const tag = clue.kind === 'payload' && header.base === 'link';
    const implies = tag ? [] : this.#implied.filter((dependency) => dependency.tag);
    this.#announced.set(layer, { header, entry, kept: this.#saysMore(clue, header, value), tag, implies });
  }

  #saysMore(clue: Clue, header: Header, value: number): boolean {
    if (clue.kind !== 'payload') return false;
    if (header.base === 'link')
      return clue.header === header || nextHeaderValue(clue.header, header) !== value;
    return clue.header.base === 'network' && SEVERAL_NETWORKS.has(this.#family);
  }

  /** A statement is about `header`; counts once {@link settle} is called. */
  imply(header: Header): void {
    if (!this.#enabled) return;
    const layer = layerOf(header.base);
    const dependency = this.#announced.get(layer);
    if (dependency?.header !== header || dependency.kept) return;
    this.#implied.push(dependency);
    if (layer !== 'transport' || header.over === undefined || !TELLING.has(header.name)) return;
    const network = this.#announced.get('network');
    if (network?.header === findHeader(header.over) && !network.kept) this.#implied.push(network);
  }

  /** What was implied since the last call is so. */
  settle(): void {
    for (const dependency of this.#implied) {
      dependency.entry.implied = true;
      for (const { entry } of dependency.implies) entry.implied = false;
      const layer = layerOf(dependency.header.base);
      if (this.#announced.get(layer) === dependency) this.#announced.delete(layer);
      if (this.#message === dependency) this.#message = undefined;
    }
    this.#implied = [];
  }

  /** A statement that acts stands between: what came before it is not implied by what follows. */
  reset(): void {
    this.#announced.clear();
    this.#message = undefined;
  }

  /** Remembers the match on the type of an ICMP message, and the header that it is of. */
  announceMessage(header: Header, entry: Entry): void {
    this.#message = { header, entry, kept: false, tag: false, implies: [] };
  }

  /** A statement is about a field that messages of one type alone have. */
  implyMessage(header: Header): void {
    if (this.#enabled && this.#message?.header === header) this.#implied.push(this.#message);
  }

  /** What was implied since the last call is not. */
  forget(): void {
    this.#implied = [];
  }
}
