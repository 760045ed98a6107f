import { MESSAGE, type MessageName } from '../message/index.ts';
import type { Family } from '../model/index.ts';
import type { Schema, ValueOf } from '../wire/schema.ts';
import type { ParsedCommand } from './command.ts';
import type { TransactionContext } from './context.ts';

/**
 * Deletes or destroys an object. Kernels before 6.3 cannot destroy: there the object is deleted where it
 * is known to exist and left alone where it is not.
 *
 * @returns whether a message was sent
 */
export function removeWith<S extends Schema>(
  command: ParsedCommand,
  context: TransactionContext,
  what: 'TABLE' | 'CHAIN' | 'RULE' | 'SET' | 'SETELEM' | 'OBJ' | 'FLOWTABLE',
  schema: S,
  target: ValueOf<S>,
): boolean {
  const destroy = command.verb === 'destroy';
  if (destroy && !context.view.canDestroy && !isThere(command, context)) return false;
  const name: MessageName = `${destroy && context.view.canDestroy ? 'DESTROY' : 'DEL'}${what}`;
  context.send(command, MESSAGE[name], 0, schema, target);
  return true;
}

function isThere(command: ParsedCommand, context: TransactionContext): boolean {
  const own = context.isMade(command);
  if (own !== undefined) return own;
  const { kind, node } = command;
  const { family, name, handle } = node as { family: Family; name?: string; handle?: number | bigint };
  if (kind === 'table') return context.view.exists(kind, family, name ?? '', undefined);
  const table = node.table as string;
  if (context.isGone(family, table)) return false;
  if (kind !== 'rule') return context.view.exists(kind, family, table, name);
  return context.view.ruleHandles(family, table, node.chain as string).includes(BigInt(handle ?? 0));
}
