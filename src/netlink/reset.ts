import { OBJECT_TYPES } from '../bytecode/index.ts';
import { at, CompileError } from '../linearize/index.ts';
import { MESSAGE, object, rule } from '../message/index.ts';
import type { Family, RulesetElement } from '../model/index.ts';
import { familyByNumber, findFamily } from '../protocol/index.ts';
import type { ParsedCommand } from '../transaction/index.ts';
import { decodeOpen } from '../wire/schema.ts';
import type { Ask, ListScope } from './list.ts';
import { readMessages } from './message.ts';
import { query } from './query.ts';
import { readElements, resetElements } from './rehash.ts';
import type { DumpRequest, DumpResult } from './request.ts';
import { Interrupted, pause, READS, TornError } from './torn.ts';

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

const RULES = ['rule'];
const SETS = ['set', 'map'];

/** Where rules and elements are found, and what asks for them and resets them at once. */
const LISTED: Readonly<
  Record<string, { readonly kinds: readonly string[]; readonly scope: (node: Node) => ListScope }>
> = {
  rule: { kinds: RULES, scope: ({ table, chain }) => ({ table, chain }) as ListScope },
  rules: { kinds: RULES, scope: ({ table, chain }) => ({ table, chain }) as ListScope },
  chain: { kinds: RULES, scope: ({ table, name }) => ({ table, chain: name }) as ListScope },
  table: { kinds: RULES, scope: ({ name }) => ({ table: name }) as ListScope },
  ruleset: { kinds: RULES, scope: () => ({}) },
  set: { kinds: SETS, scope: ({ table, name }) => ({ table, set: name }) as ListScope },
  map: { kinds: SETS, scope: ({ table, name }) => ({ table, set: name }) as ListScope },
};

/** Questions that only read, and those that also reset. */
const RESETS = {
  elements: { read: MESSAGE.GETSETELEM, reset: MESSAGE.GETSETELEM_RESET },
  rules: { read: MESSAGE.GETRULE, reset: MESSAGE.GETRULE_RESET },
} as const;

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
  // Without its family, the kernel does not know the table, and would reset those of others.
  if (node.family === undefined && (node.table !== undefined || kind === 'table'))
    throw new CompileError(at(path, 'family'), 'a table is known by its family and its name');
  const objects = Object.hasOwn(OBJECTS, kind) ? OBJECTS[kind] : undefined;
  if (objects !== undefined) return (asker) => resetObjects(node, objects, asker);
  if (kind === 'element') return async (asker) => (await import('./reading.ts')).resetElement(command, asker);
  const listed = Object.hasOwn(LISTED, kind) ? LISTED[kind] : undefined;
  if (listed === undefined) {
    throw new CompileError(
      path,
      `expected one of ${[...Object.keys(OBJECTS), ...Object.keys(LISTED), 'element'].join(', ')}`,
    );
  }
  if (kind === 'rule' && node.handle === undefined)
    throw new CompileError(at(path, 'handle'), 'the handle says which rule to reset');
  const family = node.family as Family | undefined;
  const scope = { ...(family === undefined ? {} : { family }), ...defined(listed.scope(node)) };
  return async (asker) => {
    const { listRuleset } = await import('./reading.ts');
    const read = listed.kinds === RULES ? readElements : resetElements;
    for (let tries = 1; ; tries++) {
      try {
        const listing = await listRuleset(resetting(command, asker), scope, read);
        return (listing.nftables as RulesetElement[]).filter((element) =>
          listed.kinds.some((one) => one in element),
        );
      } catch (error) {
        if (!(error instanceof Interrupted)) throw error;
        if (tries === READS) throw new TornError('the ruleset', tries);
      }
      await pause(tries);
    }
  };
}

function defined(scope: ListScope): ListScope {
  return Object.fromEntries(Object.entries(scope).filter(([, value]) => value !== undefined));
}

/**
 * Asks the resetting twin of the question that would only read. From then on what was read is kept, torn or not: it
 * is not to be had again.
 */
function resetting({ kind, node }: ParsedCommand, asker: Asker): Ask {
  const elements = kind === 'set' || kind === 'map';
  const twin = elements ? RESETS.elements : RESETS.rules;
  let begun = false;
  return async (request) => {
    if (request.type !== twin.read) {
      const answer = await asker.dump(request);
      return begun ? { ...answer, interrupted: false } : answer;
    }
    begun = true;
    if (kind === 'rule') {
      const { table, chain, handle } = node as { table: string; chain: string; handle: number };
      return asker.get(query(twin.reset, request.family, rule, { table, chain, handle: BigInt(handle) }));
    }
    return { ...(await asker.dump({ ...request, type: twin.reset })), interrupted: false };
  };
}

async function resetObjects(
  node: Node,
  { type, all }: { type: number; all: boolean },
  asker: Asker,
): Promise<RulesetElement[]> {
  const { delinearizeObject } = await import('./reading.ts');
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
