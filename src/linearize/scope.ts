import type { ObjectType, SetDeclaration, Typed } from '../bytecode/index.ts';
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

/** What is known while one rule is compiled. */
export class Scope {
  readonly family: FamilyName;
  readonly chain: Chain | undefined;
  readonly names: Names;
  readonly protocols: ProtocolContext;
  readonly statements: EvaluatedStatement[] = [];
  /** Anonymous sets, in the order in which they must be made. */
  readonly sets: SetDeclaration[] = [];
  readonly #evaluate: Evaluate;

  constructor(family: FamilyName, chain: Chain | undefined, names: Names, evaluate: Evaluate) {
    this.#evaluate = evaluate;
    this.family = family;
    this.chain = chain;
    this.names = names;
    this.protocols = new ProtocolContext(family);
  }

  evaluate(node: Expression, path: Path | undefined, want?: Typed): Expr {
    return this.#evaluate(node, this, path, want);
  }

  push(statement: EvaluatedStatement): void {
    this.statements.push(statement);
  }

  /** Adds a statement that emits itself. */
  action(emit: (emitter: Emitter) => void): void {
    this.statements.push({ kind: 'action', emit });
  }

  /** A named set of the rule's table. */
  namedSet(reference: string, path: Path | undefined): SetDeclaration {
    const name = reference.slice(1);
    const set = this.names.set(name);
    if (set === undefined) throw new CompileError(path, `no set or map is called ${JSON.stringify(name)} in this table`);
    return set;
  }
}
