import { OBJECT_TYPES } from '../bytecode/index.ts';
import { delinearizeObject } from '../delinearize/object/index.ts';
import { at, CompileError } from '../linearize/index.ts';
import { MESSAGE, object, rule } from '../message/index.ts';
import type { Family, RulesetElement } from '../model/index.ts';
import { familyByNumber, findFamily } from '../protocol/index.ts';
import type { ParsedCommand } from '../transaction/index.ts';
import { decodeOpen } from '../wire/schema.ts';
import { type ListScope, listRuleset } from './list.ts';
import { readMessages } from './message.ts';
import { query } from './query.ts';
import type { DumpRequest, DumpResult } from './socket.ts';

/** The two ways of asking that a reset needs. */
export interface Asker {
  dump(request: DumpRequest): Promise<DumpResult>;
  get(request: DumpRequest): Promise<DumpResult>;
}

const OBJECTS: Readonly<Record<string, { readonly type: number; readonly all: boolean }>> = {
  counter: { type: OBJECT_TYPES.counter, all: false },
  counters: { type: OBJECT_TYPES.counter, all: true },
  quota: { type: OBJECT_TYPES.quota, all: false },
  quotas: { type: OBJECT_TYPES.quota, all: true },
};

/** Where rules and elements are found, and what asks for them and resets them at once. */
const LISTED: Readonly<Record<string, { readonly kind: string; readonly scope: (node: Node) => ListScope }>> =
  {
    rule: { kind: 'rule', scope: ({ table, chain }) => ({ table, chain }) as ListScope },
    rules: { kind: 'rule', scope: ({ table, chain }) => ({ table, chain }) as ListScope },
    chain: { kind: 'rule', scope: ({ table, name }) => ({ table, chain: name }) as ListScope },
    table: { kind: 'rule', scope: ({ name }) => ({ table: name }) as ListScope },
    ruleset: { kind: 'rule', scope: () => ({}) },
    set: { kind: 'set', scope: ({ table, name }) => ({ table, set: name }) as ListScope },
    map: { kind: 'map', scope: ({ table, name }) => ({ table, set: name }) as ListScope },
  };

type Node = ParsedCommand['node'];

/** Carries out a reset and returns what was there before. */
export type Reset = (asker: Asker) => Promise<RulesetElement[]>;

/**
 * A `reset` command: reads objects, rules or elements and sets their counters and quotas back to zero, in the
 * kernel at one stroke each. Objects since Linux 4.10, rules 6.2, elements 6.5.
 *
 * @throws CompileError for what cannot be reset, before anything is asked
 */
export function prepareReset(command: ParsedCommand): Reset {
  const { kind, node, path } = command;
  const objects = Object.hasOwn(OBJECTS, kind) ? OBJECTS[kind] : undefined;
  if (objects !== undefined) return (asker) => resetObjects(node, objects, asker);
  const listed = Object.hasOwn(LISTED, kind) ? LISTED[kind] : undefined;
  if (listed === undefined) {
    throw new CompileError(
      path,
      `expected one of ${[...Object.keys(OBJECTS), ...Object.keys(LISTED)].join(', ')}`,
    );
  }
  if (kind === 'rule' && node.handle === undefined)
    throw new CompileError(at(path, 'handle'), 'the handle says which rule to reset');
  const family = node.family as Family | undefined;
  const scope = { ...(family === undefined ? {} : { family }), ...defined(listed.scope(node)) };
  return async (asker) => {
    const listing = await listRuleset((request) => ask(request, command, asker), scope);
    return (listing.nftables as RulesetElement[]).filter((element) => listed.kind in element);
  };
}

function defined(scope: ListScope): ListScope {
  return Object.fromEntries(Object.entries(scope).filter(([, value]) => value !== undefined));
}

/** Puts the resetting twin in the place of the question that would only read; it is asked once, torn or not. */
async function ask(request: DumpRequest, { kind, node }: ParsedCommand, asker: Asker): Promise<DumpResult> {
  const elements = kind === 'set' || kind === 'map';
  if (!elements && request.type === MESSAGE.GETRULE) {
    if (kind !== 'rule')
      return { ...(await asker.dump({ ...request, type: MESSAGE.GETRULE_RESET })), interrupted: false };
    const { table, chain, handle } = node as { table: string; chain: string; handle: number };
    return asker.get(
      query(MESSAGE.GETRULE_RESET, request.family, rule, { table, chain, handle: BigInt(handle) }),
    );
  }
  if (elements && request.type === MESSAGE.GETSETELEM) {
    return { ...(await asker.dump({ ...request, type: MESSAGE.GETSETELEM_RESET })), interrupted: false };
  }
  return asker.dump(request);
}

async function resetObjects(
  node: Node,
  { type, all }: { type: number; all: boolean },
  asker: Asker,
): Promise<RulesetElement[]> {
  const { family, table, name } = node as { family?: Family; table?: string; name?: string };
  const number = family === undefined ? 0 : findFamily(family).number;
  const which = { ...(table === undefined ? {} : { table }), type };
  const answer = all
    ? await asker.dump(query(MESSAGE.GETOBJ_RESET, number, object, which))
    : await asker.get(
        query(MESSAGE.GETOBJ_RESET, number, object, { ...which, ...(name === undefined ? {} : { name }) }),
      );
  return [...readMessages(answer.messages)].flatMap((message) => {
    const of = familyByNumber(message.family)?.name;
    const { value } = decodeOpen(object, message.attributes);
    const element = of === undefined || value.type !== type ? undefined : delinearizeObject(of, value);
    return element === undefined ? [] : [element];
  });
}
