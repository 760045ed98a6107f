import { at, CompileError, found } from '../linearize/index.ts';
import { FLOWTABLE_FLAGS, MESSAGE, NLM, flowtable as schema } from '../message/index.ts';
import type { Flowtable } from '../model/index.ts';
import { parsePriority } from '../protocol/index.ts';
import type { ParsedCommand } from './command.ts';
import type { TransactionContext } from './context.ts';
import { devicesOf, flagsOf, handleOf, nameOf } from './reference.ts';
import { removeWith } from './remove.ts';

/** NF_NETDEV_INGRESS: the only hook of flowtables. */
const INGRESS = 0;

export function compileFlowtable(command: ParsedCommand, context: TransactionContext): void {
  const table = nameOf(command, 'table');
  switch (command.verb) {
    case 'add':
    case 'create': {
      const flags = flagsOf(command, FLOWTABLE_FLAGS);
      const how = command.verb === 'create' ? NLM.CREATE | NLM.EXCL : NLM.CREATE;
      context.send(command, MESSAGE.NEWFLOWTABLE, how, schema, {
        table,
        name: nameOf(command),
        hook: hookOf(command, devicesOf(command)),
        ...(flags === undefined ? {} : { flags }),
      });
      return;
    }
    case 'delete':
    case 'destroy': {
      const handle = handleOf(command);
      const named = handle === undefined || command.node.name !== undefined;
      const devices = devicesOf(command);
      removeWith(command, context, 'FLOWTABLE', schema, {
        table,
        ...(named ? { name: nameOf(command) } : { handle }),
        // With devices, only these leave the flowtable (Linux 5.8).
        ...(named && devices.length > 0 ? { hook: hookOf(command, devices) } : {}),
      });
      return;
    }
    default:
      throw new CompileError(command.path, `expected add, create, delete or destroy, not ${command.verb}`);
  }
}

function hookOf({ node, path }: ParsedCommand, devices: readonly string[]) {
  const { hook, prio } = node as Partial<Flowtable>;
  if (hook !== undefined && hook !== 'ingress') throw new CompileError(at(path, 'hook'), 'expected ingress');
  const priority = found(() => parsePriority('netdev', 'ingress', prio ?? 0), at(path, 'prio'));
  return { number: INGRESS, priority, devices };
}
