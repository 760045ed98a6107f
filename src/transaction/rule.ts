import type { Instruction } from '../bytecode/index.ts';
import { quoted } from '../datatype/index.ts';
import { at, CompileError, compileRule } from '../linearize/index.ts';
import { encodedRule, MESSAGE, NLM, rule } from '../message/index.ts';
import type { Family, Statement } from '../model/index.ts';
import type { Schema, ValueOf } from '../wire/schema.ts';
import type { ParsedCommand } from './command.ts';
import { comment } from './comment.ts';
import { compatOf } from './compat.ts';
import type { RulePlace, TransactionContext } from './context.ts';
import { familyOf, handleOf, nameOf } from './reference.ts';
import { removeWith } from './remove.ts';
import { sendAnonymousSet } from './set.ts';

export function compileRuleCommand(command: ParsedCommand, context: TransactionContext): void {
  const family = familyOf(command);
  const table = nameOf(command, 'table');
  const chain = nameOf(command, 'chain');
  switch (command.verb) {
    case 'add':
    case 'create':
    case 'insert':
      insert(command, context, family, table, chain);
      return;
    case 'replace': {
      const handle = handleOf(command);
      if (handle === undefined) throw new CompileError(command.path, 'the handle says which rule to replace');
      const content = body(command, context, family, table, chain);
      const id = context.nextRuleId();
      const places = context.rules(family, table, chain);
      const index = indexOf(handle, places);
      if (index >= 0) places[index] = { id };
      send(command, context, NLM.REPLACE, { table, chain, handle, ...content, id });
      return;
    }
    case 'delete':
    case 'destroy': {
      const handle = handleOf(command);
      if (handle === undefined) throw new CompileError(command.path, 'the handle says which rule to delete');
      const places = context.rules(family, table, chain);
      const index = indexOf(handle, places);
      if (index >= 0) places.splice(index, 1);
      removeWith(command, context, 'RULE', rule, { table, chain, handle });
      return;
    }
    default:
      throw new CompileError(
        command.path,
        `expected add, insert, replace, delete or destroy, not ${command.verb}`,
      );
  }
}

/** Whether a chain's rules must be known: only where a rule is placed by index. */
export function needsRules({ kind, node }: ParsedCommand): boolean {
  return kind === 'rule' && node.index !== undefined;
}

function insert(
  command: ParsedCommand,
  context: TransactionContext,
  family: Family,
  table: string,
  chain: string,
): void {
  const after = command.verb !== 'insert';
  const content = body(command, context, family, table, chain);
  const id = context.nextRuleId();
  const handle = handleOf(command);
  const places = context.rules(family, table, chain);
  const position =
    handle === undefined ? byIndex(command, places, after, id) : byHandle(handle, places, after, id);
  const how = after ? NLM.CREATE | NLM.APPEND : NLM.CREATE;
  send(command, context, how, { table, chain, ...content, ...position, id });
}

function indexOf(handle: bigint, places: readonly RulePlace[]): number {
  return places.findIndex((place) => 'handle' in place && place.handle === handle);
}

/** The neighbour that a handle names. Its index counts only where the kernel's rules were asked for. */
function byHandle(handle: bigint, places: RulePlace[], after: boolean, id: number): { position: bigint } {
  const index = indexOf(handle, places);
  if (index >= 0) places.splice(index + (after ? 1 : 0), 0, { id });
  return { position: handle };
}

/** The neighbour that an index means, among the kernel's rules and those of this transaction. */
function byIndex(
  { node, path }: ParsedCommand,
  places: RulePlace[],
  after: boolean,
  id: number,
): { position?: bigint; positionId?: number } {
  const { index } = node;
  if (index === undefined) {
    if (after) places.push({ id });
    else places.unshift({ id });
    return {};
  }
  const neighbour: RulePlace | undefined = typeof index === 'number' ? places[index] : undefined;
  if (neighbour === undefined) {
    throw new CompileError(
      at(path, 'index'),
      `the chain has ${places.length} rules: there is none at ${quoted(index)}`,
    );
  }
  places.splice((index as number) + (after ? 1 : 0), 0, { id });
  return 'handle' in neighbour ? { position: neighbour.handle } : { positionId: neighbour.id };
}

type Where = Omit<ValueOf<typeof rule>, 'expressions'>;

type Content = Pick<ValueOf<typeof rule>, 'compat' | 'userdata'> & {
  /** {@link encodedRule} takes them as bytes. */
  readonly expressions: readonly Instruction[] | Uint8Array;
};

/** Instructions and userdata; the anonymous sets are sent before. */
function body(
  command: ParsedCommand,
  context: TransactionContext,
  family: Family,
  table: string,
  chain: string,
): Content {
  const statements = command.node.expr as readonly Statement[] | undefined;
  if (statements === undefined) throw new CompileError(command.path, 'a rule has statements: expr');
  const position = { family, table, chain: context.chain(family, table, chain) };
  const encoded = context.defers ? context.alike.encoded(statements, position) : undefined;
  if (encoded !== undefined) return { expressions: encoded, ...comment(command) };
  const names = context.names(family, table);
  const compiled = compileRule(statements, family, position.chain, names, at(command.path, 'expr'));
  const compat = compatOf(compiled.instructions, family);
  for (const set of compiled.sets) sendAnonymousSet(command, context, table, set);
  if (context.defers && compat === undefined) context.alike.keep(statements, position, compiled);
  return {
    expressions: compiled.instructions,
    ...(compat === undefined ? {} : { compat }),
    ...comment(command),
  };
}

/** Sends a rule with its content. */
function send(
  command: ParsedCommand,
  context: TransactionContext,
  how: number,
  value: Content & Where,
): void {
  const schema: Schema = value.expressions instanceof Uint8Array ? encodedRule : rule;
  context.send(command, MESSAGE.NEWRULE, how, schema, value);
}
