import type { Typed } from '../bytecode/index.ts';
import { isPackable } from '../datatype/index.ts';
import type { Statement } from '../model/index.ts';
import { bytesFor, type Expr, type Value } from './expr.ts';
import type { EvaluatedStatement } from './scope.ts';

/**
 * Where the literal of a match stands as it is, in the data of a comparison: another literal that is a single value
 * of the same type would change these bytes, and nothing else of the rule.
 */
export interface LiteralPlace {
  /** The match whose right side it is, among the rule's statements. */
  readonly statement: number;
  /** What the literal is read as: in its type's own width and order. */
  readonly typed: Typed;
  /** The comparison among the rule's instructions. */
  readonly instruction: number;
  /** Where in the comparison's data. */
  readonly at: number;
}

/**
 * The value of a match's literal, where nothing depends on which one it is.
 *
 * Addresses, ports and names of interfaces are such: no protocol is learnt from them. They are compared as they are
 * with what one instruction loads; where the left side is calculated, its operations may go over to the constant.
 *
 * @param evaluated - what the statement became
 */
export function literalOf(
  statement: Statement,
  evaluated: EvaluatedStatement | undefined,
): Value | undefined {
  if (!('match' in statement) || evaluated?.kind !== 'match') return undefined;
  const { left, right } = evaluated;
  const given = typeof statement.match.right;
  if (given !== 'string' && given !== 'number') return undefined;
  if (left.kind !== 'payload' && (left.kind !== 'load' || left.greatest !== undefined)) return undefined;
  const { type } = right;
  const isAsItIs = right.kind === 'value' && right.bits === type.bits && right.byteorder === type.byteorder;
  return isAsItIs && isPackable(type) ? right : undefined;
}

/** Notes which of a rule's literals, by statement, a comparison's constant is made of. */
export function place(
  constant: Expr,
  instruction: number,
  literals: readonly (Value | undefined)[],
  places: LiteralPlace[],
): void {
  if (constant.kind !== 'value') return;
  let at = 0;
  for (const part of constant.joined ?? [constant]) {
    const statement = literals.indexOf(part);
    // What is merged is in network order.
    const isKept = part === constant || part.byteorder === 'network';
    if (statement >= 0 && isKept) places.push({ statement, typed: part, instruction, at });
    at += bytesFor(part.bits);
  }
}
