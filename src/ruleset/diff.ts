import { SET_FLAGS } from '../bytecode/index.ts';
import type { Command, Family, Rule, Ruleset } from '../model/index.ts';
import { type Transaction, transaction } from '../transaction/index.ts';
import { type Item, readTables, type TableContents, tableKey } from './contents.ts';
import { compareElements } from './elements.ts';
import { canChange, listOf } from './in-place.ts';
import { bareNode, type Member, nodesWithStateOf, timedNode } from './member.ts';
import { differences, type Properties, setFlags } from './properties.ts';
import { compareRules } from './rules.ts';
import { withStateOf } from './state.ts';

/** What names a table. */
export interface TableName {
  readonly family: Family;
  readonly name: string;
}

/** How two rulesets are compared. */
export interface DiffOptions {
  /**
   * Tells a rule by a key of the caller's own, such as one that its comment holds: a rule whose content
   * changes is then replaced where it stands and its counters go on. Rules without a key are told by their
   * content.
   */
  readonly key?: (rule: Rule) => string | undefined;
  /** Tables that are the caller's as well: those that `desired` does not have are deleted. */
  readonly tables?: readonly TableName[];
  /**
   * The release of the kernel that it is for, as `6.1`: later ones change in place more than earlier ones. This
   * machine's where left out.
   */
  readonly kernel?: string;
}

/**
 * The smallest transaction that makes the tables of `desired` what it says. It needs no kernel.
 *
 * A table that `desired` names is complete: what it does not have in it goes. Other tables are not touched.
 * The elements of a dynamic set for which `desired` has no `elem` are the packets' own and stay; `elem: []`
 * empties it.
 *
 * Both are compared as what they compile to, so that nothing depends on spelling. What is the same stays,
 * with handle and counters; what the kernel cannot change is deleted and made again, together with the rules
 * and elements that refer to it. State is no part of the comparison: values of counters, what a quota has
 * used, when something was last seen, how long an element still lives. Where something is made again that was
 * there, counters and quotas go on.
 *
 * @param current - a listing, with the handles of its rules
 * @param desired - objects, or `add` and `create` commands
 * @throws CompileError where `desired` cannot be compiled, or names what it does not have
 */
export function diff(current: Ruleset, desired: Ruleset, options: DiffOptions = {}): Transaction {
  const wanted = readTables(desired, { lenient: false });
  const own = new Set([
    ...wanted.keys(),
    ...(options.tables ?? []).map(({ family, name }) => tableKey(family, name)),
  ]);
  const there = readTables(partOf(current, own), { lenient: true });
  const commands: Command[] = [];
  for (const [key, { family, name }] of there) {
    if (!wanted.has(key)) commands.push({ delete: { table: { family, name } } });
  }
  for (const [key, table] of wanted) commands.push(...tableChanges(there.get(key), table, options));
  return transaction(commands);
}

/** Other people's tables are not even read. */
function partOf({ nftables }: Ruleset, tables: ReadonlySet<string>): Ruleset {
  return {
    nftables: nftables.filter((item) => {
      if ('metainfo' in item) return false;
      const element = 'add' in item ? item.add : item;
      const [[kind, node]] = Object.entries(element) as [[string, Partial<Record<string, string>> | null]];
      return tables.has(tableKey(String(node?.family), String(kind === 'table' ? node?.name : node?.table)));
    }),
  };
}

/** Commands in the order in which they must come. */
class Changes {
  readonly rules: Command[] = [];
  readonly elements: Command[] = [];
  readonly things: Command[] = [];
  readonly make: Command[] = [];
  readonly fill: Command[] = [];
  readonly place: Command[] = [];
  readonly replace: Command[] = [];

  /** Nothing goes while something names it, nothing comes before what it names. */
  inOrder(): Command[] {
    const { rules, elements, things, make, fill, place, replace } = this;
    return [...rules, ...elements, ...things, ...make, ...fill, ...place, ...replace];
  }
}

