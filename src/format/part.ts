import type { Expression, Rule, Statement } from '../model/index.ts';
import { format } from './expression.ts';
import type { FormatOptions } from './options.ts';
import { ruleText } from './rule.ts';
import { statementText } from './statement/index.ts';
import { checked, orComment } from './text.ts';

/** A rule in nft syntax as it stands in its chain: statements and comment. */
export function formatRule(rule: Rule, options: FormatOptions = {}): string {
  return ruleText(rule, options);
}

/** A statement in nft syntax; a comment where that has no words for it. */
export function formatStatement(statement: Statement): string {
  return orComment(statement, () => statementText(statement));
}

/**
 * An expression in nft syntax. Literals are written as they are: only what they are compared with tells
 * their type.
 */
export function formatExpression(expression: Expression): string {
  return orComment({ expression }, () => checked(format(expression, undefined)));
}
