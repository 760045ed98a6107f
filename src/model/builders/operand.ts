import type { Expression } from '../expression.ts';
import { shown } from '../inspect.ts';
import type { MatchOperator, Statement, Verdict } from '../statement.ts';
import { type ElementValue, type Mapping, mapping } from './element.ts';
import { expressionOf, type Value } from './expression.ts';
import { worded } from './plain.ts';

/**
 * Something that a rule can read, and the sentences that start with it: `ip.saddr.eq('10.0.0.1')`,
 * `tcp.dport.vmap([[22, accept()]])`. The statements that come out are plain frozen JSON; `toJSON()` gives
 * the expression itself.
 */
export class Operand {
  /** What it stands for, as libnftables-json(5) has it. */
  readonly expression: Expression;

  constructor(expression: Value) {
    this.expression = expressionOf(expression);
    Object.freeze(this);
  }

  /** The same, for `JSON.stringify`. */
  toJSON(): Expression {
    return this.expression;
  }

  /** Equal; with a prefix, a range or a set on the right: in it. */
  eq(right: Value): Statement {
    return match(this, '==', right);
  }

  /** Not equal; with a prefix, a range or a set on the right: not in it. */
  ne(right: Value): Statement {
    return match(this, '!=', right);
  }

  lt(right: Value): Statement {
    return match(this, '<', right);
  }

  gt(right: Value): Statement {
    return match(this, '>', right);
  }

  le(right: Value): Statement {
    return match(this, '<=', right);
  }

  ge(right: Value): Statement {
    return match(this, '>=', right);
  }

  /**
   * A member of a set, anonymous (`set(…)`) or named (`'@name'`); or any of some flags, as in
   * `ct.state.in('established', 'related')`.
   */
  in(...values: readonly Value[]): Statement {
    const right = only(values);
    return match(this, isSet(right) ? '==' : 'in', right);
  }

  /** No member of a set, anonymous (`set(…)`) or named (`'@name'`); or none of some flags. */
  notIn(...values: readonly Value[]): Statement {
    const right = only(values);
    return match(this, isSet(right) ? '!=' : '!', right);
  }

  /** Whether an extension header, an option, a chunk or a route is there. */
  exists(): Statement {
    return match(this, '==', true);
  }

  /** Whether it is not. */
  missing(): Statement {
    return match(this, '==', false);
  }

  /** Changes it in the packet or its metadata: `meta mark set 1`. */
  set(value: Value): Statement {
    return worded({ mangle: { key: this.expression, value: expressionOf(value) } });
  }

  /** The value that a map has for this key: pairs, or a named map (`'@name'`). */
  map(data: Mapping<ElementValue>): Operand {
    return new Operand({ map: { key: this.expression, data: mapping(data) } });
  }

  /** The verdict that a map has for this key: pairs, or a named verdict map (`'@name'`). */
  vmap(data: Mapping<Verdict>): Statement {
    return worded({ vmap: { key: this.expression, data: mapping(data) } });
  }
}

shown(Operand.prototype);

/**
 * The operand of a selector without parts of its own: there are hundreds, made at each start, and one that is frozen is
 * shared, not copied.
 */
export function selector(kind: string, node: object): Operand {
  return new Operand(Object.freeze({ [kind]: Object.freeze(node) }) as unknown as Expression);
}

/** The rule goes on where the comparison holds. */
export function match(left: Value, op: MatchOperator, right: Value): Statement {
  return worded({ match: { op, left: expressionOf(left), right: expressionOf(right) } });
}

/** A list of values, or the value where there is one alone. */
function only(values: readonly Value[]): Expression {
  const list = values.map(expressionOf);
  return list.length === 1 && list[0] !== undefined ? list[0] : list;
}

/** An anonymous set, or the name of one. */
function isSet(value: Expression): boolean {
  if (typeof value === 'string') return value.startsWith('@');
  return typeof value === 'object' && 'set' in value;
}
