import { type Instruction, type KnownSet, SET_FLAGS } from '../bytecode/index.ts';
import { at, CompileError, type Path } from '../linearize/index.ts';
import type { Expression, Family, Rule, Ruleset, RulesetElement } from '../model/index.ts';
import {
  compileCommand,
  emptyView,
  inDependencyOrder,
  type OutgoingMessage,
  type ParsedCommand,
  parseCommands,
  type SchemaMessage,
  TransactionContext,
} from '../transaction/index.ts';
import { ruleEssence } from './essence.ts';
import { type ElementDefaults, type ElementList, type Member, membersOf } from './member.ts';
import { type Properties, propertiesOf } from './properties.ts';
import { thing } from './reference.ts';
import { withoutState } from './state.ts';

/** A table, or something in it that has a name. */
export interface Item {
  /** Its key in the model. */
  readonly kind: string;
  readonly name: string;
  /** As it was given, but for its handle and elements. */
  readonly node: Readonly<Record<string, unknown>>;
  readonly path: Path;
  /** Absent where it cannot be compiled: then it is like nothing else. */
  readonly properties: Properties | undefined;
  /** The elements of a set or map; absent where nothing is said of them. */
  readonly members?: readonly Member[];
}

/** A rule, ready to be compared. */
export interface RuleItem {
  readonly rule: Rule;
  readonly handle: number | undefined;
  readonly path: Path;
  /** What it does, as text; absent where it cannot be compiled: then it is like no other. */
  readonly content: string | undefined;
  /** The things of its table that it names. */
  readonly references: readonly string[];
}

/** A table and what is in it. */
export interface TableContents {
  readonly family: Family;
  readonly name: string;
  readonly table: Item;
  /** By what {@link thing} calls them, in the order of their dependencies. */
  readonly things: ReadonlyMap<string, Item>;
  /** The rules of each chain, in their order. */
  readonly rules: ReadonlyMap<string, readonly RuleItem[]>;
}

/** A table under work. */
interface Draft extends TableContents {
  readonly things: Map<string, Item>;
  readonly rules: Map<string, RuleItem[]>;
  readonly elements: Map<string, ElementList[]>;
  /** What each set gives to elements that say nothing. */
  readonly given: Map<string, ElementDefaults>;
  /** The sets that rules add to. */
  readonly filled: Set<string>;
}

/** What a ruleset is read for. */
export interface ReadOptions {
  /** What cannot be compiled is kept as unlike everything else: it is there, after all. */
  readonly lenient: boolean;
}

/** A table as text. */
export function tableKey(family: string, name: string): string {
  return `${family} ${name}`;
}

/**
 * Takes a ruleset apart into tables, everything compiled, so that things that mean the same are the same.
 *
 * @throws CompileError where the ruleset holds commands other than `add` and `create`, names a thing twice,
 * or names what is not there; where it cannot be compiled, unless lenient
 */
export function readTables(ruleset: Ruleset, { lenient }: ReadOptions): Map<string, TableContents> {
  const context = new TransactionContext(emptyView);
  const tables = new Map<string, Draft>();
  const commands = parseCommands(lenient ? withHandles(ruleset) : ruleset).map(declaration);
  for (const command of inDependencyOrder(commands)) {
    if (command.kind === 'element') takeElements(command, draftOf(command, tables));
    else if (command.kind === 'rule') takeRule(command, draftOf(command, tables), context, lenient);
    else takeItem(command, tables, context, lenient);
  }
  for (const draft of tables.values()) {
    takeSizes(draft);
    takeMembers(draft, context, lenient);
    if (!lenient) checkReferences(draft);
  }
  return tables;
}

/** A listing as commands: objects without a verb would lose their handles. */
function withHandles(ruleset: Ruleset): Ruleset {
  const isListed = (item: object) => !('add' in item || 'create' in item || 'metainfo' in item);
  return {
    nftables: ruleset.nftables.map((item) => (isListed(item) ? { add: item as RulesetElement } : item)),
  };
}

/** Only what says what is there can be compared with what is. */
function declaration(command: ParsedCommand): ParsedCommand {
  if (command.verb !== 'add' && command.verb !== 'create') {
    throw new CompileError(
      command.path,
      `${command.verb} says what to do, not what is to be there: expected objects, or add and create`,
    );
  }
  const { handle, ...node } = command.node;
  return { ...command, verb: 'add', node: command.kind === 'rule' ? { ...node, handle } : node };
}

function draftOf({ node, path }: ParsedCommand, tables: ReadonlyMap<string, Draft>): Draft {
  const draft = tables.get(tableKey(String(node.family), String(node.table)));
  if (draft !== undefined) return draft;
  throw new CompileError(
    at(path, 'table'),
    `the table ${String(node.family)} ${String(node.table)} is not part of this ruleset: add it too`,
  );
}

/** The messages of a command; undefined where it cannot be compiled. */
function compiled(
  command: ParsedCommand,
  context: TransactionContext,
  lenient: boolean,
): readonly OutgoingMessage[] | undefined {
  context.messages.length = 0;
  try {
    compileCommand(command, context);
    return [...context.messages];
  } catch (error) {
    if (lenient && error instanceof CompileError) return undefined;
    throw error;
  }
}

