import { at, CompileError } from '../linearize/index.ts';
import { MESSAGE, NLM, POLICIES, rule as ruleSchema, chain as schema } from '../message/index.ts';
import type { Chain, Family } from '../model/index.ts';
import {
  checkChainType,
  findHook,
  type HookName,
  hookHasDevices,
  ProtocolLookupError,
  parsePriority,
} from '../protocol/index.ts';
import type { ValueOf } from '../wire/schema.ts';
import type { ParsedCommand } from './command.ts';
import { comment } from './comment.ts';
import type { TransactionContext } from './context.ts';
import { devicesOf, familyOf, handleOf, nameOf } from './reference.ts';
import { removeWith } from './remove.ts';

export function compileChain(command: ParsedCommand, context: TransactionContext): void {
  const family = familyOf(command);
  const table = nameOf(command, 'table');
  switch (command.verb) {
    case 'add':
    case 'create': {
      const how = command.verb === 'create' ? NLM.CREATE | NLM.EXCL : NLM.CREATE;
      context.declareChain(command.node as unknown as Chain);
      context.send(command, MESSAGE.NEWCHAIN, how, schema, {
        table,
        name: nameOf(command),
        ...base(command, family),
        ...comment(command),
      });
      return;
    }
    case 'delete':
    case 'destroy': {
      const handle = handleOf(command);
      const named = command.node.name !== undefined;
      const devices = named && command.node.dev !== undefined ? base(command, family) : {};
      removeWith(command, context, 'CHAIN', schema, {
        table,
        ...(named || handle === undefined ? { name: nameOf(command) } : { handle }),
        ...devices,
      });
      return;
    }
    case 'flush':
      context.rules(family, table, nameOf(command)).length = 0;
      context.send(command, MESSAGE.DELRULE, 0, ruleSchema, { table, chain: nameOf(command) });
      return;
    case 'rename':
      rename(command, context, family, table);
      return;
    default:
      throw new CompileError(
        command.path,
        `expected add, create, delete, destroy, flush or rename, not ${command.verb}`,
      );
  }
}

function rename(command: ParsedCommand, context: TransactionContext, family: Family, table: string): void {
  const name = nameOf(command);
  const handle = handleOf(command) ?? context.view.chainHandle(family, table, name);
  if (handle === undefined) throw new CompileError(command.path, `there is no chain ${name} to rename`);
  context.send(command, MESSAGE.NEWCHAIN, 0, schema, { table, handle, name: nameOf(command, 'newname') });
}

/** Hook, type, policy and devices of a base chain; nothing for a regular one. */
function base(command: ParsedCommand, family: Family): ValueOf<typeof schema> {
  const { node, path } = command;
  const { type, hook, prio, policy } = node as Partial<Chain>;
  if (hook === undefined) {
    const stray = (['type', 'prio', 'policy', 'dev'] as const).find((key) => node[key] !== undefined);
    if (stray === undefined) return {};
    throw new CompileError(at(path, stray), 'only a chain with a hook has this: say hook too');
  }
  const place = (key: string) => at(path, key);
  const known = <T>(find: () => T, key: string): T => {
    try {
      return find();
    } catch (error) {
      if (error instanceof ProtocolLookupError || error instanceof RangeError || error instanceof TypeError) {
        throw new CompileError(place(key), error.message, { cause: error });
      }
      throw error;
    }
  };
  const number = known(() => findHook(family, hook), 'hook');
  const kind = type ?? 'filter';
  known(() => checkChainType(family, kind, hook), 'type');
  const priority = known(() => parsePriority(family, hook as HookName, prio ?? 0), 'prio');
  const devices = devicesOf(command);
  if (devices.length > 0 && !hookHasDevices(family, hook as HookName)) {
    throw new CompileError(place('dev'), `the hook ${hook} of family ${family} has no devices`);
  }
  if (policy !== undefined && !Object.hasOwn(POLICIES, policy))
    throw new CompileError(place('policy'), 'expected accept or drop');
  return {
    hook: {
      number,
      priority,
      ...(devices.length === 1 ? { device: devices[0] as string } : {}),
      ...(devices.length > 1 ? { devices } : {}),
    },
    type: kind,
    ...(policy === undefined ? {} : { policy: POLICIES[policy] }),
  };
}
