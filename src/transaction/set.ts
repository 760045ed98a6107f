import { concatId, quoted } from '../datatype/index.ts';
import {
  at,
  CompileError,
  declareNamedSet,
  ELEMENT_FLAGS,
  encodeElements,
  evaluateElements,
  evaluateStateful,
  joinedBits,
  MAX_32,
  milliseconds,
  OBJECT_TYPES,
  PackedElements,
  packElements,
  SET_FLAGS,
  type SetDeclaration,
  type SetElement,
  whole,
} from '../linearize/index.ts';
import { elementList, MESSAGE, NLM, SET_POLICIES, set as schema, VERDICT_TYPE } from '../message/index.ts';
import {
  ElementRows,
  type Expression,
  type Family,
  type NamedMap,
  type NamedSet,
  type Statement,
} from '../model/index.ts';
import { findFamily } from '../protocol/index.ts';
import type { ValueOf } from '../wire/schema.ts';
import type { ParsedCommand } from './command.ts';
import { commentText } from './comment.ts';
import type { TransactionContext } from './context.ts';
import { elementsOfIntervals, intervalsOf, mergeInto, takeOut, without } from './merge.ts';
import { familyOf, handleOf, nameOf } from './reference.ts';
import { removeWith } from './remove.ts';
import { packRows } from './rows.ts';
import { setUserdata } from './userdata.ts';

const BITS_PER_BYTE = 8;

/** How many elements are worth to be written where they are needed alone. */
const LARGE = 1000;

/** `set` and `map` */
export function compileSet(command: ParsedCommand, context: TransactionContext): void {
  const family = familyOf(command);
  const table = nameOf(command, 'table');
  switch (command.verb) {
    case 'add':
    case 'create':
      addSet(command, context, family, table);
      return;
    case 'delete':
    case 'destroy': {
      const handle = handleOf(command);
      const target =
        handle === undefined || command.node.name !== undefined ? { name: nameOf(command) } : { handle };
      if (
        removeWith(command, context, 'SET', schema, { table, ...target }) &&
        command.node.name !== undefined
      )
        context.empty(family, table, nameOf(command));
      return;
    }
    case 'flush':
      context.send(command, MESSAGE.DELSETELEM, 0, elementList, { table, set: nameOf(command) });
      context.empty(family, table, nameOf(command));
      return;
    default:
      throw new CompileError(
        command.path,
        `expected add, create, delete, destroy or flush, not ${command.verb}`,
      );
  }
}

function addSet(command: ParsedCommand, context: TransactionContext, family: Family, table: string): void {
  const node = command.node as unknown as NamedSet | NamedMap;
  const name = nameOf(command);
  if (command.kind === 'map' && (node as NamedMap).map === undefined) {
    throw new CompileError(command.path, 'a map needs the type of its values: map');
  }
  const scope = context.scope(family, table);
  const declared = declareNamedSet({ ...node, name }, scope, command.path);
  context.declareSet(family, table, declared);
  const merges = node['auto-merge'] === true;
  const elements =
    node.elem === undefined
      ? []
      : (pack(node.elem, declared, command, context) ??
        encode(node.elem as Expression, command, context, family, table, declared, merges, true));
  // A constant set is as large as it begins.
  const set = declared.flags & SET_FLAGS.constant ? { ...declared, size: elements.length } : declared;
  const how = command.verb === 'create' ? NLM.CREATE | NLM.EXCL : NLM.CREATE;
  const { policy, timeout, stmt } = node;
  if (policy !== undefined && !Object.hasOwn(SET_POLICIES, policy)) {
    throw new CompileError(
      at(command.path, 'policy'),
      `expected one of ${Object.keys(SET_POLICIES).join(', ')}`,
    );
  }
  const collect = node['gc-interval'];
  const statements =
    stmt === undefined
      ? undefined
      : Array.from(stmt, (statement, i) => stateful(statement, command, context, family, table, i));
  context.send(command, MESSAGE.NEWSET, how, schema, {
    ...description(table, set),
    ...(policy === undefined ? {} : { policy: SET_POLICIES[policy] }),
    ...(timeout === undefined ? {} : { timeout: milliseconds(timeout, at(command.path, 'timeout')) }),
    ...(collect === undefined
      ? {}
      : {
          gcInterval: whole(
            milliseconds(collect, at(command.path, 'gc-interval')),
            MAX_32,
            at(command.path, 'gc-interval'),
          ),
        }),
    userdata: setUserdata(set, merges, commentText(command)),
    ...(statements?.length === 1 ? { expression: statements[0] } : {}),
    ...(statements !== undefined && statements.length > 1 ? { expressions: statements } : {}),
  });
  if (command.verb === 'add' && isMerging(set) && !(elements instanceof PackedElements)) {
    const before = context.merging(family, table, set);
    context.keepMerging(family, table, name, { ...before, isNew: before.now.length === 0 });
    changeIntervals(command, context, family, table, set, elements);
  } else send(command, context, MESSAGE.NEWSETELEM, how, table, set, elements);
}

