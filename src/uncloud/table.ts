import type { Chain, Expression, Family, RulesetElement, SetType, Statement } from '../model/index.ts';
import type { SetMode } from './host.ts';
import { equal } from './words.ts';

/** What a set's key is made of: each part as an expression, with the type that a named set needs for it. */
export interface Key {
  readonly expression: Expression;
  readonly type: SetType;
}

/** A table under construction. Chains and rules list in the order in which they are written. */
export interface TableWriter {
  /** Adds a chain with its rules: a base chain, where it says what hooks it. */
  chain(name: string, rules: readonly (readonly Statement[])[], base?: BaseChain): void;
  /** A match on a set of these elements: made with the rule or named, as the host wants it. */
  among(name: string, key: Key, elements: readonly Expression[]): Statement;
  /** The verdict that each element has. */
  verdicts(name: string, key: Key, pairs: readonly (readonly [Expression, Statement])[]): Statement;
  /** Everything, in an order that can be sent. */
  elements(): RulesetElement[];
}

export type BaseChain = Required<Pick<Chain, 'hook' | 'policy'>> & {
  readonly prio: number;
  readonly dev?: readonly string[];
};

/** From this many elements on `auto` names a set, so that a change costs an element and not the whole set. */
const NAMED_FROM = 1024;

/** A named set has room for twice its elements before it has to be made anew. */
function roomFor(elements: number): number {
  return 2 ** Math.ceil(Math.log2(Math.max(512, 2 * elements)));
}

/** Begins a table. */
export function tableWriter(family: Family, table: string, mode: SetMode): TableWriter {
  /** Two rules may look the same thing up: a named set is made once. */
  const sets = new Map<string, RulesetElement>();
  const chains: RulesetElement[] = [];
  const rules: RulesetElement[] = [];
  const named = (elements: readonly unknown[]) =>
    mode === 'named' || (mode === 'auto' && elements.length >= NAMED_FROM);
  return {
    chain(name, bodies, base) {
      chains.push({ chain: { family, table, name, ...(base && { type: 'filter' as const, ...base }) } });
      for (const expr of bodies) rules.push({ rule: { family, table, chain: name, expr } });
    },
    among(name, { expression, type }, elements) {
      if (!named(elements)) return equal(expression, { set: elements });
      sets.set(name, { set: { family, table, name, type, size: roomFor(elements.length), elem: elements } });
      return equal(expression, `@${name}`);
    },
    verdicts(name, { expression, type }, pairs) {
      if (!named(pairs)) return { vmap: { key: expression, data: { set: pairs as never } } };
      sets.set(name, {
        map: { family, table, name, type, map: 'verdict', size: roomFor(pairs.length), elem: pairs as never },
      });
      return { vmap: { key: expression, data: `@${name}` } };
    },
    elements: () => [{ table: { family, name: table } }, ...chains, ...sets.values(), ...rules],
  };
}