function takeItem(
  command: ParsedCommand,
  tables: Map<string, Draft>,
  context: TransactionContext,
  lenient: boolean,
): void {
  const { kind, path } = command;
  const { elem, ...node } = command.node;
  const name = String(node.name);
  const own = kind === 'table' ? undefined : draftOf(command, tables);
  const messages = compiled({ ...command, node: withoutState(kind, node) }, context, lenient);
  const message = messages?.find((one): one is SchemaMessage => one.kind === 'message');
  const space = kind === 'map' ? 'set' : kind;
  const item = { kind, name, node, path, properties: message && propertiesOf(space, message) };
  const family = node.family as Family;
  if (own === undefined) {
    if (tables.has(tableKey(family, name))) throw new CompileError(path, `the table ${name} is there twice`);
    const parts = {
      things: new Map(),
      rules: new Map(),
      elements: new Map(),
      given: new Map(),
      filled: new Set<string>(),
    };
    tables.set(tableKey(family, name), { family, name, table: item, ...parts });
    return;
  }
  const key = thing(kind, name);
  if (own.things.has(key)) throw new CompileError(path, `the ${key} is there twice`);
  own.things.set(key, item);
  if (kind === 'chain') own.rules.set(name, []);
  if (space === 'set') own.given.set(key, defaultsOf(node, message));
  if (elem !== undefined) own.elements.set(key, [{ nodes: elem as Expression, path: at(path, 'elem') }]);
}

function takeElements({ node, path }: ParsedCommand, draft: Draft): void {
  const key = thing('set', String(node.name));
  if (!draft.things.has(key)) {
    throw new CompileError(at(path, 'name'), `the ${key} is not part of this ruleset: add it too`);
  }
  const lists = draft.elements.get(key) ?? [];
  lists.push({ nodes: node.elem as Expression, path: at(path, 'elem') });
  draft.elements.set(key, lists);
}

function takeRule(command: ParsedCommand, draft: Draft, context: TransactionContext, lenient: boolean): void {
  const { path } = command;
  const { index, handle, ...node } = command.node;
  if (index !== undefined) {
    throw new CompileError(
      at(path, 'index'),
      'the rules of a ruleset stand in their order: leave out the index',
    );
  }
  const chain = draft.rules.get(String(node.chain));
  if (chain === undefined) {
    throw new CompileError(
      at(path, 'chain'),
      `the chain ${String(node.chain)} is not part of this ruleset: add it too`,
    );
  }
  const messages = compiled({ ...command, node }, context, lenient);
  const { family, name } = draft;
  const set = (named: string) => context.set(family, name, named) as KnownSet | undefined;
  const essence = messages && ruleEssence(messages, { family, isNamed: isNamed(draft), set });
  chain.push({
    rule: node as unknown as Rule,
    handle: handle as number | undefined,
    path,
    content: essence?.text,
    references: essence?.references ?? [],
  });
  for (const name of essence?.filled ?? []) draft.filled.add(name);
}

/** What the kernel makes of the size of a set that has none, once a rule adds to it. */
const MOST_BY_PACKETS = '65535';

function takeSizes({ things, filled }: Draft): void {
  for (const name of filled) {
    const item = things.get(name);
    if (item?.properties === undefined || item.properties.has('size')) continue;
    things.set(name, { ...item, properties: new Map([...item.properties, ['size', MOST_BY_PACKETS]]) });
  }
}

const isNamed = (draft: Draft) => (name: string) => draft.things.has(thing('set', name));

/** Evaluates the elements of all sets, now that everything is known that they can name. */
function takeMembers(draft: Draft, context: TransactionContext, lenient: boolean): void {
  const { family, name } = draft;
  for (const [key, item] of draft.things) {
    const lists = draft.elements.get(key) ?? [];
    const set = context.set(family, name, item.name);
    if ((item.kind !== 'set' && item.kind !== 'map') || set === undefined) continue;
    // What packets add is theirs, unless the caller says otherwise.
    if (lists.length === 0 && !lenient && set.flags & SET_FLAGS.eval) continue;
    const scope = context.scope(family, name);
    const given = draft.given.get(key) ?? { expressions: [] };
    try {
      const members = lists.flatMap((list) => membersOf(list, set, given, scope, isNamed(draft)));
      draft.things.set(key, { ...item, members });
    } catch (error) {
      if (!(lenient && error instanceof CompileError)) throw error;
      draft.things.set(key, { ...item, properties: undefined, members: [] });
    }
  }
}

function defaultsOf({ timeout }: Item['node'], message: SchemaMessage | undefined): ElementDefaults {
  const { expression, expressions } = (message?.value ?? {}) as {
    readonly expression?: Instruction;
    readonly expressions?: readonly Instruction[];
  };
  return {
    expressions: expressions ?? (expression === undefined ? [] : [expression]),
    timeout: typeof timeout === 'number' ? BigInt(Math.round(timeout * 1000)) : undefined,
  };
}

/** Everything that is named must be there: the kernel would only say that something is not. */
function checkReferences({ things, rules }: Draft): void {
  const check = (references: readonly string[], path: Path) => {
    const missing = references.find((name) => !things.has(name));
    if (missing !== undefined) {
      throw new CompileError(
        path,
        `the ${missing} is named, but not part of this ruleset's table: add it too`,
      );
    }
  };
  for (const item of things.values())
    for (const { references, path } of item.members ?? []) check(references, path);
  for (const list of rules.values()) for (const { references, path } of list) check(references, path);
}

/** The tables that a ruleset names. */
export function tablesOf(ruleset: Ruleset): { readonly family: Family; readonly name: string }[] {
  return parseCommands(ruleset)
    .filter(({ kind }) => kind === 'table')
    .map(({ node }) => ({ family: node.family as Family, name: String(node.name) }));
}