function stateful(
  statement: Statement,
  command: ParsedCommand,
  context: TransactionContext,
  family: Family,
  table: string,
  i: number,
) {
  const path = at(at(command.path, 'stmt'), i);
  const kinds = ['counter', 'quota', 'limit', 'last', 'ct count'] as const;
  const [kind, node] = Object.entries(statement ?? {})[0] ?? [];
  const known = kinds.find((name) => name === kind);
  if (known === undefined) throw new CompileError(path, `expected one of ${kinds.join(', ')}`);
  return evaluateStateful(known, node, context.scope(family, table), at(path, known));
}

/** What the kernel must know of any set, anonymous or named. */
function description(table: string, set: SetDeclaration): ValueOf<typeof schema> {
  const concat = set.flags & SET_FLAGS.concat;
  const desc = {
    ...(set.size === undefined ? {} : { size: set.size }),
    ...(concat ? { concat: set.key.map((part) => ({ length: Math.ceil(part.bits / BITS_PER_BYTE) })) } : {}),
  };
  return {
    table,
    name: set.name,
    flags: set.flags,
    keyType: concatId(set.key.map((part) => part.type)),
    keyLength: keyBytes(set),
    ...data(set),
    ...(Object.keys(desc).length === 0 ? {} : { description: desc }),
    id: set.id,
  };
}

function data(set: SetDeclaration): ValueOf<typeof schema> {
  if (set.data === undefined) return {};
  if (set.data.kind === 'verdict') return { dataType: VERDICT_TYPE, dataLength: 0 };
  if (set.data.kind === 'object') return { objectType: OBJECT_TYPES[set.data.object] };
  const length = Math.ceil(joinedBits(set.data.parts) / BITS_PER_BYTE);
  return {
    dataType: concatId(set.data.parts.map((part) => part.type)),
    dataLength: set.data.interval ? length * 2 : length,
  };
}

/** A set that a rule needs, and its elements: before the rule itself. */
export function sendAnonymousSet(
  command: ParsedCommand,
  context: TransactionContext,
  table: string,
  set: SetDeclaration,
): void {
  context.send(command, MESSAGE.NEWSET, NLM.CREATE, schema, {
    ...description(table, set),
    userdata: setUserdata(set, false),
  });
  send(command, context, MESSAGE.NEWSETELEM, NLM.CREATE, table, set, set.elements ?? []);
}

/** `element` */
export function compileElements(command: ParsedCommand, context: TransactionContext): void {
  const family = familyOf(command);
  const table = nameOf(command, 'table');
  const name = nameOf(command);
  const set = context.set(family, table, name);
  if (set === undefined)
    throw new CompileError(at(command.path, 'name'), `no set or map is called ${quoted(name)} in this table`);
  const nodes = command.node.elem as Expression | ElementRows | undefined;
  if (nodes === undefined) throw new CompileError(command.path, 'expected elements: elem');
  if (command.verb === 'destroy' && !context.view.canDestroy) {
    destroyPresent(command, context, family, table, set, nodes);
    return;
  }
  const elements =
    pack(nodes, set, command, context) ??
    encode(nodes as Expression, command, context, family, table, set, set.autoMerge === true, false);
  if (!(elements instanceof PackedElements) && isMerging(set) && command.verb !== 'create') {
    changeIntervals(command, context, family, table, set, elements);
    return;
  }
  switch (command.verb) {
    case 'add':
      send(command, context, MESSAGE.NEWSETELEM, NLM.CREATE, table, set, elements);
      return;
    case 'create':
      send(command, context, MESSAGE.NEWSETELEM, NLM.CREATE | NLM.EXCL, table, set, elements);
      return;
    case 'delete':
      send(command, context, MESSAGE.DELSETELEM, 0, table, set, elements);
      return;
    case 'destroy':
      send(command, context, MESSAGE.DESTROYSETELEM, 0, table, set, elements);
      return;
    default:
      throw new CompileError(command.path, `expected add, create, delete or destroy, not ${command.verb}`);
  }
}

function keyBytes({ key }: SetDeclaration): number {
  return Math.ceil(joinedBits(key) / BITS_PER_BYTE);
}

/** Whether new intervals of a set become one with those that they touch. */
function isMerging({ autoMerge, flags, key, data }: SetDeclaration): boolean {
  return autoMerge === true && (flags & SET_FLAGS.interval) !== 0 && key.length === 1 && data === undefined;
}

/**
 * Adds intervals to a set that merges, or takes them out of it: as the kernel keeps every interval apart, those that
 * they touch are deleted and come back as one, or as what is left of them.
 */
