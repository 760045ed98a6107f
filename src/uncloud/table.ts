import {
  type Chain,
  type Expression,
  goto,
  type LimitState,
  limit,
  type MapExpression,
  type Operand,
  type RulesetElement,
  type SetType,
  type Statement,
  type Verdict,
} from '../index.ts';
import { maskLength } from './address.ts';
import { identifier } from './check.ts';
import type { SetMode } from './host.ts';
import type { Inventory, TableFamily, Use } from './inventory.ts';

/** The name of each table of ours. Nothing outside of them is ever touched. */
export const TABLE = 'uncloud';

/** What a set's key is made of: what the packet is read for, with the type that a named set needs for it. */
export interface Key {
  readonly operand: Operand;
  readonly type: SetType;
}

type Rule = readonly Statement[];

export type BaseChain = Required<Pick<Chain, 'hook' | 'policy'>> & {
  readonly type?: Chain['type'];
  readonly prio: number;
  readonly dev?: readonly string[];
};

interface ChainPlan {
  readonly name: string;
  readonly base?: BaseChain;
  readonly rules: readonly Rule[];
}

interface SetPlan {
  readonly name: string;
  readonly type: SetType;
  /** What a map gives. */
  readonly map?: 'verdict' | SetType;
  /** Has a name whatever the host says. */
  readonly alwaysNamed?: true;
  /** Its elements come and go by themselves, after so many seconds where they do not say another time. */
  readonly dynamic?: { readonly timeout?: number };
}

/** A table without the elements of its sets: rules look them up by name. */
export interface TablePlan {
  readonly family: TableFamily;
  readonly sets: ReadonlyMap<string, SetPlan>;
  readonly chains: readonly ChainPlan[];
}

/** What a set of learnt addresses may hold at most: it takes no memory for that. */
const MOST_LEARNED = 1 << 20;
/** Seconds after which nothing is known any more of what was limited: by then it may have all at once again. */
const FORGOTTEN = { second: 60, minute: 60, hour: 3600, day: 86_400, week: 604_800 } as const;

/** Stands for a match on a set without elements: a rule with it never holds, and is left out. */
const NEVER: Statement = Object.freeze({ continue: null });

/** A table under construction. Chains and rules list in the order in which they are written. */
export interface TableWriter {
  readonly family: TableFamily;
  /** Adds a chain with its rules: a base chain, where it says what hooks it. */
  chain(name: string, rules: readonly Rule[], base?: BaseChain): void;
  /**
   * Adds a base chain that fails closed. What no rule ends meets `last`, which is a rule as well: the kernel puts
   * rules in force at once, all together, and policies one by one thereafter. The policy is drop for the moment in
   * which the chain goes and another one takes its place: the kernel takes the rules out of it before its hook.
   *
   * Of devices, each has a base chain of its own, which goes to the one with the rules: one that comes or goes
   * leaves the others' hooks alone, which no kernel before 6.4 could do with a chain of several, nor later ones
   * where it is to be in two such chains.
   */
  decide(name: string, rules: readonly Rule[], last: Verdict, base: Omit<BaseChain, 'policy'>): void;
  /** A match on the set of this name. */
  among(name: string, key: Key, options?: { readonly alwaysNamed?: true }): Statement;
  /** A match on the set of what ports have learnt, which {@link Learner} fills; where no port learns it never holds. */
  learned(name: string, key: Key): Statement;
  /** Matches no more often than the limit for each key; one with `inv`, what is over it. */
  limited(name: string, key: Key, most: LimitState): Statement;
  /** The verdict that the map of this name has. */
  verdicts(name: string, key: Key): Statement;
  /** Sets a part of the packet to what the map of this name has. */
  assign(target: Operand, name: string, key: Key, type: SetType): Statement;
  /** How many elements a set has. */
  size(name: string): number;
  /** The prefix lengths in use for a field. */
  lengths(field: string): number[];
  /** What is in use here. */
  uses(kind: Use['kind']): Use[];
  plan(): TablePlan;
}

/** Begins a table. */
export function tableWriter(family: TableFamily, inventory: Inventory): TableWriter {
  const sets = new Map<string, SetPlan>();
  const chains: ChainPlan[] = [];
  const size = (name: string) => inventory.size(family, name);
  /** A statement that reads a set, or one that says that there is nothing to read. */
  const reading = (set: SetPlan, statement: Statement): Statement => {
    if ((set.dynamic ? size('learn') : size(set.name)) === 0) return NEVER;
    if (!sets.has(set.name)) sets.set(set.name, set);
    return statement;
  };
  const held = (bodies: readonly Rule[]) => bodies.filter((body) => !body.includes(NEVER));
  return {
    family,
    chain(name, bodies, base) {
      const rules = held(bodies);
      // A hook that lets everything through only costs time.
      if (base?.policy === 'accept' && rules.length === 0) return;
      chains.push({ name, rules, ...(base && { base }) });
    },
    decide(name, bodies, last, { dev, ...base }) {
      const rules = held(bodies);
      if (('accept' in last && rules.length === 0) || dev?.length === 0) return;
      const own = { ...base, policy: 'drop' } as const;
      chains.push({ name, rules: [...rules, [last]], ...(!dev && { base: own }) });
      for (const device of dev ?? []) {
        const hooked = { ...own, dev: [device] };
        chains.push({ name: `${name}/${identifier(device)}`, rules: [[goto(name)]], base: hooked });
      }
    },
    among: (name, { operand, type }, options) => reading({ name, type, ...options }, operand.eq(`@${name}`)),
    learned: (name, { operand, type }) => reading({ name, type, dynamic: {} }, operand.eq(`@${name}`)),
    limited(name, { operand, type }, most) {
      if (!sets.has(name)) sets.set(name, { name, type, dynamic: { timeout: FORGOTTEN[most.per] } });
      return { set: { op: 'update', elem: operand.expression, set: `@${name}`, stmt: [limit(most)] } };
    },
    verdicts: (name, { operand, type }) => reading({ name, type, map: 'verdict' }, operand.vmap(`@${name}`)),
    assign: (target, name, { operand, type }, map) =>
      reading({ name, type, map }, target.set(operand.map(`@${name}`))),
    size,
    lengths: (field) => inventory.lengths(family, field),
    uses: (kind) => inventory.uses(family, kind),
    plan: () => ({ family, sets, chains }),
  };
}

