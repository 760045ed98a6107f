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

function isThere({ kind, node }: ParsedCommand, context: TransactionContext): boolean {
  const family = node.family as Family;
  const table = (kind === 'table' ? node.name : node.table) as string;
  return context.view.exists(kind, family, table, node.name as string | undefined);
}
