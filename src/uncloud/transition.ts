import type { Command, RulesetElement } from '../index.ts';
import type { SetMode } from './host.ts';
import type { Entry, TableFamily } from './inventory.ts';
import { elementOf } from './render.ts';
import {
  chainElement,
  type Elements,
  filledRule,
  isNamed,
  roomFor,
  ruleElement,
  setElement,
  TABLE,
  type TablePlan,
} from './table.ts';

/** From one state of our tables to another. */
export interface Transition {
  readonly before: readonly TablePlan[];
  readonly after: readonly TablePlan[];
  /** Elements that go and come. */
  readonly removed: readonly Entry[];
  readonly added: readonly Entry[];
  readonly mode: SetMode;
  /** Room of each named set that there is; brought up to date. */
  readonly rooms: Map<string, number>;
  size(family: TableFamily, set: string): number;
  /** All elements of some sets: a look at every record. */
  elements(sets: ReadonlySet<string>): ReadonlyMap<string, Elements>;
}

type SetPlan = TablePlan['sets'] extends ReadonlyMap<string, infer S> ? S : never;
type ChainPlan = TablePlan['chains'][number];

const idOf = (family: TableFamily, name: string) => `${family} ${name}`;

/** Commands in the order in which they must come: nothing goes while something names it. */
class Script {
  readonly flush: Command[] = [];
  readonly takeOut: Command[] = [];
  readonly remove: Command[] = [];
  readonly make: Command[] = [];
  readonly fill: Command[] = [];
  readonly rules: Command[] = [];

  all(): Command[] {
    return [...this.flush, ...this.takeOut, ...this.remove, ...this.make, ...this.fill, ...this.rules];
  }
}

/** The sets that rules name. */
const named = (text: string): string[] => [...text.matchAll(/"@([^"]+)"/g)].map(([, name]) => name as string);

/**
 * The smallest transaction that is told without a look at the kernel: elements where sets stay what they are;
 * where one is made anew, or is anonymous, the chains that name it are filled again.
 */
export function transition(change: Transition): Command[] {
  const script = new Script();
  const families = new Set([...change.before, ...change.after].map(({ family }) => family));
  for (const family of families) {
    const find = (plans: readonly TablePlan[]) => plans.find((plan) => plan.family === family);
    tableTransition(family, find(change.before), find(change.after), change, script);
  }
  return script.all();
}

function tableTransition(
  family: TableFamily,
  before: TablePlan | undefined,
  after: TablePlan | undefined,
  change: Transition,
  script: Script,
): void {
  const { mode, rooms, size } = change;
  const [gone, come] = [deltas(change.removed, family), deltas(change.added, family)];
  const anew = new Set<string>();
  const inline = new Set<string>();
  const dirty = new Set<string>();
  const doomed: string[] = [];

  for (const [name, plan] of after?.sets ?? []) {
    const id = idOf(family, name);
    const [room, elements] = [rooms.get(id), size(family, name)];
    if (isNamed(plan, mode, elements)) {
      const fits = room !== undefined && elements <= room;
      if (fits && sameSet(before?.sets.get(name), plan)) continue;
      anew.add(name);
      dirty.add(name);
      if (room !== undefined) doomed.push(name);
      rooms.set(id, roomFor(elements));
    } else {
      if (room !== undefined) {
        doomed.push(name);
        rooms.delete(id);
        dirty.add(name);
      }
      inline.add(name);
      if (gone.has(name) || come.has(name)) dirty.add(name);
    }
  }
  for (const name of before?.sets.keys() ?? []) {
    if (after?.sets.has(name)) continue;
    if (rooms.delete(idOf(family, name))) doomed.push(name);
  }

  const chains = dirtyChains(before, after, dirty);
  const set = (name: string) => ({ family, table: TABLE, name });
  for (const { chain } of chains.flush) script.flush.push({ flush: { chain: set(chain) } });
  for (const [name, entries] of gone) {
    const known = rooms.has(idOf(family, name)) && !anew.has(name) && after?.sets.has(name);
    if (known) {
      script.takeOut.push({ delete: { element: { ...set(name), elem: entries.map(elementOf) as never } } });
    }
  }
  for (const name of doomed) {
    const plan = before?.sets.get(name) as SetPlan;
    script.remove.push({
      delete: plan.map === undefined ? { set: set(name) } : { map: set(name) },
    } as Command);
  }
  for (const name of chains.remove) script.remove.push({ delete: { chain: set(name) } });

  const add = (list: Command[], element: RulesetElement) => list.push({ add: element } as Command);
  if (after && !before) add(script.make, { table: { family, name: TABLE } });
  for (const chain of chains.make) add(script.make, chainElement(family, chain));
  const isWhole = (name: string) => (come.get(name)?.length ?? 0) === size(family, name);
  const look = [...anew, ...inlineOf(chains.fill, inline)].filter((name) => !isWhole(name));
  const all =
    look.length === 0 ? undefined : change.elements(new Set(look.map((name) => idOf(family, name))));
  const elementsOf = (name: string): Elements =>
    all?.get(idOf(family, name)) ?? (come.get(name) ?? []).map(elementOf);
  for (const name of anew) {
    const plan = after?.sets.get(name) as SetPlan;
    add(script.make, setElement(family, plan, rooms.get(idOf(family, name)) as number, elementsOf(name)));
  }
  for (const [name, entries] of come) {
    if (anew.has(name) || !after?.sets.has(name) || !rooms.has(idOf(family, name))) continue;
    script.fill.push({ add: { element: { ...set(name), elem: entries.map(elementOf) as never } } });
  }
  for (const { name, rules } of chains.fill) {
    for (const expr of rules) {
      const filled = filledRule(expr, (known) =>
        inline.has(known) ? { set: elementsOf(known) as never } : undefined,
      );
      add(script.rules, ruleElement(family, name, filled));
    }
  }
}

