import type { Change, Connection, Feed, MonitorEvent, Ruleset, RulesetElement } from '../../src/index.ts';
import { elementsOf } from './kernel.ts';

type Node = Record<string, unknown>;

interface Chain {
  node: Node;
  rules: Node[];
}

interface Table {
  node: Node;
  chains: Map<string, Chain>;
  /** Sets, maps and objects by kind and name; elements by their text. */
  others: Map<string, { kind: string; node: Node; elements: Map<string, unknown> }>;
}

const isSet = (kind: string) => kind === 'set' || kind === 'map';
const setOf = (table: Table, name: unknown) =>
  table.others.get(`set ${name}`) ?? table.others.get(`map ${name}`);

/** The picture of a ruleset that a monitor's events give. */
export class Replica {
  #tables = new Map<string, Table>();
  /** The generation that this is a picture of. */
  generation = 0;
  /** How often events were lost. */
  overruns = 0;

  /** Follows the events until the ruleset has come to a generation. */
  async follow(nft: Connection, events: Feed<MonitorEvent>, generation: number): Promise<void> {
    while (this.generation < generation) {
      const { value: event, done } = await events.next();
      if (done) throw new Error('the monitor ended');
      await this.take(nft, event);
    }
  }

  async take(nft: Connection, event: MonitorEvent): Promise<void> {
    if (event.overrun) {
      this.overruns++;
      this.load(await nft.snapshot());
    } else if (event.generation > this.generation) {
      for (const change of event.changes) this.#apply(change);
      if (!event.partial) this.generation = event.generation;
    }
  }

  load({ ruleset, generation }: { ruleset: Ruleset; generation: number }): void {
    this.#tables = new Map();
    this.generation = generation;
    for (const object of elementsOf(ruleset)) this.#apply({ action: 'add', object });
  }

  /** Everything in an order of its own, as {@link comparableTo} makes it of a listing. */
  contents(): unknown {
    return [...this.#tables].sort(byKey).map(([, { node, chains, others }]) => ({
      node,
      chains: [...chains].sort(byKey).map(([, chain]) => chain),
      others: [...others]
        .sort(byKey)
        .map(([, { kind, node, elements }]) => ({ kind, node, elements: [...elements.keys()].sort() })),
    }));
  }

  #apply({ action, object, after }: Change): void {
    const [[kind, found]] = Object.entries(object) as [[string, Node]];
    const name = `${found.family} ${kind === 'table' ? found.name : found.table}`;
    if (kind === 'table') {
      if (action === 'delete') this.#tables.delete(name);
      else {
        const known = this.#tables.get(name);
        this.#tables.set(name, { chains: new Map(), others: new Map(), ...known, node: found });
      }
      return;
    }
    const table = this.#tables.get(name);
    if (table === undefined) throw new Error(`no table ${name} for ${JSON.stringify(object)}`);
    if (kind === 'chain') applyChain(table, action, found);
    else if (kind === 'rule') applyRule(table, action, found, after);
    else if (kind === 'element') applyElements(table, action, found);
    else if (action === 'delete') {
      if (!table.others.delete(`${kind} ${found.name}`)) throw new Error(`no ${kind} ${found.name}`);
    } else {
      const { elem = [], ...node } = found;
      const elements = new Map<string, unknown>();
      if (isSet(kind)) for (const one of elem as unknown[]) elements.set(JSON.stringify(one), one);
      const known = table.others.get(`${kind} ${found.name}`);
      table.others.set(`${kind} ${found.name}`, { kind, node, elements: known?.elements ?? elements });
    }
  }
}

/** A listing in the order in which {@link Replica.contents} has it. */
export function comparableTo(ruleset: Ruleset): unknown {
  const replica = new Replica();
  replica.load({ ruleset, generation: 0 });
  return replica.contents();
}

const byKey = ([a]: readonly [string, unknown], [b]: readonly [string, unknown]) => (a < b ? -1 : 1);

function applyChain(table: Table, action: string, node: Node): void {
  const name = node.name as string;
  const known = table.chains.get(name);
  if (action === 'delete') {
    if (!table.chains.delete(name)) throw new Error(`no chain ${name}`);
  } else if (action === 'rename') {
    const { newname, ...rest } = node;
    table.chains.delete(name);
    const rules = (known?.rules ?? []).map((rule) => ({ ...rule, chain: newname }));
    table.chains.set(newname as string, { node: { ...rest, name: newname }, rules });
  } else table.chains.set(name, { node, rules: known?.rules ?? [] });
}

function applyRule(table: Table, action: string, node: Node, after: number | undefined): void {
  const chain = table.chains.get(node.chain as string);
  if (chain === undefined) throw new Error(`no chain ${node.chain}`);
  const named = action === 'delete' || action === 'replace' ? node.handle : after;
  const at = chain.rules.findIndex(({ handle }) => handle === named);
  if (action === 'delete') {
    if (at < 0) throw new Error(`no rule ${node.handle} in ${node.chain}`);
    chain.rules.splice(at, 1);
  } else if (action === 'replace') {
    if (at < 0) throw new Error(`no rule ${node.handle} in ${node.chain} to replace`);
    chain.rules[at] = node;
  } else if (after !== undefined) {
    if (at < 0) throw new Error(`no rule ${after} before ${node.handle}`);
    chain.rules.splice(at + 1, 0, node);
  } else if (action === 'insert') chain.rules.unshift(node);
  else chain.rules.push(node);
}

function applyElements(table: Table, action: string, { name, elem }: Node): void {
  const set = setOf(table, name);
  if (set === undefined) throw new Error(`no set ${name}`);
  for (const one of elem as RulesetElement[]) {
    const text = JSON.stringify(one);
    if (action !== 'delete') set.elements.set(text, one);
    else if (!set.elements.delete(text)) throw new Error(`no element ${text} in ${name}`);
  }
}
