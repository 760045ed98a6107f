import { at, CompileError } from '../linearize/index.ts';
import { FLOWTABLE_FLAGS, MESSAGE, NLM, flowtable as schema } from '../message/index.ts';
import type { Flowtable } from '../model/index.ts';
import { parsePriority } from '../protocol/index.ts';
import type { ParsedCommand } from './command.ts';
import type { TransactionContext } from './context.ts';
import { flagsOf, handleOf, nameOf } from './reference.ts';
import { removeWith } from './remove.ts';

/** NF_NETDEV_INGRESS: the only hook of flowtables. */
const INGRESS = 0;

export function compileFlowtable(command: ParsedCommand, context: TransactionContext): void {
  const table = nameOf(command, 'table');
  switch (command.verb) {
    case 'add':
    case 'create': {
      const { hook, prio, dev } = command.node as Partial<Flowtable>;
      if (hook !== undefined && hook !== 'ingress')
        throw new CompileError(at(command.path, 'hook'), 'expected ingress');
      const devices = dev === undefined ? [] : Array.isArray(dev) ? (dev as string[]) : [dev as string];
      const flags = flagsOf(command, FLOWTABLE_FLAGS);
      const how = command.verb === 'create' ? NLM.CREATE | NLM.EXCL : NLM.CREATE;
      context.send(command, MESSAGE.NEWFLOWTABLE, how, schema, {
        table,
        name: nameOf(command),
        hook: { number: INGRESS, priority: parsePriority('netdev', 'ingress', prio ?? 0), devices },
        ...(flags === undefined ? {} : { flags }),
      });
      return;
    }
    case 'delete':
    case 'destroy': {
      const handle = handleOf(command);
      const target =
        handle === undefined || command.node.name !== undefined ? { name: nameOf(command) } : { handle };
      removeWith(command, context, 'FLOWTABLE', schema, { table, ...target });
      return;
    }
    default:
      throw new CompileError(command.path, `expected add, create, delete or destroy, not ${command.verb}`);
  }
}
