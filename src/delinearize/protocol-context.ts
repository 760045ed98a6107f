import {
  deviceTypes,
  type FamilyName,
  families,
  findHeader,
  type Header,
  headers,
  inetService,
  nextHeader,
  type PayloadBase,
} from '../protocol/index.ts';

export type Layer = 'link' | 'network' | 'transport' | 'inner';

const ABOVE: Readonly<Record<string, Layer>> = { link: 'network', network: 'transport', transport: 'inner' };

/** The header that stands for a protocol that there is no table for. */
const unknown: Header = { name: 'unknown', id: 0, base: 'link', bits: 0, next: [], fields: {} };

export function layerOf(base: PayloadBase): Layer {
  return base === 'tunnel' ? 'inner' : base;
}

/** What a comparison with a constant may tell about the packet's headers. */
export type Clue =
  | { readonly kind: 'meta'; readonly key: string }
  | { readonly kind: 'ct'; readonly key: string }
  | { readonly kind: 'payload'; readonly header: Header; readonly field: string };

/** What a clue announced, and for which layer. */
export interface Announcement {
  readonly layer: Layer;
  readonly header: Header;
}

/**
 * What the matches so far tell about a packet's headers (nft's proto_ctx): by it, bytes at an offset become
 * fields with names.
 */
export class ProtocolContext {
  readonly family: FamilyName;
  readonly #first: Header;
  readonly #known = new Map<Layer, Header>();
  /** Link headers in front of the innermost one: with vlan on ether, ether. */
  readonly #stacked: Header[] = [];
  /** The ICMP or ICMPv6 types that the packet can have, where it is known to have one of them. */
  messageTypes: readonly number[] | undefined;

  constructor(family: FamilyName, first: Header = families[family].header) {
    this.family = family;
    this.#first = first;
    this.#known.set(layerOf(first.base), first);
  }

  header(layer: Layer): Header | undefined {
    return this.#known.get(layer);
  }

  /** The address family of the packet, where it is known. */
  get network(): 'ip' | 'ip6' | undefined {
    const header = this.#known.get('network');
    return header === headers.ip ? 'ip' : header === headers.ip6 ? 'ip6' : undefined;
  }

  /** The link headers from the outermost to the innermost. */
  get linkHeaders(): readonly Header[] {
    const link = this.#known.get('link');
    return link === undefined ? this.#stacked : [...this.#stacked, link];
  }

  /** Learns from a comparison with `value`; says which header it announces, where it does. */
  learn(clue: Clue, value: number): Announcement | undefined {
    if (clue.kind === 'ct') return this.#learnCt(clue.key, value);
    if (clue.kind === 'meta') return this.#learnMeta(clue.key, value);
    return this.#learnPayload(clue.header, clue.field, value);
  }

  #set(layer: Layer, header: Header | undefined): Announcement | undefined {
    this.#known.set(layer, header ?? unknown);
    return header && { layer, header };
  }

  #learnPayload(header: Header, field: string, value: number): Announcement | undefined {
    if (field === 'type' && (header === headers.icmp || header === headers.icmpv6))
      this.messageTypes = [value];
    if (header.key !== field) return undefined;
    const next = nextHeader(header, value);
    if (next === undefined) {
      if (header.base === 'link' || header.base === 'network')
        this.#set(ABOVE[header.base] as Layer, undefined);
      return undefined;
    }
    if (next.base === 'link') {
      this.#stacked.push(header);
      this.#known.set('link', next);
      return { layer: 'link', header: next };
    }
    return this.#set(layerOf(next.base), next);
  }

  /** The family of a connection is that of its packets; a match on it is never left out. */
  #learnCt(key: string, value: number): undefined {
    if (key !== 'l3proto' || this.family !== 'inet') return;
    const next = nextHeader(this.#first, value);
    if (next !== undefined) this.#known.set('network', next);
  }

  #learnMeta(key: string, value: number): Announcement | undefined {
    const first = this.#first;
    switch (key) {
      case 'iiftype': {
        if (first === headers.ether) return undefined;
        const name = deviceTypes.find(([type]) => type === value)?.[1];
        return this.#set('link', name === undefined ? undefined : findHeader(name));
      }
      case 'nfproto':
        if (first.base === 'network') return undefined;
        return this.#set('network', value === 2 ? headers.ip : value === 10 ? headers.ip6 : undefined);
      case 'l4proto':
        return this.#set('transport', nextHeader(inetService, value));
      case 'protocol': {
        if (first.base !== 'link' || first.keyMeta === 'nfproto') return undefined;
        const next = nextHeader(headers.ether, value);
        return next?.base === 'link' ? undefined : this.#set('network', next);
      }
    }
    return undefined;
  }
}
