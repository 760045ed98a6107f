import {
  ELEMENT_FLAGS,
  type KernelElement,
  OBJECT_TYPES,
  type ObjectType,
  SET_FLAGS,
} from '../bytecode/index.ts';
import { delinearizeElements } from '../delinearize/index.ts';
import {
  delinearizeChain,
  delinearizeFlowtable,
  delinearizeObject,
  delinearizeSet,
  delinearizeTable,
} from '../delinearize/object/index.ts';
import { chain, elementList, flowtable, MESSAGE, NLM, object, rule, set, table } from '../message/index.ts';
import type { Change, Element, Family, RulesetElement } from '../model/index.ts';
import { familyByNumber } from '../protocol/index.ts';
import { decodeOpen, type Schema, type ValueOf } from '../wire/schema.ts';
import { joined, parted } from './devices.ts';
import type { Known } from './known.ts';
import { ruleOf } from './list.ts';
import type { NetlinkMessage } from './message.ts';

/** What a kind of message says, by its number. */
type Read = (family: Family, message: NetlinkMessage, known: Known) => Change | undefined;

function told<S extends Schema>(schema: S, message: NetlinkMessage): Partial<ValueOf<S>> {
  return decodeOpen(schema, message.attributes).value;
}

const handleOf = (value: { handle?: bigint | undefined }) => Number(value.handle ?? 0n);

function added(object: RulesetElement): Change {
  return { action: 'add', object };
}

function deleted(kind: string, family: Family, value: object): Change {
  return { action: 'delete', object: { [kind]: { family, ...value } } as unknown as RulesetElement };
}

const readers: Readonly<Record<number, Read>> = {
  [MESSAGE.NEWTABLE]: (family, message) => added({ table: delinearizeTable(family, told(table, message)) }),
  [MESSAGE.DELTABLE]: (family, message, known) => {
    const value = told(table, message);
    known.forgetTable(family, value.name);
    return deleted('table', family, { name: value.name, handle: handleOf(value) });
  },
  [MESSAGE.NEWCHAIN]: (family, message, known) => {
    const made = delinearizeChain(family, told(chain, message));
    const before = known.chain(family, made.table, made.handle ?? 0);
    const whole = joined(before, made);
    known.keepChain(family, whole);
    return before === undefined || before.name === made.name
      ? added({ chain: whole })
      : { action: 'rename', object: { chain: { ...whole, name: before.name, newname: made.name } } };
  },
  [MESSAGE.DELCHAIN]: (family, message, known) => {
    const value = told(chain, message);
    const before = known.chain(family, value.table, handleOf(value));
    // With a hook: devices that leave it.
    if (value.hook !== undefined && before !== undefined) {
      const rest = parted(before, delinearizeChain(family, value));
      known.keepChain(family, rest);
      return added({ chain: rest });
    }
    known.forgetChain(family, value.table, handleOf(value));
    return deleted('chain', family, { table: value.table, name: value.name, handle: handleOf(value) });
  },
  [MESSAGE.NEWRULE]: (family, message, known) => {
    const value = told(rule, message);
    const place = { family, table: value.table ?? '', name: value.chain ?? '' };
    const hooked = known.chainNamed(family, value.table, value.chain) ?? place;
    const made = { rule: ruleOf(family, value, hooked, known.sets(family, value.table)) };
    if (value.position !== undefined) return { action: 'add', object: made, after: Number(value.position) };
    return { action: message.flags & NLM.APPEND ? 'add' : 'insert', object: made };
  },
  [MESSAGE.DELRULE]: (family, message) => {
    const value = told(rule, message);
    return deleted('rule', family, { table: value.table, chain: value.chain, handle: handleOf(value) });
  },
  [MESSAGE.NEWSET]: (family, message, known) => {
    known.learn(message);
    const { known: made, declared } = delinearizeSet(family, told(set, message));
    if (made.flags & SET_FLAGS.anonymous) return undefined;
    return added({ [made.data === undefined ? 'set' : 'map']: declared } as unknown as RulesetElement);
  },
  [MESSAGE.DELSET]: (family, message, known) => {
    const value = told(set, message);
    const gone = known.set(family, value.table, value.name);
    known.forgetSet(family, value.table, value.name);
    if (gone !== undefined && gone.flags & SET_FLAGS.anonymous) return undefined;
    const kind = gone?.data === undefined ? 'set' : 'map';
    return deleted(kind, family, { table: value.table, name: value.name, handle: handleOf(value) });
  },
  [MESSAGE.NEWOBJ]: (family, message) => {
    const made = delinearizeObject(family, told(object, message));
    return made && added(made);
  },
  [MESSAGE.DELOBJ]: (family, message) => {
    const value = told(object, message);
    const kind = (Object.keys(OBJECT_TYPES) as ObjectType[]).find(
      (name) => OBJECT_TYPES[name] === value.type,
    );
    if (kind === undefined) return undefined;
    return deleted(kind, family, { table: value.table, name: value.name, handle: handleOf(value) });
  },
  [MESSAGE.NEWFLOWTABLE]: (family, message, known) => {
    const made = delinearizeFlowtable(family, told(flowtable, message));
    const before = known.flowtable(family, made.table, made.name);
    const whole = joined(before, made);
    known.keepFlowtable(family, whole);
    return added({ flowtable: whole });
  },
  [MESSAGE.DELFLOWTABLE]: (family, message, known) => {
    const value = told(flowtable, message);
    const before = known.flowtable(family, value.table, value.name);
    if (value.hook !== undefined && before !== undefined) {
      const rest = parted(before, delinearizeFlowtable(family, value));
      known.keepFlowtable(family, rest);
      return added({ flowtable: rest });
    }
    known.forgetFlowtable(family, value.table, value.name);
    return deleted('flowtable', family, { table: value.table, name: value.name, handle: handleOf(value) });
  },
};

