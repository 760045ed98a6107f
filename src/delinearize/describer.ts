import { joinedBits, type KnownSet, SET_FLAGS, type Typed } from '../bytecode/index.ts';
import { datatype, fromBytes } from '../datatype/index.ts';
import type { Chain, Expression, Statement } from '../model/index.ts';
import type { FamilyName, Header } from '../protocol/index.ts';
import { headers } from '../protocol/index.ts';
import { describeBitwise } from './bitwise.ts';
import { literal, type Notation, registerLiteral } from './constant.ts';
import { Dependencies } from './dependency.ts';
import type { Described } from './described.ts';
import { delinearizeElements } from './elements.ts';
import { carrierOf, describeExthdr } from './exthdr.ts';
import { describeHash, describeLoad } from './load.ts';
import { namedPayload, rawPayload } from './payload.ts';
import { ProtocolContext } from './protocol-context.ts';
import { Inexpressible, type MapTerm, type Payload, type Term, type Tunnel } from './term.ts';
import { verdictStatement } from './verdict.ts';

/** A statement, and the instruction at which it stands. */
export interface Entry {
  readonly statement: Statement;
  readonly at: number;
  /** Another statement implies it. */
  implied: boolean;
}

/** How a rule is to be read. */
export interface Style {
  /** Leave out matches that later ones imply, as nft does. */
  readonly implied: boolean;
}

/** Puts terms and comparisons into the model's words, in the light of the matches so far. */
export class Describer {
  readonly family: FamilyName;
  readonly chain: Chain | undefined;
  readonly notation: Notation;
  readonly protocols: ProtocolContext;
  readonly dependencies: Dependencies;
  readonly entries: Entry[] = [];
  readonly #inside = new Map<string, ProtocolContext>();
  #at = 0;

  constructor(family: FamilyName, chain: Chain | undefined, notation: Notation, style: Style) {
    this.family = family;
    this.chain = chain;
    this.notation = notation;
    this.protocols = new ProtocolContext(family);
    this.dependencies = new Dependencies(family, style.implied);
  }

  /** Runs one step of the rule. Where it has no faithful form it leaves no trace, and this says false. */
  attempt(at: number, run: (describer: Describer) => void): boolean {
    this.#at = at;
    const count = this.entries.length;
    try {
      run(this);
      this.dependencies.settle();
      if (this.entries.slice(count).some(({ statement }) => !('match' in statement)))
        this.dependencies.reset();
      return true;
    } catch (error) {
      if (!(error instanceof Inexpressible)) throw error;
      this.entries.length = count;
      this.dependencies.forget();
      return false;
    }
  }

  push(statement: Statement): Entry {
    const entry: Entry = { statement, at: this.#at, implied: false };
    this.entries.push(entry);
    return entry;
  }

  /** Says that a statement could only be about packets with `header`: what asked for that is implied. */
  uses(header: Header, tunnel?: Tunnel): void {
    if (tunnel === undefined) this.dependencies.imply(header);
    else if (tunnel.carrier !== undefined) this.dependencies.imply(headers[tunnel.carrier]);
  }

  /** What is known of the headers where a term looks: of the packet, or of the one inside a tunnel. */
  contextOf(tunnel: Tunnel | undefined): ProtocolContext {
    if (tunnel === undefined) return this.protocols;
    let context = this.#inside.get(tunnel.name);
    if (context === undefined) {
      context = this.protocols.inside();
      this.#inside.set(tunnel.name, context);
    }
    return context;
  }

  describe(term: Term): Described {
    switch (term.kind) {
      case 'payload':
        return this.payload(term);
      case 'exthdr':
        this.uses(carrierOf(term.instruction));
        return describeExthdr(term.instruction);
      case 'load': {
        if (term.tunnel !== undefined) throw new Inexpressible('metadata of a tunnelled packet');
        return describeLoad(term.instruction, this.protocols);
      }
      case 'hash':
        return describeHash(term.instruction, this.describe(term.arg).node);
      case 'bitwise':
        return describeBitwise(term, this);
      case 'shift': {
        const arg = this.describe(term.arg);
        if (term.op === 'rshift' && arg.shift === term.by) return { ...arg, shift: 0 };
        if (arg.shift) throw new Inexpressible('the field is shifted already');
        const node = { [term.op === 'lshift' ? '<<' : '>>']: [arg.node, term.by] } as unknown as Expression;
        return { node, type: datatype('integer'), bits: term.length * 8, byteorder: 'host' };
      }
      case 'swap':
        return { ...this.describe(term.arg), byteorder: term.to };
      case 'concat': {
        const parts = term.parts.map((part) => this.describe(part));
        const [first] = parts as [Described];
        return {
          ...first,
          field: undefined,
          meta: undefined,
          node: { concat: parts.map((part) => part.node) },
          bits: joinedBits(parts),
          parts,
        };
      }
      case 'map':
        return this.#map(term);
      case 'constant':
      case 'verdict':
        throw new Inexpressible('a constant where a part of the packet belongs');
    }
  }

  payload(term: Payload): Described {
    const named = namedPayload(term, this.contextOf(term.tunnel));
    if (named?.field === undefined) return rawPayload(term);
    this.uses(named.field.header, term.tunnel);
    if (named.field.message) this.dependencies.implyMessage(named.field.header);
    return named;
  }

  #map({ key, set }: MapTerm): Described {
    if (set.data?.kind !== 'value') throw new Inexpressible('the map holds no values');
    const { parts } = set.data;
    const [first] = parts as [Typed];
    const described = this.describe(key);
    const node: Expression = { map: { key: described.node, data: this.setReference(set, described) } };
    const typed = { type: first.type, bits: joinedBits(parts), byteorder: first.byteorder };
    return parts.length === 1
      ? { ...typed, node }
      : { ...typed, node, parts: parts.map((part) => ({ ...part, node })) };
  }

  /** The name of a set, or the elements of one that belongs to the rule alone. */
  setReference(set: KnownSet, key: Described): Expression {
    if (!(set.flags & SET_FLAGS.anonymous)) return `@${set.name}`;
    if (set.elements === undefined) throw new Inexpressible('the elements of the set are not known');
    return { set: delinearizeElements(set.elements, { ...set, key: key.parts ?? [key] }, this.notation) };
  }

  /** A value that goes to a place of type `want`: a constant, or what a register was loaded with. */
  value(term: Term, want: Typed): Expression {
    if (term.kind === 'constant') return this.constant(term.bytes, want);
    if (term.kind === 'concat' && term.parts.every((part) => part.kind === 'constant')) {
      throw new Inexpressible('several constants where one belongs');
    }
    return this.describe(term).node;
  }

  constant(bytes: Uint8Array, want: Typed): Expression {
    if (bytes.length !== Math.ceil(want.bits / 8)) throw new Inexpressible('the constant has another width');
    return registerLiteral(bytes, want, this.notation);
  }

  /** The bare number in host or network order, for places without symbols. */
  literal(value: bigint, typed: Typed): Expression {
    return literal(value, typed, this.notation);
  }

  verdict(term: Term): void {
    if (term.kind === 'verdict') {
      this.push(verdictStatement(term.verdict));
      return;
    }
    if (term.kind !== 'map' || term.set.data?.kind !== 'verdict') throw new Inexpressible('no verdict');
    const key = this.describe(term.key);
    this.push({ vmap: { key: key.node, data: this.setReference(term.set, key) } });
  }

  /** The number of a constant of this type. */
  number(bytes: Uint8Array, typed: Typed): bigint {
    return fromBytes(bytes, typed.byteorder);
  }
}
