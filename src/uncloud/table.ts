import type {
  Chain,
  Expression,
  Family,
  Operand,
  RulesetElement,
  SetType,
  Statement,
  Verdict,
} from '../index.ts';
import type { SetMode } from './host.ts';

/** What a set's key is made of: what the packet is read for, with the type that a named set needs for it. */
export interface Key {
  readonly operand: Operand;
  readonly type: SetType;
}

/** A table under construction. Chains and rules list in the order in which they are written. */
export interface TableWriter {
  /** Adds a chain with its rules: a base chain, where it says what hooks it. */
  chain(name: string, rules: readonly (readonly Statement[])[], base?: BaseChain): void;
  /** A match on a set of these elements: made with the rule or named, as the host wants it. */
  among(name: string, key: Key, elements: readonly Expression[]): Statement;
  /** The verdict that each element has. */
  verdicts(name: string, key: Key, pairs: readonly (readonly [Expression, Verdict])[]): Statement;
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
    among(name, { operand, type }, elements) {
      if (!named(elements)) return operand.eq({ set: elements });
      sets.set(name, { set: { family, table, name, type, size: roomFor(elements.length), elem: elements } });
      return operand.eq(`@${name}`);
    },
    verdicts(name, { operand, type }, pairs) {
      if (!named(pairs)) return operand.vmap(pairs);
      sets.set(name, {
        map: { family, table, name, type, map: 'verdict', size: roomFor(pairs.length), elem: pairs as never },
      });
      return operand.vmap(`@${name}`);
    },
    elements: () => [{ table: { family, name: table } }, ...chains, ...sets.values(), ...rules],
  };
}