/** A run of messages about elements of one set. */
interface Run {
  readonly type: number;
  readonly family: Family;
  readonly table: string;
  readonly set: string;
  readonly elements: KernelElement[];
}

function isElements({ type }: NetlinkMessage): boolean {
  return type === MESSAGE.NEWSETELEM || type === MESSAGE.DELSETELEM;
}

/** The changes that messages of one transaction tell of, in an order in which they can be carried out. */
export function readChanges(messages: readonly NetlinkMessage[], known: Known): Change[] {
  const changes: Change[] = [];
  let run: Run | undefined;
  const finish = () => {
    const change = run && elementsChange(run, known);
    if (change !== undefined) changes.push(change);
    run = undefined;
  };
  for (const message of messages) {
    const family = familyByNumber(message.family)?.name;
    if (family === undefined) continue;
    if (isElements(message)) {
      const value = told(elementList, message);
      const { table: tableName = '', set: name = '' } = value;
      if (
        !(run?.type === message.type && run.family === family && run.table === tableName && run.set === name)
      ) {
        finish();
        run = { type: message.type, family, table: tableName, set: name, elements: [] };
      }
      run.elements.push(...((value.elements ?? []) as readonly KernelElement[]));
      continue;
    }
    finish();
    const change = readers[message.type]?.(family, message, known);
    if (change !== undefined) changes.push(change);
  }
  finish();
  return orderRules(replacements(changes));
}

function elementsChange(
  { type, family, table: tableName, set: name, elements }: Run,
  known: Known,
): Change | undefined {
  const set = known.set(family, tableName, name);
  const isNew = type === MESSAGE.NEWSETELEM;
  if (set === undefined || set.flags & SET_FLAGS.anonymous) {
    if (isNew) known.fill(family, tableName, name, elements);
    return undefined;
  }
  const elem = delinearizeElements(elements, set) as Element['elem'];
  const object: RulesetElement = { element: { family, table: tableName, name, elem } };
  return { action: isNew ? 'add' : 'delete', object };
}

/** A rule that is replaced is told to be gone, and then to be there again. */
function replacements(changes: readonly Change[]): Change[] {
  const gone = new Map<string, number>();
  const kept: (Change | undefined)[] = [];
  for (const change of changes) {
    const { action, object } = change;
    if (!('rule' in object)) {
      kept.push(change);
      continue;
    }
    const { family, table: tableName, chain: chainName, handle } = object.rule;
    const name = `${family} ${tableName} ${chainName} ${handle}`;
    const before = gone.get(name);
    if (action === 'delete') gone.set(name, kept.length);
    else if (before !== undefined) kept[before] = undefined;
    kept.push(action === 'delete' || before === undefined ? change : { action: 'replace', object });
  }
  return kept.filter((change) => change !== undefined);
}

/**
 * Places of rules are told as they are at the end of the transaction: a rule may stand behind one that is told
 * of later. It then goes behind that one here, too.
 */
function orderRules(changes: readonly Change[]): Change[] {
  const isNew = ({ action, object }: Change) =>
    'rule' in object && action !== 'delete' && action !== 'replace';
  const handle = ({ object }: Change) => ('rule' in object ? (object.rule.handle ?? 0) : 0);
  const pending = new Set(changes.filter(isNew).map(handle));
  const waiting = new Map<number, Change[]>();
  const ordered: Change[] = [];
  const put = (change: Change): void => {
    ordered.push(change);
    if (!isNew(change)) return;
    pending.delete(handle(change));
    const followers = waiting.get(handle(change)) ?? [];
    waiting.delete(handle(change));
    followers.forEach(put);
  };
  for (const change of changes) {
    if (change.after === undefined || !pending.has(change.after)) put(change);
    else waiting.set(change.after, [...(waiting.get(change.after) ?? []), change]);
  }
  return ordered;
}

const none = new Uint8Array();

/**
 * How many of the messages can be read apart from those that follow: the two ends of an interval stay together.
 */
export function separable(messages: readonly NetlinkMessage[], known: Known): number {
  const last = messages.at(-1);
  const family = last && familyByNumber(last.family)?.name;
  if (last === undefined || family === undefined || !isElements(last)) return messages.length;
  const { table: tableName, set: name } = told(elementList, last);
  const set = known.set(family, tableName, name);
  if (set !== undefined && !(set.flags & SET_FLAGS.interval && set.key.length === 1)) return messages.length;
  const start = messages.findLastIndex((message) => message.type !== last.type);
  const elements = messages.slice(start + 1).flatMap((message) => {
    const value = told(elementList, message);
    return value.table === tableName && value.set === name
      ? (value.elements as readonly KernelElement[])
      : [];
  });
  const [first, end] = [elements[0], elements.at(-1)];
  // Ends come behind beginnings, but in a flush, which goes backwards.
  const isBackwards = Buffer.compare(first?.key ?? none, end?.key ?? none) > 0;
  const isEnd = ((end?.flags ?? 0) & ELEMENT_FLAGS.intervalEnd) !== 0;
  return isEnd === isBackwards ? messages.length - 1 : messages.length;
}