function changeIntervals(
  command: ParsedCommand,
  context: TransactionContext,
  family: Family,
  table: string,
  set: SetDeclaration,
  elements: readonly SetElement[],
): void {
  const bytes = keyBytes(set);
  const given = intervalsOf(elements, bytes);
  const catchalls = elements.filter((element) => element.key === undefined);
  const { there, now: before, sent, isNew } = context.merging(family, table, set);
  const isAdded = command.verb === 'add';
  const { now, missing } = isAdded ? { now: mergeInto(before, given), missing: [] } : takeOut(before, given);
  context.withdraw(sent);
  const start = context.messages.length;
  const removed = elementsOfIntervals(without(there, now), bytes);
  const added = elementsOfIntervals(without(now, there), bytes);
  send(command, context, MESSAGE.DELSETELEM, 0, table, set, removed);
  send(
    command,
    context,
    MESSAGE.NEWSETELEM,
    NLM.CREATE,
    table,
    set,
    isNew ? [...startOf(added), ...added] : added,
  );
  context.keepMerging(family, table, set.name, { there, now, sent: context.messages.slice(start), isNew });
  const other = [...elementsOfIntervals(isAdded ? [] : missing, bytes), ...catchalls];
  const gone = command.verb === 'destroy' ? MESSAGE.DESTROYSETELEM : MESSAGE.DELSETELEM;
  if (isAdded) send(command, context, MESSAGE.NEWSETELEM, NLM.CREATE, table, set, other);
  else send(command, context, gone, 0, table, set, other);
}

/** The mark of what is before the first interval, where there is something. */
function startOf([first]: readonly SetElement[]): readonly SetElement[] {
  const isFirst = first?.key === undefined || first.key.every((byte) => byte === 0);
  return isFirst ? [] : [{ key: new Uint8Array(first.key.length), flags: ELEMENT_FLAGS.intervalEnd }];
}

/** Deletes those elements that are there, where the kernel has no message for it. */
function destroyPresent(
  command: ParsedCommand,
  context: TransactionContext,
  family: Family,
  table: string,
  set: SetDeclaration,
  nodes: Expression | ElementRows,
): void {
  const list = nodes instanceof ElementRows ? nodes.toJSON() : nodes;
  const elements = encode(list, command, context, family, table, set, set.autoMerge === true, false);
  const there = context.view.elementKeys(family, table, set.name);
  const kept = elements.filter((element) => there.has(elementKey(element)));
  if (kept.length > 0) send(command, context, MESSAGE.DELSETELEM, 0, table, set, kept);
}

/** An element's keys as text, to look it up. */
export function elementKey({ key, keyEnd, flags }: Pick<SetElement, 'key' | 'keyEnd' | 'flags'>): string {
  const hex = (bytes: Uint8Array | undefined) =>
    bytes === undefined ? '' : Buffer.from(bytes).toString('hex');
  return `${hex(key)}-${hex(keyEnd)}-${flags ?? 0}`;
}

/** Elements that can be put into rows: many of them later, where that is asked for. */
function pack(
  nodes: unknown,
  set: SetDeclaration,
  command: ParsedCommand,
  context: TransactionContext,
): PackedElements | undefined {
  const packed = packable(nodes, set, command, context);
  if (packed === undefined) return undefined;
  return (context.defers && packed.length >= LARGE) || packed.pack() ? packed : undefined;
}

function packable(
  nodes: unknown,
  set: SetDeclaration,
  command: ParsedCommand,
  context: TransactionContext,
): PackedElements | undefined {
  if (Array.isArray(nodes)) return packElements(nodes as readonly Expression[], set);
  if (!(nodes instanceof ElementRows)) return undefined;
  const scope = context.scope(familyOf(command), nameOf(command, 'table'));
  return packRows(nodes, set, scope, at(command.path, 'elem'));
}

function encode(
  nodes: Expression,
  command: ParsedCommand,
  context: TransactionContext,
  family: Family,
  table: string,
  set: SetDeclaration,
  autoMerge: boolean,
  complete: boolean,
): SetElement[] {
  const scope = context.scope(family, table);
  const elements = evaluateElements(nodes, set.key, set.data, scope, at(command.path, 'elem'));
  return encodeElements(elements, { key: set.key, data: set.data, flags: set.flags, autoMerge, complete });
}

function send(
  command: ParsedCommand,
  context: TransactionContext,
  type: number,
  flags: number,
  table: string,
  set: SetDeclaration,
  elements: readonly SetElement[] | PackedElements,
): void {
  if (elements.length === 0) return;
  const family = findFamily(familyOf(command)).number;
  context.messages.push({
    kind: 'elements',
    type,
    flags,
    family,
    operation: command.index,
    table,
    set: set.name,
    setId: set.id,
    elements,
  });
}
