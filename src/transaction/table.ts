import { CompileError } from '../linearize/index.ts';
import { MESSAGE, NLM, rule as ruleSchema, table as schema, TABLE_FLAGS } from '../message/index.ts';
import type { ParsedCommand } from './command.ts';
import { comment } from './comment.ts';
import type { TransactionContext } from './context.ts';
import { familyOf, flagsOf, handleOf, nameOf } from './reference.ts';
import { removeWith } from './remove.ts';

export function compileTable(command: ParsedCommand, context: TransactionContext): void {
  const family = familyOf(command);
  switch (command.verb) {
    case 'add':
    case 'create': {
      const flags = flagsOf(command, TABLE_FLAGS) ?? 0;
      const how = command.verb === 'create' ? NLM.CREATE | NLM.EXCL : NLM.CREATE;
      context.send(command, MESSAGE.NEWTABLE, how, schema, {
        name: nameOf(command),
        flags,
        ...comment(command),
      });
      return;
    }
    case 'delete':
    case 'destroy': {
      const handle = handleOf(command);
      const target =
        handle === undefined || command.node.name !== undefined ? { name: nameOf(command) } : { handle };
      if (removeWith(command, context, 'TABLE', schema, target))
        context.forget(family, command.node.name as string);
      return;
    }
    case 'flush':
      flushRules(command, context);
      return;
    default:
      throw new CompileError(
        command.path,
        `a table cannot be ${command.verb}ed: expected add, create, delete, destroy, flush`,
      );
  }
}

/** Deletes all rules of a table. */
function flushRules(command: ParsedCommand, context: TransactionContext): void {
  context.send(command, MESSAGE.DELRULE, 0, ruleSchema, { table: nameOf(command) });
}