/** Elements of one table by their set. */
function deltas(entries: readonly Entry[], family: TableFamily): Map<string, Entry[]> {
  const found = new Map<string, Entry[]>();
  for (const entry of entries) {
    if (entry.family !== family) continue;
    const list = found.get(entry.set);
    if (list) list.push(entry);
    else found.set(entry.set, [entry]);
  }
  return found;
}

function sameSet(a: SetPlan | undefined, b: SetPlan): boolean {
  return a === b || (a !== undefined && JSON.stringify(a) === JSON.stringify(b));
}

interface ChainChanges {
  readonly flush: readonly { readonly chain: string }[];
  readonly remove: readonly string[];
  readonly make: readonly ChainPlan[];
  readonly fill: readonly ChainPlan[];
}

const NO_CHANGES: ChainChanges = { flush: [], remove: [], make: [], fill: [] };

/** Which chains go, come and have to be filled again. */
function dirtyChains(
  before: TablePlan | undefined,
  after: TablePlan | undefined,
  dirty: ReadonlySet<string>,
): ChainChanges {
  if (before === after && dirty.size === 0) return NO_CHANGES;
  const olds = new Map(before?.chains.map((chain) => [chain.name, chain]));
  const news = new Map(after?.chains.map((chain) => [chain.name, chain]));
  const flush: { chain: string }[] = [];
  const remove: string[] = [];
  const make: ChainPlan[] = [];
  const fill: ChainPlan[] = [];
  for (const name of olds.keys()) {
    if (news.has(name)) continue;
    flush.push({ chain: name });
    remove.push(name);
  }
  for (const [name, chain] of news) {
    const old = olds.get(name);
    const text = JSON.stringify(chain.rules);
    const stays = old && JSON.stringify(old.base) === JSON.stringify(chain.base);
    const isSame = stays && JSON.stringify(old.rules) === text && !named(text).some((set) => dirty.has(set));
    if (isSame) continue;
    if (old) flush.push({ chain: name });
    if (old && !stays) remove.push(name);
    if (!stays) make.push(chain);
    fill.push(chain);
  }
  return { flush, remove, make, fill };
}

/** The anonymous sets in the rules of some chains. */
function inlineOf(chains: readonly ChainPlan[], inline: ReadonlySet<string>): string[] {
  const names = chains.flatMap(({ rules }) => named(JSON.stringify(rules)));
  return [...new Set(names)].filter((name) => inline.has(name));
}
