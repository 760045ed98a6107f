import { joinedBits, type KnownSet, SET_FLAGS, type Typed } from '../bytecode/index.ts';
import { datatype } from '../datatype/index.ts';
import type { Expression, Statement } from '../model/index.ts';
import type { FamilyName, Header } from '../protocol/index.ts';
import { headers, netdev } from '../protocol/index.ts';
import { describeBitwise } from './bitwise.ts';
import { literal, type Notation, registerLiteral } from './constant.ts';
import { Dependencies } from './dependency.ts';
import type { Described } from './described.ts';
import { readElements } from './elements.ts';
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
  /** The instructions that it takes the place of. */
  readonly covers: readonly number[];
  /** Another statement must imply it, because the model has no words for it. */
  readonly unsayable: boolean;
  /** Another statement implies it. */
  implied: boolean;
}

/** NFT_INNER_LL: the tunnel carries frames. */
const LINK_INSIDE = 2;

/** What is known where a term looks: in the packet, or in the one inside a tunnel. */
interface Scope {
  readonly protocols: ProtocolContext;
  readonly dependencies: Dependencies;
}

/** How a rule is to be read. */
export interface Style {
  /** Leave out matches that later ones imply, as nft does. */
  readonly implied: boolean;
}

/** Puts terms and comparisons into the model's words, in the light of the matches so far. */
export class Describer {
  readonly family: FamilyName;
  readonly notation: Notation;
  readonly protocols: ProtocolContext;
  readonly #dependencies: Dependencies;
  readonly #style: Style;
  readonly entries: Entry[] = [];
  readonly #inside = new Map<string, Scope>();
  #at = 0;
  #covers: readonly number[] = [];

  constructor(family: FamilyName, notation: Notation, style: Style) {
    this.family = family;
    this.notation = notation;
    this.protocols = new ProtocolContext(family);
    this.#style = style;
    this.#dependencies = new Dependencies(family, style.implied);
  }

  /** Runs one step of the rule. Where it has no faithful form it leaves no trace, and this says false. */
  attempt(at: number, covers: readonly number[], run: (describer: Describer) => void): boolean {
    this.#at = at;
    this.#covers = covers;
    const count = this.entries.length;
    try {
      run(this);
      for (const dependencies of this.#all()) dependencies.settle();
      const acts = this.entries.slice(count).some(({ statement }) => !('match' in statement));
      if (acts) for (const dependencies of this.#all()) dependencies.reset();
      return true;
    } catch (error) {
      if (!(error instanceof Inexpressible)) throw error;
      this.entries.length = count;
      for (const dependencies of this.#all()) dependencies.forget();
      return false;
    }
  }

  #all(): Dependencies[] {
    return [this.#dependencies, ...[...this.#inside.values()].map(({ dependencies }) => dependencies)];
  }

  push(statement: Statement, unsayable = false): Entry {
    const entry: Entry = { statement, at: this.#at, covers: this.#covers, unsayable, implied: false };
    this.entries.push(entry);
    return entry;
  }

  /** Says that a statement could only be about packets with `header`: what asked for that is implied. */
  uses(header: Header, tunnel?: Tunnel): void {
    this.scope(tunnel).dependencies.imply(header);
    // GRE is a tunnel whatever is in it, so that nothing but its number asks for it.
    if (tunnel !== undefined && tunnel.carrier === undefined) this.#dependencies.imply(headers.gre);
  }

  /** What is known of the headers where a term looks. */
  scope(tunnel: Tunnel | undefined): Scope {
    if (tunnel === undefined) return { protocols: this.protocols, dependencies: this.#dependencies };
    let scope = this.#inside.get(tunnel.name);
    if (scope === undefined) {
      const first = tunnel.flags & LINK_INSIDE ? headers.ether : netdev;
      scope = {
        protocols: new ProtocolContext('netdev', first),
        dependencies: new Dependencies('netdev', this.#style.implied),
      };
      this.#inside.set(tunnel.name, scope);
    }
    return scope;
  }

  describe(term: Term): Described {
    switch (term.kind) {
      case 'payload':
        return this.payload(term);
      case 'exthdr':
        this.uses(carrierOf(term.instruction));
        return describeExthdr(term.instruction);
      case 'load': {
        const described = describeLoad(term.instruction, this.protocols);
        return term.tunnel === undefined ? described : { ...described, tunnel: term.tunnel, unsayable: true };
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
    const named = namedPayload(term, this.scope(term.tunnel).protocols);
    if (named?.field === undefined) return rawPayload(term);
    this.uses(named.field.header, term.tunnel);
    if (named.field.message) this.scope(term.tunnel).dependencies.implyMessage(named.field.header);
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
    const parts = key.parts ?? [key];
    // The kernel compares the keys of intervals from their first byte on.
    const ordered =
      set.flags & SET_FLAGS.interval
        ? parts.map((part) => ({ ...part, byteorder: 'network' as const }))
        : parts;
    return { set: readElements(set.elements, { ...set, key: ordered }, this.notation) };
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

  /** A number in the words of its type. */
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
}
