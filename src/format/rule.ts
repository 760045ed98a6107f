import type { Rule } from '../model/index.ts';
import { type FormatOptions, handleText } from './options.ts';
import { statementText } from './statement/index.ts';
import { orComment, quoted } from './text.ts';

/** A rule as it stands in its chain; one that nft cannot say is a comment as a whole. */
export function ruleText({ family, expr = [], comment, handle }: Rule, options: FormatOptions): string {
  const text = orComment({ expr, comment }, () => {
    const statements = expr.map((statement) => statementText(statement, family));
    return [...statements, ...(comment === undefined ? [] : [`comment ${quoted(comment)}`])].join(' ');
  });
  return text + handleText(handle, options);
}
