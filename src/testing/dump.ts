import { SET_FLAGS } from '../bytecode/index.ts';
import {
  chain,
  elementList,
  flowtable,
  MESSAGE,
  object,
  objectData,
  rule,
  set,
  table,
} from '../message/index.ts';
import { AttributeWriter } from '../wire/attribute-writer.ts';
import { decodeOpen, encode, optional, string } from '../wire/schema.ts';
import { parts } from './element.ts';
import type { ElementKey } from './element-store.ts';
import { MessageWriter } from './netlink-message.ts';
import { demand } from './refusal.ts';
import type { Element, NftObject, NftSet, Rule, State, Table } from './state.ts';
import {
  chainValue,
  elementsValue,
  flowtableValue,
  objectValue,
  ruleValue,
  setValue,
  tableValue,
} from './tell.ts';

/** A question, as it reaches the kernel. */
export interface Question {
  /** NFT_MSG_GET* */
  readonly type: number;
  /** NFPROTO_*; 0 asks for all. */
  readonly family: number;
  readonly attributes: Uint8Array;
  /** Asks for the one thing that the attributes name, not for all that fit. */
  readonly single: boolean;
}

/** The table is NFTA_*_TABLE of whatever is asked for. */
const place = { table: optional(1, string) };

type Answerer = (question: Question, tables: readonly Table[], out: MessageWriter, now: number) => void;

const answerers: ReadonlyMap<number, Answerer> = new Map<number, Answerer>([
  [
    MESSAGE.GETTABLE,
    (_, tables, out) => {
      for (const one of tables) out.nftables(MESSAGE.NEWTABLE, one.family, table, tableValue(one));
    },
  ],
  [
    MESSAGE.GETCHAIN,
    (_, tables, out) => {
      for (const { family, chains } of tables)
        for (const one of chains.values()) out.nftables(MESSAGE.NEWCHAIN, family, chain, chainValue(one));
    },
  ],
  [MESSAGE.GETRULE, tellRules],
  [MESSAGE.GETRULE_RESET, tellRules],
  [
    MESSAGE.GETSET,
    (_, tables, out) => {
      for (const { family, sets } of tables)
        for (const one of sets.values()) out.nftables(MESSAGE.NEWSET, family, set, setValue(one));
    },
  ],
  [MESSAGE.GETSETELEM, tellElements],
  [MESSAGE.GETSETELEM_RESET, tellElements],
  [MESSAGE.GETOBJ, tellObjects],
  [MESSAGE.GETOBJ_RESET, tellObjects],
  [
    MESSAGE.GETFLOWTABLE,
    (_, tables, out) => {
      for (const { family, flowtables } of tables)
        for (const one of flowtables.values())
          out.nftables(MESSAGE.NEWFLOWTABLE, family, flowtable, flowtableValue(one));
    },
  ],
]);

/**
 * Answers a question, and resets what it asks to reset.
 *
 * @throws Refused ENOENT where what is named is not there, EOPNOTSUPP for what the fake does not know
 */
export function answer(state: State, question: Question, now: number): Uint8Array {
  const answerer = answerers.get(question.type);
  demand(answerer, 'EOPNOTSUPP');
  const { table: wanted } = decodeOpen(place, question.attributes).value;
  const named = question.type === MESSAGE.GETTABLE ? undefined : wanted;
  const tables = state.tables.filter(
    ({ family, name }) =>
      (question.family === 0 || family === question.family) && (named === undefined || name === named),
  );
  const out = new MessageWriter();
  answerer(question, tables, out, now);
  return out.bytes();
}

function tellRules(
  { attributes, type, single }: Question,
  tables: readonly Table[],
  out: MessageWriter,
): void {
  const wanted = decodeOpen(rule, attributes).value;
  let found = 0;
  for (const { family, chains } of tables) {
    for (const { name, rules } of chains.values()) {
      if (wanted.chain !== undefined && wanted.chain !== name) continue;
      for (const one of rules) {
        if (single && one.handle !== wanted.handle) continue;
        found += 1;
        out.nftables(MESSAGE.NEWRULE, family, rule, ruleValue(one));
        if (type === MESSAGE.GETRULE_RESET) resetInstructions(one);
      }
    }
  }
  demand(!single || found > 0, 'ENOENT');
}

/** Counters and quotas begin anew. */
function resetInstructions(holder: Pick<Rule | Element, 'expressions'>): void {
  holder.expressions = holder.expressions.map((one) =>
    one.name === 'counter'
      ? { ...one, packets: 0n, bytes: 0n }
      : one.name === 'quota'
        ? { ...one, consumed: 0n }
        : one,
  );
}

function tellElements(question: Question, tables: readonly Table[], out: MessageWriter, now: number): void {
  const wanted = decodeOpen(elementList, question.attributes).value;
  const [home] = tables;
  const asked = home?.sets.get(wanted.set ?? '');
  demand(home !== undefined && asked !== undefined, 'ENOENT');
  const told = question.single
    ? named((wanted.elements ?? []) as readonly Partial<ElementKey>[], asked)
    : [...asked.elements];
  for (const part of parts(told))
    out.nftables(MESSAGE.NEWSETELEM, home.family, elementList, elementsValue(asked, part, now));
  if (question.type !== MESSAGE.GETSETELEM_RESET || asked.flags & SET_FLAGS.anonymous) return;
  for (const element of told) resetInstructions(element);
}

/** The elements with these keys. */
function named(wanted: readonly Partial<ElementKey>[], { elements }: NftSet): Element[] {
  return wanted.map(({ key, keyEnd, flags = 0 }) => {
    const found = elements.find({ key, keyEnd, flags });
    demand(found, 'ENOENT');
    return found;
  });
}

function tellObjects(question: Question, tables: readonly Table[], out: MessageWriter): void {
  const { name, type } = decodeOpen(object, question.attributes).value;
  let found = 0;
  for (const { family, objects } of tables) {
    for (const one of objects.values()) {
      if ((type !== undefined && one.type !== type) || (question.single && one.name !== name)) continue;
      found += 1;
      out.nftables(MESSAGE.NEWOBJ, family, object, objectValue(one));
      if (question.type === MESSAGE.GETOBJ_RESET) resetObject(one);
    }
  }
  demand(!question.single || found > 0, 'ENOENT');
}

const RESET: Readonly<Record<number, (data: Uint8Array, writer: AttributeWriter) => void>> = {
  1: (_, writer) => encode(objectData.counter, { packets: 0n, bytes: 0n }, writer),
  2: (data, writer) =>
    encode(objectData.quota, { ...decodeOpen(objectData.quota, data).value, consumed: 0n }, writer),
};

function resetObject(one: NftObject): void {
  const reset = RESET[one.type];
  if (reset === undefined) return;
  const writer = new AttributeWriter(64);
  reset(one.data, writer);
  one.data = writer.bytes().slice();
}
