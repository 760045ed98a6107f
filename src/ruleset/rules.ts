import { CompileError } from '../linearize/index.ts';
import type { Command, Rule } from '../model/index.ts';
import type { RuleItem } from './contents.ts';
import { commonSubsequence } from './sequence.ts';
import { ruleWithStateOf } from './state.ts';

/** How the rules of a chain become others; in this order, with everything else in between. */
export interface RuleChanges {
  readonly remove: readonly Command[];
  readonly place: readonly Command[];
  /** After all others are in place: a replaced rule may have another handle. */
  readonly replace: readonly Command[];
}

/** What decides whether a rule may stay. */
export interface RuleOptions {
  readonly key?: ((rule: Rule) => string | undefined) | undefined;
  /** The chain is made anew: nothing is left of its rules. */
  readonly anew: boolean;
  /** The rule cannot stay although nothing of it changes. */
  readonly mustGo: (rule: RuleItem) => boolean;
}

/**
 * Compares the rules of a chain. As many as can be stay where they are, with handle and counters; the others
 * come before the right neighbour, and go on counting where one of the same identity had to go for them.
 */
export function compareRules(
  current: readonly RuleItem[],
  desired: readonly RuleItem[],
  { key, anew, mustGo }: RuleOptions,
): RuleChanges {
  const identity = (item: RuleItem, i: number): string => {
    const own = key?.(item.rule);
    return own === undefined ? `content ${item.content ?? `unknown ${i}`}` : `key ${own}`;
  };
  const left = current.map(identity);
  const right = desired.map(identity);
  const pairs = anew ? [] : commonSubsequence(left, right).filter(([i]) => !mustGo(current[i] as RuleItem));
  const stays = new Set(pairs.map(([i]) => i));
  const partner = new Map(pairs.map(([i, j]) => [j, current[i] as RuleItem]));

  const gone = new Map<string, RuleItem[]>();
  const remove: Command[] = [];
  current.forEach((item, i) => {
    if (stays.has(i)) return;
    const others = gone.get(left[i] as string);
    if (others === undefined) gone.set(left[i] as string, [item]);
    else others.push(item);
    if (!anew) remove.push({ delete: { rule: named(item) } });
  });

  const place: Command[] = [];
  const replace: Command[] = [];
  let waiting: Rule[] = [];
  desired.forEach((item, j) => {
    const old = partner.get(j);
    if (old === undefined) {
      const before = gone.get(right[j] as string)?.shift();
      waiting.push(before === undefined ? item.rule : ruleWithStateOf(item.rule, before.rule));
      return;
    }
    const handle = handleOf(old);
    place.push(...waiting.map((rule) => ({ insert: { rule: { ...rule, handle } } })));
    waiting = [];
    if (old.content !== item.content) {
      replace.push({ replace: { rule: { ...ruleWithStateOf(item.rule, old.rule), handle } } });
    }
  });
  place.push(...waiting.map((rule) => ({ add: { rule } })));
  return { remove, place, replace };
}

function named(item: RuleItem): Rule {
  const { family, table, chain } = item.rule;
  return { family, table, chain, handle: handleOf(item) };
}

function handleOf({ handle, path }: RuleItem): number {
  if (handle === undefined) {
    throw new CompileError(path, 'a rule that is there has a handle: list it from the kernel');
  }
  return handle;
}
