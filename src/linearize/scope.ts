import type { ObjectType, SetDeclaration, Typed } from '../bytecode/index.ts';
import { quoted } from '../datatype/index.ts';
import type { Chain, Expression } from '../model/index.ts';
import type { FamilyName } from '../protocol/index.ts';
import type { Emitter } from './emit.ts';
import { CompileError, type Path } from './error.ts';
import type { Expr } from './expr.ts';
import { ProtocolContext } from './protocol-context.ts';

/** What the compiler can look up: the sets and objects of the rule's table, and fresh set numbers. */
export interface Names {
  /** A named set or map of the rule's table. */
  set(name: string): SetDeclaration | undefined;
  /** The kind of object that a name is, where it is known. */
  object?(name: string, type: ObjectType): boolean;
  /** A number that no other set of the transaction has. */
  nextSetId(): number;
  /** Looks a lone element of an anonymous set up, rather than comparing with it. */
  readonly keepsSets?: boolean;
}

/** A comparison, kept as an expression until all are known, because neighbours can be merged. */
export interface MatchStatement {
  readonly kind: 'match';
  readonly left: Expr;
  readonly op: MatchOp;
  readonly right: Expr;
}

/** `any`: one of these flags is set; `none`: none of them is. */
export type MatchOp = 'eq' | 'neq' | 'lt' | 'lte' | 'gt' | 'gte' | 'any' | 'none';

/** Any other statement: it has been evaluated and emits itself. */
export interface ActionStatement {
  readonly kind: 'action';
  readonly emit: (emitter: Emitter) => void;
}

export type EvaluatedStatement = MatchStatement | ActionStatement;

/**
 * Evaluates an expression of the model.
 *
 * @param want - what the place that the value goes to holds; absent on the left of a match
 */
export type Evaluate = (node: Expression, scope: Scope, path: Path | undefined, want?: Typed) => Expr;

/** Deeper than any rule is; an expression that is a part of itself is deeper still. */
const MAX_DEPTH = 200;

/** What is known while one rule is compiled. */
export class Scope {
  readonly family: FamilyName;
  readonly chain: Chain | undefined;
  readonly names: Names;
  readonly statements: EvaluatedStatement[] = [];
  /** Anonymous sets, in the order in which they must be made. */
  readonly sets: SetDeclaration[] = [];
  readonly #evaluate: Evaluate;
  readonly #outer: ProtocolContext;
  #inner: Map<string, ProtocolContext> | undefined;
  #tunnel: string | undefined;
  #depth = 0;

  constructor(family: FamilyName, chain: Chain | undefined, names: Names, evaluate: Evaluate) {
    this.#evaluate = evaluate;
    this.family = family;
    this.chain = chain;
    this.names = names;
    this.#outer = new ProtocolContext(family);
  }

  /** The tunnel header whose inside is looked at just now. */
  get tunnel(): string | undefined {
    return this.#tunnel;
  }

  /** What is known of the packet, or of the packet inside the tunnel that is looked at. */
  get protocols(): ProtocolContext {
    return this.#protocolsIn(this.#tunnel);
  }

  #protocolsIn(tunnel: string | undefined): ProtocolContext {
    if (tunnel === undefined) return this.#outer;
    this.#inner ??= new Map();
    let context = this.#inner.get(tunnel);
    if (context === undefined) {
      context = new ProtocolContext('bridge');
      this.#inner.set(tunnel, context);
    }
    return context;
  }

  /** Runs `look` with what is inside a tunnel in view. */
  inside<T>(tunnel: string, look: () => T): T {
    const before = this.#tunnel;
    this.#tunnel = tunnel;
    try {
      return look();
    } finally {
      this.#tunnel = before;
    }
  }

  /** Remembers what a match that holds tells of the protocols. */
  learn(left: Expr, right: Expr): void {
    const tunnel = left.kind === 'payload' || left.kind === 'load' ? left.tunnel : undefined;
    // nft takes the last of several families for the only one: a packet of another would be read wrong.
    if (right.kind === 'set' && left.kind === 'load' && left.source.join(' ') === 'ct l3proto') return;
    if (right.kind === 'value') this.#protocolsIn(tunnel).learn(left, right);
    if (right.kind !== 'set' || right.values === undefined) return;
    for (const value of right.values) this.#protocolsIn(tunnel).learn(left, value);
  }

  /** The same table, and nothing known of a packet. */
  apart(): Scope {
    return new Scope(this.family, this.chain, this.names, this.#evaluate);
  }

  evaluate(node: Expression, path: Path | undefined, want?: Typed): Expr {
    if (this.#depth === MAX_DEPTH)
      throw new CompileError(path, `an expression nests at most ${MAX_DEPTH} others`);
    this.#depth += 1;
    const expr = this.#evaluate(node, this, path, want);
    this.#depth -= 1;
    return expr;
  }

  push(statement: EvaluatedStatement): void {
    this.statements.push(statement);
  }

  /** Puts the statements that `add` pushes before all others: what they ask must hold for the whole rule. */
  first(add: () => void): void {
    const before = this.statements.splice(0);
    add();
    this.statements.push(...before);
  }

  /** Adds a statement that emits itself. */
  action(emit: (emitter: Emitter) => void): void {
    this.statements.push({ kind: 'action', emit });
  }

  /** A named set of the rule's table. */
  namedSet(reference: string, path: Path | undefined): SetDeclaration {
    const name = reference.slice(1);
    const set = this.names.set(name);
    if (set === undefined)
      throw new CompileError(path, `no set or map is called ${quoted(name)} in this table`);
    return set;
  }
}
