import { constants } from 'node:os';
import { type Instruction, type KnownSet, readComment, SET_FLAGS } from '../bytecode/index.ts';
import { delinearizeTold } from '../delinearize/element-list.ts';
import { delinearizeElements, delinearizeRule } from '../delinearize/index.ts';
import {
  delinearizeChain,
  delinearizeFlowtable,
  delinearizeObject,
  delinearizeSet,
  delinearizeTable,
} from '../delinearize/object/index.ts';
import { chain, elementList, flowtable, MESSAGE, object, rule, set, table } from '../message/index.ts';
import type { Chain, Family, Rule, Ruleset, RulesetElement } from '../model/index.ts';
import { shown } from '../model/inspect.ts';
import { familyByNumber, findFamily } from '../protocol/index.ts';
import { decodeOpen, type Schema, type ValueOf } from '../wire/schema.ts';
import { isFaithful } from './faithful.ts';
import { readMessages } from './message.ts';
import { concerns, tableOf } from './part.ts';
import { query } from './query.ts';
import { elementsOf, type Kept, type ReadElements, readElements } from './rehash.ts';
import type { Abortable, DumpRequest, DumpResult } from './request.ts';
import { NetlinkSocketError } from './socket-error.ts';
import { Interrupted } from './torn.ts';

/** What to list; everything where nothing is said. */
export interface ListScope {
  readonly family?: Family;
  readonly table?: string;
  /** Only this chain of the table. */
  readonly chain?: string;
  /** Only this set or map of the table. */
  readonly set?: string;
  /** Sets and maps without their elements, which are not even read. */
  readonly terse?: boolean;
}

/** Asks the kernel one question. */
export type Ask = (request: DumpRequest) => Promise<DumpResult>;

type Told<S extends Schema> = { readonly family: Family; readonly value: Partial<ValueOf<S>> };

/** Reads the parts of a ruleset. */
class Reader {
  readonly #ask: Ask;
  readonly #readElements: ReadElements;
  readonly #scope: ListScope & Abortable;
  readonly #family: number;

  constructor(ask: Ask, scope: ListScope & Abortable, read: ReadElements) {
    this.#ask = ask;
    this.#readElements = read;
    this.#scope = scope;
    this.#family = scope.family === undefined ? 0 : findFamily(scope.family).number;
  }

