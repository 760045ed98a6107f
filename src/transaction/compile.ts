import { CompileError } from '../linearize/index.ts';
import { MESSAGE, table as tableSchema } from '../message/index.ts';
import type { Family } from '../model/index.ts';
import { compileChain } from './chain.ts';
import { type Commands, inDependencyOrder, type ParsedCommand, parseCommands } from './command.ts';
import { TransactionContext } from './context.ts';
import { compileFlowtable } from './flowtable.ts';
import type { KernelView, Needs } from './kernel-view.ts';
import type { OutgoingMessage } from './message.ts';
import { compileObject, objectKinds } from './object.ts';
import { compileRuleCommand, needsRules } from './rule.ts';
import { compileElements, compileSet } from './set.ts';
import { compileTable } from './table.ts';

type Compiler = (command: ParsedCommand, context: TransactionContext) => void;

/** One row for each kind of object. */
const compilers: Readonly<Record<string, Compiler>> = {
  table: compileTable,
  chain: compileChain,
  rule: compileRuleCommand,
  set: compileSet,
  map: compileSet,
  element: compileElements,
  flowtable: compileFlowtable,
  ruleset: compileRuleset,
  ...Object.fromEntries(objectKinds.map((kind) => [kind, compileObject])),
};

/** `{ flush: { ruleset: null } }`: all tables of a family, or of all families. */
function compileRuleset(command: ParsedCommand, context: TransactionContext): void {
  if (command.verb !== 'flush')
    throw new CompileError(command.path, `a ruleset can be flushed, not ${command.verb}`);
  context.forget(command.node.family as Family | undefined);
  context.send(command, MESSAGE.DELTABLE, 0, tableSchema, {});
}

/**
 * Compiles a transaction's commands into messages; those that reset something are read, not sent.
 *
 * It compiles, and throws, while it is iterated, one command at a time and anew each time: of a large transaction
 * no more than that has to be kept; what follows the first change of a set that merges is, as a later one may take
 * messages back.
 *
 * @param defers - many elements are looked at no sooner than their messages are encoded, which may then fail: see
 *   {@link encodeMessages}
 */
export function compileParsed(
  commands: readonly ParsedCommand[],
  view: KernelView,
  defers = false,
): Iterable<OutgoingMessage> {
  return {
    *[Symbol.iterator]() {
      const context = new TransactionContext(view, defers);
      for (const command of inDependencyOrder(commands)) {
        if (command.verb === 'reset') continue;
        compileCommand(command, context);
        if (context.mayWithdraw) continue;
        yield* context.messages;
        context.messages.length = 0;
      }
      yield* context.messages;
    },
  };
}

/** As {@link compileParsed}, all at once. */
export function compileTransaction(commands: Commands, view: KernelView): OutgoingMessage[] {
  return [...compileParsed(parseCommands(commands), view)];
}

/** Compiles one command: its messages and what it declares go into the context. */
export function compileCommand(command: ParsedCommand, context: TransactionContext): void {
  const compile = Object.hasOwn(compilers, command.kind) ? compilers[command.kind] : undefined;
  if (compile === undefined) {
    throw new CompileError(
      command.path,
      `expected one of ${Object.keys(compilers).join(', ')}, not ${command.kind}`,
    );
  }
  compile(command, context);
  context.record(command);
}

/** Mostly nothing is needed. */
const NONE: Set<string> = new Set();

/** Deeper than any rule is. */
const MAX_NESTING = 500;

/** A longer array is looked at by its keys: it may have holes without end. */
const SHORT = 1000;

/** A name for comparing: what is no text is refused when it is compiled. */
const word = (name: unknown) => (typeof name === 'string' ? name : '');

/** What must be known of the ruleset before the commands can be compiled. */
export function needsOf(commands: readonly ParsedCommand[], canDestroy: boolean): Needs {
  const needs: Record<keyof Needs, Set<string>> = { sets: NONE, chains: NONE, rules: NONE, existence: NONE };
  const need = (what: keyof Needs, table: string) => {
    if (needs[what] === NONE) needs[what] = new Set();
    needs[what].add(table);
  };
  let own = NONE;
  for (const command of inDependencyOrder(commands)) {
    const { verb, kind, node } = command;
    const name = `${word(node.family)} ${word(node.table ?? node.name)}`;
    const declares = verb === 'add' || verb === 'create';
    if (declares && (kind === 'set' || kind === 'map')) {
      if (own === NONE) own = new Set();
      own.add(`${name} ${word(node.name)}`);
    }
    if (kind === 'element' && (own === NONE || !own.has(`${name} ${word(node.name)}`))) need('sets', name);
    if (kind === 'rule' && verb !== 'delete') {
      eachNamedSet(node.expr, (set) => {
        if (!own.has(`${name} ${set}`)) need('sets', name);
      });
    }
    if (verb === 'rename' && node.handle === undefined) need('chains', name);
    if (needsRules(command)) need('rules', name);
    if (verb === 'destroy' && !canDestroy) need('existence', name);
  }
  return needs;
}

/** The names after `@` anywhere in a rule's statements; `around` are the nodes that a node is in. */
function eachNamedSet(node: unknown, see: (name: string) => void, around: unknown[] = []): void {
  if (typeof node === 'string') {
    if (node.startsWith('@')) see(node.slice(1));
    return;
  }
  if (typeof node !== 'object' || node === null || isTooDeep(node, around)) return;
  around.push(node);
  if (Array.isArray(node) && node.length < SHORT)
    for (let i = 0; i < node.length; i++) eachNamedSet(node[i], see, around);
  else for (const key in node) eachNamedSet((node as Readonly<Record<string, unknown>>)[key], see, around);
  around.pop();
}

/** Whether no rule is as deep as this, or a node is a part of itself: what compiles it refuses it. */
function isTooDeep(node: unknown, around: readonly unknown[]): boolean {
  return around.length > MAX_NESTING || around.includes(node);
}
