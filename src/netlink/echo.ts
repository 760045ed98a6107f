import { chain, flowtable, MESSAGE, object, rule, set, table } from '../message/index.ts';
import { inDependencyOrder, type ParsedCommand } from '../transaction/index.ts';
import { readAttributes, readUint64 } from '../wire/attribute-reader.ts';
import type { Schema } from '../wire/schema.ts';
import { readMessages } from './message.ts';
import type { Echo } from './submit-result.ts';

/** Which message tells of which kind of object, and where it has the handle. */
const tells: Readonly<Record<string, readonly [type: number, schema: Schema]>> = {
  table: [MESSAGE.NEWTABLE, table],
  chain: [MESSAGE.NEWCHAIN, chain],
  rule: [MESSAGE.NEWRULE, rule],
  set: [MESSAGE.NEWSET, set],
  map: [MESSAGE.NEWSET, set],
  flowtable: [MESSAGE.NEWFLOWTABLE, flowtable],
};
/** Verbs that make a rule. */
const MAKES: ReadonlySet<string> = new Set(['add', 'create', 'insert', 'replace']);
const objects = [MESSAGE.NEWOBJ, object] as const;

/** The handles that the kernel gave to what the commands made, by the commands' indices. */
export function echoedHandles(
  echoes: readonly Echo[],
  commands: readonly ParsedCommand[],
): Map<number, bigint> {
  if (echoes.length === 0) return new Map();
  const kinds = new Map(commands.map(({ index, kind }) => [index, kind]));
  const handles = new Map<number, bigint>();
  for (const { operation, message } of echoes) {
    const kind = kinds.get(operation);
    if (kind === undefined || kind === 'element') continue;
    const [type, schema] = tells[kind] ?? objects;
    for (const { type: told, attributes } of readMessages(message)) {
      if (told !== type) continue;
      // Only the handle: reading all of a rule would take as long as making it.
      const handle = readAttributes(attributes).find(({ id }) => id === schema.handle?.id);
      if (handle !== undefined) handles.set(operation, readUint64(handle.payload));
    }
  }
  countHandles(commands, handles);
  return handles;
}

/**
 * Of rules that follow one another in a table only the first and the last are echoed (see `withEchoes`). A table
 * gives each thing that is made in it the next number: where those two are just as far apart as there are rules,
 * nothing else was made between them, and each has its number. Elsewhere they stay unknown.
 */
function countHandles(commands: readonly ParsedCommand[], handles: Map<number, bigint>): void {
  let first: bigint | undefined;
  let between: number[] = [];
  let before: ParsedCommand['node'] = {};
  for (const { kind, verb, index, node } of inDependencyOrder(commands)) {
    if (kind !== 'rule' || !MAKES.has(verb)) continue;
    if (node.table !== before.table || node.family !== before.family) {
      first = undefined;
      between = [];
      before = node;
    }
    const handle = handles.get(index);
    if (handle === undefined) {
      between.push(index);
      continue;
    }
    if (first !== undefined && handle - first === BigInt(between.length + 1)) {
      for (const [i, rule] of between.entries()) handles.set(rule, first + BigInt(i + 1));
    }
    first = handle;
    between = [];
  }
}