  /** All objects of a kind that the scope covers. */
  async objects<S extends Schema>(type: number, schema: S, value: ValueOf<S>): Promise<Told<S>[]> {
    const told: Told<S>[] = [];
    const answer = await this.#ask(query(type, this.#family, schema, value));
    if (answer.interrupted) throw new Interrupted('the ruleset changed while it was listed');
    for (const message of readMessages(answer.messages)) {
      const family = familyByNumber(message.family)?.name;
      if (family !== undefined && concerns(message, this.#scope))
        told.push({ family, value: decodeOpen(schema, message.attributes).value });
    }
    return told;
  }

  /** The elements of a set, as the kernel has them. */
  async elements(family: Family, table: string, set: Kept & { readonly name: string }) {
    const number = findFamily(family).number;
    const request = query(MESSAGE.GETSETELEM, number, elementList, { table, set: set.name });
    return this.#readElements(() => this.#ask(request), set, this.#scope);
  }
}

/** Reads what the scope covers, in nft's order: for each table its objects, sets, flowtables, chains and rules. */
export async function listRuleset(
  ask: Ask,
  scope: ListScope & Abortable,
  read: ReadElements = readElements,
): Promise<Ruleset> {
  const reader = new Reader(ask, scope, read);
  const within = tableOf(scope);
  const tables = await reader.objects(MESSAGE.GETTABLE, table, {});
  if (scope.table !== undefined && tables.length === 0) throw missing('table', scope.table, scope);
  const wholeTables = scope.chain === undefined && scope.set === undefined;
  const sets = await readSets(reader, await reader.objects(MESSAGE.GETSET, set, within), scope);
  const chains = scope.set === undefined ? await reader.objects(MESSAGE.GETCHAIN, chain, within) : [];
  const rules =
    scope.set === undefined
      ? await reader.objects(MESSAGE.GETRULE, rule, {
          ...within,
          ...(scope.chain === undefined ? {} : { chain: scope.chain }),
        })
      : [];
  const objects = wholeTables ? await reader.objects(MESSAGE.GETOBJ, object, within) : [];
  const flowtables = wholeTables ? await reader.objects(MESSAGE.GETFLOWTABLE, flowtable, within) : [];

  const listed: RulesetElement[] = [];
  for (const { family, value } of tables) {
    const name = value.name ?? '';
    const own = <T extends Told<Schema>>(told: readonly T[]): T[] =>
      told.filter((one) => one.family === family && (one.value as { table?: string }).table === name);
    if (wholeTables) listed.push({ table: delinearizeTable(family, value) });
    for (const one of own(objects)) {
      const element = delinearizeObject(family, one.value);
      if (element !== undefined) listed.push(element);
    }
    const tableSets = sets.filter((one) => one.family === family && one.table === name);
    if (scope.chain === undefined) {
      for (const one of tableSets)
        if (one.element !== undefined && covers(scope.set, one.known.name)) listed.push(one.element);
    }
    for (const one of own(flowtables)) listed.push({ flowtable: delinearizeFlowtable(family, one.value) });
    if (scope.set !== undefined) continue;
    const tableChains = own(chains)
      .filter((one) => covers(scope.chain, one.value.name))
      .map((one) => delinearizeChain(family, one.value));
    for (const one of tableChains) listed.push({ chain: one });
    const known = new Map(tableSets.map((one) => [one.known.name, one.known]));
    for (const one of own(rules)) {
      const definition = tableChains.find((candidate) => candidate.name === one.value.chain);
      if (definition !== undefined) listed.push({ rule: ruleOf(family, one.value, definition, known) });
    }
  }
  if (listed.length === 0 && scope.chain !== undefined) throw missing('chain', scope.chain, scope);
  if (listed.length === 0 && scope.set !== undefined) throw missing('set or map', scope.set, scope);
  for (const element of listed) shown(element);
  return shown({ nftables: [{ metainfo: { json_schema_version: 1 } }, ...listed] });
}

function missing(kind: string, name: string, { family, table: home }: ListScope): NetlinkSocketError {
  const where = kind === 'table' ? '' : ` in table ${home}`;
  const of = family === undefined ? '' : ` of family ${family}`;
  return new NetlinkSocketError(
    constants.errno.ENOENT,
    'netlink',
    `there is no ${kind} ${name}${where}${of}`,
  );
}

function covers(wanted: string | undefined, name: string | undefined): boolean {
  return wanted === undefined || wanted === name;
}

/** A rule as the kernel tells it. */
export function ruleOf(
  family: Family,
  value: Partial<ValueOf<typeof rule>>,
  chain: Chain,
  sets: ReadonlyMap<string, KnownSet>,
): Rule {
  const instructions = (value.expressions ?? []) as readonly Instruction[];
  const place = { family, chain, set: (name: string) => sets.get(name) };
  const comment = value.userdata && readComment(value.userdata);
  return {
    family,
    table: value.table ?? '',
    chain: chain.name,
    handle: Number(value.handle ?? 0n),
    ...(comment === undefined ? {} : { comment }),
    expr: delinearizeRule(instructions, {
      ...place,
      faithful: (statements) => isFaithful(statements, instructions, place),
    }),
  };
}

interface ReadSet {
  readonly family: Family;
  readonly table: string;
  readonly known: KnownSet;
  /** The set in the model; absent for anonymous sets. */
  readonly element?: RulesetElement;
}

async function readSets(
  reader: Reader,
  told: readonly Told<typeof set>[],
  scope: ListScope & Abortable,
): Promise<ReadSet[]> {
  const sets: ReadSet[] = [];
  for (const { family, value } of told) {
    const { known, declared } = delinearizeSet(family, value);
    const tableName = value.table ?? '';
    const anonymous = ((value.flags ?? 0) & SET_FLAGS.anonymous) !== 0;
    const wanted = anonymous
      ? scope.set === undefined
      : !scope.terse && scope.chain === undefined && covers(scope.set, value.name);
    const answer = wanted ? await reader.elements(family, tableName, known) : [];
    if (anonymous) {
      sets.push({ family, table: tableName, known: { ...known, elements: elementsOf(answer) } });
      continue;
    }
    const elem =
      answer instanceof Uint8Array ? delinearizeTold(answer, known) : delinearizeElements(answer, known);
    const kind = known.data === undefined ? 'set' : 'map';
    const element = {
      [kind]: { ...declared, ...(elem.length === 0 ? {} : { elem }) },
    } as unknown as RulesetElement;
    sets.push({ family, table: tableName, known, element });
  }
  return sets;
}
