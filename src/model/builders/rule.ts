import { ModelError } from '../error.ts';
import type { Rule } from '../rule.ts';
import type { Statement } from '../statement.ts';
import type { TableRef } from '../table.ts';
import { checkComment, checkName } from './name.ts';
import { plain, worded } from './plain.ts';

/** A rule's comment, written among its statements as in nft: `accept comment "uplink"`. */
export interface Comment {
  readonly comment: string;
}

/** What a rule is written with. */
export type RulePart = Statement | Comment;

/** A comment of the rule that it is given to. At most 128 bytes. */
export function comment(text: string): Comment {
  return worded({ comment: checkComment(text) });
}

/**
 * The rule as the model has it.
 *
 * @throws ModelError when it has no statement, or more than one comment
 */
export function ruleDefinition(table: TableRef, chain: string, parts: readonly RulePart[]): Rule {
  const comments = parts.filter((part) => 'comment' in part);
  const expr = parts.filter((part): part is Statement => !('comment' in part));
  if (comments.length > 1) throw new ModelError(`a rule of chain ${chain} has more than one comment`);
  if (expr.length === 0) throw new ModelError(`a rule of chain ${chain} has no statement`);
  return plain({ ...table, chain: checkName('chain', chain), comment: comments[0]?.comment, expr }) as Rule;
}
