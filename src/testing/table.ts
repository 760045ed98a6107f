import { SET_FLAGS } from '../bytecode/index.ts';
import {
  chain as chainSchema,
  flowtable as flowtableSchema,
  MESSAGE,
  NLM,
  object as objectSchema,
  table as schema,
  set as setSchema,
  TABLE_FLAGS,
} from '../message/index.ts';
import { decodeOpen } from '../wire/schema.ts';
import type { BatchMessage } from './program-reader.ts';
import { demand } from './refusal.ts';
import { findTable, type Run } from './run.ts';
import type { Table } from './state.ts';
import { chainName, flowtableName, objectValue, setValue, tableValue } from './tell.ts';

const NFTA_TABLE = { name: 1, flags: 2, handle: 4 } as const;
const KNOWN_FLAGS = TABLE_FLAGS.dormant | TABLE_FLAGS.owner | TABLE_FLAGS.persist;

/** NFT_MSG_NEWTABLE */
export function newTable(run: Run, message: BatchMessage): void {
  const { value } = decodeOpen(schema, message.attributes);
  const { name, flags = 0 } = value;
  demand(name !== undefined, 'EINVAL');
  const there = findTable(run, message.family, name);
  if (there !== undefined) {
    demand(!(message.flags & NLM.EXCL), 'EEXIST', NFTA_TABLE.name);
    updateTable(run, message, there, value.flags);
    return;
  }
  demand((flags & ~KNOWN_FLAGS) === 0, 'EOPNOTSUPP');
  run.state.lastTable += 1n;
  const table: Table = {
    family: message.family,
    name,
    handle: run.state.lastTable,
    flags,
    owner: flags & TABLE_FLAGS.owner ? run.port : undefined,
    userdata: value.userdata,
    lastHandle: 0n,
    chains: new Map(),
    sets: new Map(),
    objects: new Map(),
    flowtables: new Map(),
    unproven: false,
  };
  run.journal.list(run.state, 'tables').push(table);
  run.news.made(message, MESSAGE.NEWTABLE, schema, () => tableValue(table));
}

function updateTable(run: Run, message: BatchMessage, table: Table, flags: number | undefined): void {
  if (flags === undefined || flags === table.flags) return;
  demand((flags & ~KNOWN_FLAGS) === 0, 'EOPNOTSUPP');
  // A table keeps its owner, and gets none later; nor does it begin or cease to outlive it.
  demand(((flags ^ table.flags) & (TABLE_FLAGS.owner | TABLE_FLAGS.persist)) === 0, 'EOPNOTSUPP');
  run.journal.set(table, 'flags', flags);
  run.news.made(message, MESSAGE.NEWTABLE, schema, () => tableValue(table));
}

/** NFT_MSG_DELTABLE and NFT_MSG_DESTROYTABLE: one table, or all of a family, or all. */
export function deleteTable(run: Run, message: BatchMessage): void {
  const { name, handle } = decodeOpen(schema, message.attributes).value;
  if (message.family === 0 || (name === undefined && handle === undefined)) {
    const mine = run.state.tables.filter(
      (table) =>
        (message.family === 0 || table.family === message.family) &&
        (name === undefined || table.name === name) &&
        (table.owner === undefined || table.owner === run.port),
    );
    for (const table of mine) remove(run, message, table);
    return;
  }
  const table =
    handle === undefined
      ? findTable(run, message.family, name)
      : run.state.tables.find((one) => one.family === message.family && one.handle === handle);
  if (table === undefined && message.type === MESSAGE.DESTROYTABLE) return;
  demand(table, 'ENOENT', handle === undefined ? NFTA_TABLE.name : NFTA_TABLE.handle);
  remove(run, message, table);
}

/** Nothing outside holds on to what is in a table, so all of it goes at once. */
function remove({ state, journal, news }: Run, message: BatchMessage, table: Table): void {
  const { family, chains, sets, flowtables, objects } = table;
  const about = { ...message, family };
  for (const chain of chains.values()) for (const rule of chain.rules) news.ruleGone(about, rule);
  for (const set of sets.values())
    if (!(set.flags & SET_FLAGS.anonymous)) news.gone(about, MESSAGE.DELSET, setSchema, setValue(set));
  for (const one of flowtables.values())
    news.gone(about, MESSAGE.DELFLOWTABLE, flowtableSchema, flowtableName(one));
  for (const one of objects.values()) news.gone(about, MESSAGE.DELOBJ, objectSchema, objectValue(one));
  for (const chain of chains.values()) news.gone(about, MESSAGE.DELCHAIN, chainSchema, chainName(chain));
  news.gone(about, MESSAGE.DELTABLE, schema, tableValue(table));
  const tables = journal.list(state, 'tables');
  tables.splice(tables.indexOf(table), 1);
}
