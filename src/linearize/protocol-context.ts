import type { FamilyName, Header, PayloadBase } from '../protocol/index.ts';
import { deviceTypes, families, findHeader, headers, inetService, nextHeader } from '../protocol/index.ts';
import type { Expr, Value } from './expr.ts';

/** Layers in their order in the packet. */
const LAYERS = ['link', 'network', 'transport', 'inner'] as const;
export type Layer = (typeof LAYERS)[number];

/** The header that stands for "some protocol that nft has no table for". */
const unknown: Header = { name: 'unknown', id: 0, base: 'link', bits: 0, next: [], fields: {} };

/** The layer of a payload's base; what lies in a tunnel has no layer here. */
export function layerOf(base: PayloadBase): Layer {
  return base === 'tunnel' ? 'inner' : base;
}

/** The layer before `layer`. */
export function layerBelow(layer: Layer): Layer | undefined {
  return LAYERS[LAYERS.indexOf(layer) - 1];
}

/** Compares the order of two layers. */
export function isBelow(layer: Layer, other: Layer): boolean {
  return LAYERS.indexOf(layer) < LAYERS.indexOf(other);
}

/**
 * What the matches so far have told about a packet's headers (nft's proto_ctx): a later payload match
 * needs a dependency only for what is not known.
 */
export class ProtocolContext {
  readonly family: FamilyName;
  readonly #known = new Map<Layer, Header>();
  /** Transport headers that matches named: of one of several nobody knows which the packet has. */
  #transports: Set<Header> | undefined;
  /** Link headers in front of the innermost one: with vlan on ether, ether. */
  readonly #stacked: Header[] = [];

  constructor(family: FamilyName) {
    this.family = family;
    const { header } = families[family];
    this.#known.set(layerOf(header.base), header);
  }

  /** The header that the family promises. */
  get familyHeader(): Header {
    return families[this.family].header;
  }

  header(layer: Layer): Header | undefined {
    return this.#known.get(layer);
  }

  /** True while the link header is only promised to be some network device's. */
  get linkIsOpen(): boolean {
    const link = this.#known.get('link');
    return link !== undefined && link.bits === 0 && link !== unknown;
  }

  isStacked(header: Header): boolean {
    return this.#stacked.includes(header);
  }

  /** Bits of the link headers in front of the innermost one. */
  get stackedBits(): number {
    return this.#stacked.reduce((sum, header) => sum + header.bits, 0);
  }

  get hasStacked(): boolean {
    return this.#stacked.length > 0;
  }

  /** Remembers that a packet has `header`. */
  set(layer: Layer, header: Header): void {
    this.#known.set(layer, header);
    if (layer !== 'transport') return;
    this.#transports ??= new Set();
    this.#transports.add(header);
  }

  /** A transport header other than `header` that the packet may have as well, by what matches told. */
  rivalOf(header: Header): Header | undefined {
    if (this.#transports === undefined || this.#transports.size < 2) return undefined;
    return [...this.#transports].find((other) => other !== header);
  }

  /** The ICMP or ICMPv6 type that the packet is known to have. */
  messageType: number | undefined;

  /** Learns from `left == right`, where that says which protocol comes next. */
  learn(left: Expr, right: Value): void {
    const value = Number(right.value);
    if (left.kind === 'payload') this.#learnFromPayload(left.header, left.field, value);
    else if (left.kind === 'load' && left.source[0] === 'meta') this.#learnFromMeta(left.source[1], value);
    else if (left.kind === 'load' && left.source[0] === 'ct') this.#learnFromCt(left.source[1], value);
  }

  #learnFromPayload(headerName: string | undefined, field: string | undefined, value: number): void {
    if (headerName === undefined) return;
    const header = findHeader(headerName);
    if (field === 'type' && (header === headers.icmp || header === headers.icmpv6)) this.messageType = value;
    if (header.key === undefined || header.key !== field) return;
    // As nft has it, the innermost header announces, whichever of the stack was asked.
    const innermost = this.#known.get(layerOf(header.base)) ?? header;
    const next = nextHeader(innermost, value);
    if (next === undefined) return;
    if (next.base === innermost.base && innermost.base === 'link') this.#stacked.push(innermost);
    this.set(layerOf(next.base), next);
  }

  /** A connection's packets are of its family, and of its protocol. */
  #learnFromCt(key: string, value: number): void {
    if (key === 'l3proto' && this.family === 'inet') {
      const next = nextHeader(this.familyHeader, value);
      if (next) this.set('network', next);
    }
    const network = key === 'protocol' && this.header('network');
    const next = network && nextHeader(network, value);
    if (next) this.set('transport', next);
  }

  #learnFromMeta(key: string, value: number): void {
    const first = this.familyHeader;
    switch (key) {
      case 'iiftype': {
        if (first.base !== 'link' || this.family === 'bridge') {
          if (first.base === 'link') return;
        }
        const name = deviceTypes.find(([type]) => type === value)?.[1];
        this.set('link', name === undefined ? unknown : findHeader(name));
        return;
      }
      case 'nfproto': {
        if (families[this.family].number === value && first.base === 'network') return;
        this.set('network', nextHeader(first, value) ?? unknown);
        return;
      }
      case 'l4proto':
        this.set('transport', nextHeader(inetService, value) ?? unknown);
        return;
      case 'protocol': {
        if (this.family !== 'netdev' && this.family !== 'bridge') return;
        this.set('network', nextHeader(headers.ether, value) ?? unknown);
        return;
      }
    }
  }
}
