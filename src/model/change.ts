import type { RulesetElement } from './ruleset.ts';

/**
 * - `add`: it is there now, in the place of what had its name (of rules: its handle) before: also a chain
 *   whose policy, a table whose flags or an element whose timeout was changed
 * - `insert`: a rule, at the beginning of its chain
 * - `replace`: a rule, in the place of the one with its handle
 * - `rename`: a chain; `newname` is what it is called now
 * - `delete`: it is gone; only what names it is told, of elements all
 */
export type ChangeAction = 'add' | 'insert' | 'replace' | 'rename' | 'delete';

/** One thing that was changed. Anonymous sets appear in their rules alone. */
export interface Change {
  readonly action: ChangeAction;
  readonly object: RulesetElement;
  /** Of an added rule: the handle of the one right before it. Without it, it is the chain's last. */
  readonly after?: number;
}