function tableChanges(
  before: TableContents | undefined,
  table: TableContents,
  options: DiffOptions,
): Command[] {
  const changes = new Changes();
  const part = doomedThings(before, table, options);
  const how = before === undefined ? 'anew' : compareTables(before, table, part, options);
  const anew = how === 'anew';
  if (before !== undefined && anew) {
    changes.things.push({ delete: { table: { family: table.family, name: table.name } } });
  }
  if (how !== 'same') changes.make.push(add(table.table));

  const doomed = anew ? new Set(before?.things.keys()) : part;
  if (before !== undefined && !anew) removeThings(before, doomed, changes);
  const goes = namesOneOf(doomed);
  for (const [key, item] of table.things) {
    const old = before?.things.get(key);
    if (old === undefined || doomed.has(key)) changes.make.push(add(complete(item, old, table)));
    else changeThing(old, item, table, { goes, options }, changes);
  }
  for (const [chain, rules] of table.rules) {
    const { remove, place, replace } = compareRules(before?.rules.get(chain) ?? [], rules, {
      key: options.key,
      anew: doomed.has(`chain ${chain}`) || !before?.things.has(`chain ${chain}`),
      mustGo: goes,
    });
    changes.rules.push(...remove);
    changes.place.push(...place);
    changes.replace.push(...replace);
  }
  return changes.inOrder();
}

/** Whether a thing can stay: as it is, with a change, or only made anew. */
function compareItems(before: Item, item: Item, { kernel }: DiffOptions): 'same' | 'change' | 'anew' {
  if (before.properties === undefined || item.properties === undefined) return 'anew';
  const names = differences(before.properties, item.properties);
  if (names.length === 0) return 'same';
  return names.every((name) => canChange(name, before, item, kernel)) ? 'change' : 'anew';
}

/** A table does not fall asleep or wake up in a transaction in which hooks of it come or go. */
function compareTables(
  before: TableContents,
  table: TableContents,
  doomed: ReadonlySet<string>,
  options: DiffOptions,
) {
  const how = compareItems(before.table, table.table, options);
  if (how !== 'change') return how;
  const goes = [...doomed].some((key) => isBase(before.things.get(key) as Item));
  const comes = [...table.things].some(([key, item]) => {
    const old = before.things.get(key);
    if (!isBase(item)) return false;
    return doomed.has(key) || old === undefined || devicesOf(old) !== devicesOf(item);
  });
  return goes || comes ? 'anew' : how;
}

const isBase = ({ kind, node }: Item) => kind === 'chain' && node.hook !== undefined;
const devicesOf = ({ properties }: Item) => properties?.get('devices');

/** Things that are there and cannot stay. */
function doomedThings(
  before: TableContents | undefined,
  table: TableContents,
  options: DiffOptions,
): Set<string> {
  const doomed = new Set<string>();
  const given = new Set<string>();
  for (const [key, old] of before?.things ?? []) {
    const item = table.things.get(key);
    if (item?.kind !== old.kind || compareItems(old, item, options) === 'anew') doomed.add(key);
    else {
      // In one transaction the kernel gives a device to one chain of a table, and to one flowtable.
      const fresh = devices(old, item).fresh.map((name) => `${item.kind} ${name}`);
      if (fresh.some((one) => given.has(one))) doomed.add(key);
      else for (const one of fresh) given.add(one);
    }
  }
  for (const [key, old] of before?.things ?? []) {
    const item = table.things.get(key);
    if (item !== undefined && !doomed.has(key) && isStiff(old, item, doomed)) doomed.add(key);
  }
  return doomed;
}

/** A constant set does not take or lose elements. */
function isStiff(before: Item, item: Item, doomed: ReadonlySet<string>): boolean {
  if (!(setFlags(before.properties) & SET_FLAGS.constant)) return false;
  const { gone, fresh } = elementChanges(before, item, item.members ?? [], namesOneOf(doomed));
  return gone.length + fresh.length > 0;
}

const namesOneOf =
  (doomed: ReadonlySet<string>) =>
  ({ references }: { readonly references: readonly string[] }): boolean =>
    references.some((name) => doomed.has(name));

/** Sets go before the chains and objects that their elements name. */
const LAST_FIRST = ['set', 'map', 'chain'];

function removeThings(before: TableContents, doomed: ReadonlySet<string>, changes: Changes): void {
  const items = [...doomed].map((key) => before.things.get(key) as Item);
  for (const { kind, name, node } of items) {
    const { family, table } = node as unknown as { family: Family; table: string };
    // Rules may jump to each other's chains: all of them are emptied before the first goes.
    if (kind === 'chain' && before.rules.get(name)?.length) {
      changes.rules.push({ flush: { chain: { family, table, name } } });
    }
  }
  const rank = ({ kind }: Item) => LAST_FIRST.indexOf(kind) + 1 || LAST_FIRST.length + 1;
  for (const { kind, name, node } of items.sort((a, b) => rank(a) - rank(b))) {
    const { family, table } = node as unknown as { family: Family; table: string };
    changes.things.push(command('delete', kind, { family, table, name }));
  }
}

