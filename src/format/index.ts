import './show.ts';

export { formatChange } from './change.ts';
export { formatCommand } from './command.ts';
export type { FormatOptions } from './options.ts';
export { formatExpression, formatRule, formatStatement } from './part.ts';
export { formatObject, formatRuleset } from './ruleset.ts';
export { formatTrace } from './trace.ts';
