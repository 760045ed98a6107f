import type { Expression } from '../expression.ts';
import { plain } from './plain.ts';

/** What a builder takes where the model has an expression: the expression, or an operand that stands for it. */
export type Value = Expression | { toJSON(): Expression };

/** The expression that a value stands for. */
export function expressionOf(value: Value): Expression {
  return plain(typeof value === 'object' && 'toJSON' in value ? value.toJSON() : value);
}