function command(verb: 'add' | 'delete', kind: string, node: object): Command {
  return { [verb]: { [kind]: node } } as unknown as Command;
}

const add = ({ kind, node }: Item) => command('add', kind, node);

/** A thing with its elements and, where it takes another's place, that one's state. */
function complete(item: Item, old: Item | undefined, table: TableContents): Item {
  const node = old?.kind === item.kind ? withStateOf(item.kind, item.node, old.node) : item.node;
  const members = membersFor(item, old, table);
  if (members.length === 0) return { ...item, node };
  const before = old !== undefined && sameType(old, item) ? (old.members ?? []) : [];
  return { ...item, node: { ...node, elem: nodesWithStateOf(members, before) } };
}

/** The elements of a set; where the caller says nothing of them, those that are there, if they still can be. */
function membersFor(item: Item, old: Item | undefined, { things }: TableContents): readonly Member[] {
  if (item.members !== undefined) return item.members;
  if (old?.members === undefined || !sameType(old, item)) return [];
  return old.members.filter(({ references }) => references.every((name) => things.has(name)));
}

const TYPE = new Set(['flags', 'keyType', 'keyLength', 'dataType', 'dataLength', 'objectType']);

/** Whether the elements of one set can go into another. */
function sameType(old: Item, item: Item): boolean {
  if (old.properties === undefined || item.properties === undefined) return false;
  return !differences(old.properties, item.properties).some((name) => TYPE.has(name));
}

function changeThing(
  before: Item,
  item: Item,
  table: TableContents,
  { goes, options }: { readonly goes: (member: Member) => boolean; readonly options: DiffOptions },
  changes: Changes,
): void {
  if (compareItems(before, item, options) === 'change') {
    const { gone, fresh } = devices(before, item);
    const { policy: _, dev: __, ...node } = item.node;
    if (gone.length > 0) changes.things.push(command('delete', item.kind, { ...node, dev: gone }));
    const rest = differences(before.properties as Properties, item.properties as Properties);
    if (fresh.length > 0 || rest.some((name) => name !== 'devices')) {
      // A policy that is not said stays.
      const policy = item.kind === 'chain' ? { policy: item.node.policy ?? 'accept' } : {};
      changes.make.push(
        command('add', item.kind, { ...node, ...policy, ...(fresh.length > 0 ? { dev: fresh } : {}) }),
      );
    }
  }
  if (item.kind === 'set' || item.kind === 'map') {
    changeElements(before, item, membersFor(item, before, table), goes, changes);
  }
}

/** The devices that leave a chain or flowtable, and those that come. */
function devices(before: Item, item: Item) {
  const [old, wanted] = [listOf(before.node.dev), listOf(item.node.dev)];
  return {
    gone: old.filter((name) => !wanted.includes(name)),
    fresh: wanted.filter((name) => !old.includes(name)),
  };
}

function elementChanges(
  before: Item,
  item: Item,
  members: readonly Member[],
  goes: (member: Member) => boolean,
) {
  const retimed = before.node.timeout !== item.node.timeout;
  const merges = item.node['auto-merge'] === true;
  return { retimed, ...compareElements(before.members ?? [], members, goes, { retimed, merges }) };
}

function changeElements(
  before: Item,
  item: Item,
  members: readonly Member[],
  goes: (member: Member) => boolean,
  changes: Changes,
): void {
  const { family, table, name } = item.node as unknown as { family: Family; table: string; name: string };
  const { timeout } = item.node;
  const { gone, fresh, retimed } = elementChanges(before, item, members, goes);
  // Elements that expire, or that packets take away, may be gone by themselves.
  const volatile = setFlags(before.properties) & (SET_FLAGS.timeout | SET_FLAGS.eval);
  if (gone.length > 0) {
    const elem = gone.map(({ node }) => bareNode(node, item.kind === 'map'));
    const element = { family, table, name, elem };
    changes.elements.push(volatile ? { destroy: { element } } : { delete: { element } });
  }
  if (fresh.length > 0) {
    // The time that a set gives to its elements is the old one up to the end of the transaction.
    const elem = retimed
      ? fresh.map(({ node }) => timedNode(node, Number(timeout ?? 0), item.kind === 'map'))
      : nodesWithStateOf(fresh, gone);
    changes.fill.push({ add: { element: { family, table, name, elem } } });
  }
}
