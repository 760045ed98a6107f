import { type Instruction, SET_FLAGS } from '../bytecode/index.ts';
import { MESSAGE, NLM, set as schema, VERDICT_TYPE } from '../message/index.ts';
import { decodeOpen, type ValueOf } from '../wire/schema.ts';
import { ElementStore } from './element-store.ts';
import type { BatchMessage } from './program-reader.ts';
import { demand } from './refusal.ts';
import { hold, nextHandle, type Run, tableOf } from './run.ts';
import { isObjectType, type NftSet, type Table } from './state.ts';
import { setValue } from './tell.ts';

const NFTA_SET = { name: 2, handle: 16 } as const;
const KNOWN_FLAGS = Object.values(SET_FLAGS).reduce((all, flag) => all | flag, 0);
/** NFT_DATA_VALUE_MAXLEN */
const WIDEST = 64;

type Given = Partial<ValueOf<typeof schema>>;

/** NFT_MSG_NEWSET: makes a set, or finds that it is as declared already. */
export function newSet(run: Run, message: BatchMessage): void {
  const { value } = decodeOpen(schema, message.attributes);
  checkDeclaration(value);
  const table = tableOf(run, message, value.table);
  const there = table.sets.get(value.name ?? '');
  if (there !== undefined) {
    demand(!(message.flags & NLM.EXCL), 'EEXIST', NFTA_SET.name);
    demand(!(there.flags & SET_FLAGS.anonymous), 'EOPNOTSUPP');
    demand(isSame(there.declared, value), 'EEXIST', NFTA_SET.name);
    redeclare(run, message, there, value);
    return;
  }
  demand(message.flags & NLM.CREATE, 'ENOENT');
  const flags = value.flags ?? 0;
  const set: NftSet = {
    table,
    name: freeName(table, value.name ?? ''),
    handle: nextHandle(table),
    flags,
    declared: value,
    elements: new ElementStore({ flags, declared: value }),
    bindings: 0,
    soonest: Number.POSITIVE_INFINITY,
  };
  run.journal.map(table, 'sets').set(set.name, set);
  if (value.id !== undefined) run.setIds.set(value.id, set);
  run.news.made(message, MESSAGE.NEWSET, schema, () => setValue(set));
}

/** What can never be, whatever the table has. */
function checkDeclaration(value: Given): void {
  const { flags = 0, keyLength = 0, dataType, dataLength = 0, objectType, description } = value;
  const has = (...names: (keyof typeof SET_FLAGS)[]) => names.every((name) => flags & SET_FLAGS[name]);
  demand(value.name !== undefined && value.id !== undefined, 'EINVAL');
  demand(keyLength > 0 && keyLength <= WIDEST, 'EINVAL');
  demand((flags & ~KNOWN_FLAGS) === 0, 'EOPNOTSUPP');
  demand(!has('map', 'object') && !has('eval', 'object'), 'EOPNOTSUPP');
  demand(!has('anonymous', 'timeout') && !has('anonymous', 'eval'), 'EOPNOTSUPP');
  demand(!has('constant', 'timeout'), 'EOPNOTSUPP');
  demand((dataType !== undefined) === has('map'), 'EINVAL');
  if (dataType !== undefined && dataType !== VERDICT_TYPE) {
    demand(dataLength > 0 && dataLength <= WIDEST, 'EINVAL');
  }
  demand((objectType !== undefined) === has('object'), 'EINVAL');
  demand(objectType === undefined || isObjectType(objectType), 'EOPNOTSUPP');
  demand(value.timeout === undefined || has('timeout'), 'EINVAL');
  demand(value.gcInterval === undefined || has('timeout'), 'EINVAL');
  const widths = (description?.concat ?? []).map(({ length }) => (length + 3) & ~3);
  const sum = widths.reduce((total, width) => total + width, 0);
  demand(widths.length === 0 || sum === keyLength, 'EINVAL');
  // Nothing that holds intervals can be filled by packets.
  demand(!has('interval', 'eval'), 'EOPNOTSUPP');
}

function isSame(there: Given, value: Given): boolean {
  const comparable = (one: Given) =>
    JSON.stringify([
      one.keyType,
      one.keyLength,
      one.dataType,
      one.dataLength,
      one.objectType,
      one.flags ?? 0,
      (one.description?.concat ?? []).map(({ length }) => length),
      expressionsOf(one).map(({ name }) => name),
    ]);
  return comparable(there) === comparable(value);
}

/** The instructions that each new element gets. */
export function expressionsOf({ expression, expressions }: Given): readonly Instruction[] {
  return (expressions ?? (expression === undefined ? [] : [expression])) as readonly Instruction[];
}

/** Times and size may be declared anew: the elements of this transaction still get what was declared before. */
function redeclare({ redeclared, news }: Run, message: BatchMessage, set: NftSet, value: Given): void {
  const { timeout, gcInterval, description } = value;
  const size = description?.size ?? redeclared.get(set)?.size;
  redeclared.set(set, { timeout, gcInterval, size });
  news.made(message, MESSAGE.NEWSET, schema, () => setValue(set));
}

/** Gives sets what was declared of them anew. */
export function applyDeclarations({ journal, redeclared }: Run): void {
  for (const [set, { timeout, gcInterval, size }] of redeclared) {
    const { description, timeout: _timeout, gcInterval: _gcInterval, ...rest } = set.declared;
    journal.set(set, 'declared', {
      ...rest,
      ...(timeout === undefined ? {} : { timeout }),
      ...(gcInterval === undefined ? {} : { gcInterval }),
      ...(description === undefined && size === undefined
        ? {}
        : { description: { ...description, ...(size === undefined ? {} : { size }) } }),
    });
  }
}

/** `__set%d` becomes the first name of the kind that is free. */
function freeName(table: Table, name: string): string {
  const at = name.indexOf('%');
  if (at < 0) return name;
  demand(name[at + 1] === 'd' && !name.includes('%', at + 2), 'EINVAL');
  for (let n = 0; ; n++) {
    const candidate = name.replace('%d', String(n));
    if (!table.sets.has(candidate)) return candidate;
  }
}

/** NFT_MSG_DELSET and NFT_MSG_DESTROYSET */
export function deleteSet(run: Run, message: BatchMessage): void {
  const { value } = decodeOpen(schema, message.attributes);
  const table = tableOf(run, message, value.table);
  const { handle, name } = value;
  const set =
    handle === undefined
      ? table.sets.get(name ?? '')
      : [...table.sets.values()].find((one) => one.handle === handle);
  if (set === undefined && message.type === MESSAGE.DESTROYSET) return;
  const named = handle === undefined ? NFTA_SET.name : NFTA_SET.handle;
  demand(set, 'ENOENT', named);
  demand(set.bindings === 0, 'EBUSY', named);
  removeSet(run, message, set);
}

/** Takes an anonymous set away that no rule has any more. */
export function dropAnonymous(run: Run, message: BatchMessage, set: NftSet): void {
  if (set.flags & SET_FLAGS.anonymous && set.bindings === 0) removeSet(run, message, set);
}

function removeSet(run: Run, message: BatchMessage, set: NftSet): void {
  run.news.gone(message, MESSAGE.DELSET, schema, setValue(set));
  if (set.flags & (SET_FLAGS.map | SET_FLAGS.object)) {
    for (const { use } of set.elements) if (use !== undefined) hold(run.journal, use, -1);
  }
  run.journal.map(set.table, 'sets').delete(set.name);
}