/** The elements of a set, or the pairs of a map. */
export type Elements = readonly (Expression | readonly [Expression, Expression])[];

/**
 * From this many elements on `auto` names a set. Measured, one address of one VM changed and committed: with 4
 * VMs 0.9 ms anonymous and 0.8 named, with 32 0.8 and 0.6, with 256 2.5 and 0.7, with 1,024 7.3 and 0.8. Below,
 * either costs the same, and anonymous sets leave the kernel fewer objects.
 */
const NAMED_FROM = 32;

/**
 * Whether a set is named. What says whom rules are for (interfaces, verdicts) always is: a set made with its rule
 * goes with its rule, and a packet that has just met the old rule finds nothing in it any more. Where addresses are
 * looked up it drops then; where ports are, it would pass as a stranger's.
 */
export function isNamed(
  { alwaysNamed, dynamic, map, type }: SetPlan,
  mode: SetMode,
  elements: number,
): boolean {
  if (alwaysNamed || dynamic || map === 'verdict' || type === 'ifname' || mode === 'named') return true;
  return mode === 'auto' && elements >= NAMED_FROM;
}

/** A named set has room for twice its elements before it has to be made anew. */
export function roomFor(elements: number): number {
  return 2 ** Math.ceil(Math.log2(Math.max(512, 2 * elements)));
}

/** A named set or map, with its elements or without. */
export function setElement(
  family: TableFamily,
  plan: SetPlan,
  size: number,
  elem?: Elements,
): RulesetElement {
  const { name, type, map, dynamic } = plan;
  if (dynamic) {
    const flags = ['timeout', 'dynamic'] as const;
    return { set: { family, table: TABLE, name, type, flags, size: MOST_LEARNED, ...dynamic } };
  }
  const body = { family, table: TABLE, name, type, size, ...(elem && { elem: elem as never }) };
  return map === undefined ? { set: body } : { map: { ...body, map } };
}

export function chainElement(family: TableFamily, { name, base }: ChainPlan): RulesetElement {
  return { chain: { family, table: TABLE, name, ...(base && { type: 'filter', ...base }) } };
}

export function ruleElement(family: TableFamily, chain: string, expr: Rule): RulesetElement {
  return { rule: { family, table: TABLE, chain, expr } };
}

/** What is filled in for `@name` where a set is made with its rule. */
type Inline = (name: string) => Expression | undefined;

/** Of one network alone it is said as a network, which is how the kernel would tell it. */
function single(left: Expression, right: Expression): Statement | undefined {
  const masked = typeof left === 'object' && '&' in left ? left['&'] : undefined;
  const elements = typeof right === 'object' && 'set' in right ? right.set : undefined;
  if (!Array.isArray(masked) || !Array.isArray(elements) || elements.length !== 1) return undefined;
  const [field, mask] = masked as [Expression, Expression];
  const [addr] = elements as [Expression];
  if (typeof mask !== 'string' || typeof addr !== 'string') return undefined;
  return { match: { op: '==', left: field, right: { prefix: { addr, len: maskLength(mask) } } } };
}

/** A statement in which anonymous sets take the place of names. */
function filled(statement: Statement, inline: Inline): Statement {
  const found = (value: unknown): Expression | undefined =>
    typeof value === 'string' && value.startsWith('@') ? inline(value.slice(1)) : undefined;
  if ('match' in statement) {
    const right = found(statement.match.right);
    return right === undefined
      ? statement
      : (single(statement.match.left, right) ?? { match: { ...statement.match, right } });
  }
  if ('vmap' in statement) {
    const data = found(statement.vmap.data);
    return data === undefined ? statement : { vmap: { ...statement.vmap, data } };
  }
  if ('mangle' in statement) {
    const { key, value } = statement.mangle;
    if (typeof value !== 'object' || Array.isArray(value) || !('map' in value)) return statement;
    const { map } = value as MapExpression;
    const data = found(map.data);
    return data === undefined ? statement : { mangle: { key, value: { map: { ...map, data } } } };
  }
  return statement;
}

/** A rule in which anonymous sets take the place of names. */
export function filledRule(rule: Rule, inline: Inline): Rule {
  return rule.map((statement) => filled(statement, inline));
}

/** A table with the elements of its sets, in an order that can be sent. */
export function tableElements(
  { family, sets, chains }: TablePlan,
  mode: SetMode,
  elementsOf: (set: string) => Elements,
): RulesetElement[] {
  const named: RulesetElement[] = [];
  const inline = new Map<string, Expression>();
  for (const plan of sets.values()) {
    const elements = elementsOf(plan.name);
    if (isNamed(plan, mode, elements.length)) {
      named.push(setElement(family, plan, roomFor(elements.length), elements));
    } else inline.set(plan.name, { set: elements as never });
  }
  const rules = chains.flatMap(({ name, rules }) =>
    rules.map((expr) =>
      ruleElement(
        family,
        name,
        filledRule(expr, (set) => inline.get(set)),
      ),
    ),
  );
  return [
    { table: { family, name: TABLE } },
    ...chains.map((chain) => chainElement(family, chain)),
    ...named,
    ...rules,
  ];
}
