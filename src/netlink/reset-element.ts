import { constants } from 'node:os';
import {
  ELEMENT_FLAGS,
  elementsOf,
  type KernelElement,
  type SetDeclaration,
  type SetElement,
} from '../bytecode/index.ts';
import { delinearizeElements } from '../delinearize/index.ts';
import { delinearizeSet } from '../delinearize/object/index.ts';
import { at, pathText } from '../linearize/index.ts';
import { elementList, MESSAGE, set as setSchema } from '../message/index.ts';
import type { Family, RulesetElement } from '../model/index.ts';
import { shown } from '../model/inspect.ts';
import { findFamily } from '../protocol/index.ts';
import { compileParsed, emptyView, type ParsedCommand } from '../transaction/index.ts';
import { decodeOpen } from '../wire/schema.ts';
import { readMessages } from './message.ts';
import { query } from './query.ts';
import type { Asker } from './reset.ts';
import { NetlinkSocketError } from './socket-error.ts';

/**
 * Resets single elements of a set or map: their counters and quotas begin anew, each in the kernel at one stroke
 * (Linux 6.5). Where one of them is not there, none is reset.
 *
 * @returns the set with these elements, as they were
 * @throws CompileError where an element cannot be one of the set
 * @throws NetlinkSocketError ENOENT where there is no such set, or no such element
 */
export async function resetElement(command: ParsedCommand, asker: Asker): Promise<RulesetElement[]> {
  const { family, table, name } = command.node as { family: Family; table: string; name: string };
  const { known, declared } = await describe(family, table, name, asker);
  const named = namedElements(command, known);
  const ask = async (type: number, element: SetElement): Promise<KernelElement | undefined> => {
    const { key, keyEnd, flags } = element;
    const elements = [{ key, keyEnd, flags }];
    const { messages } = await asker.get(
      query(type, findFamily(family).number, elementList, { table, set: name, elements }),
    );
    const [message] = readMessages(messages);
    const told = message && decodeOpen(elementList, message.attributes).value.elements?.[0];
    return told as KernelElement | undefined;
  };
  for (const element of named) {
    if (isEnd(element) || isSame(await ask(MESSAGE.GETSETELEM, element).catch(nothing), element)) continue;
    const place = pathText(at(at(command.path, 'elem'), element.source ?? 0));
    throw noEntry(`${place}: there is no such element in ${name} of table ${table}`);
  }
  const found: KernelElement[] = [];
  for (const element of named) {
    const told = isEnd(element) ? element : await ask(MESSAGE.GETSETELEM_RESET, element);
    if (told !== undefined) found.push(told as KernelElement);
  }
  const kind = known.data === undefined ? 'set' : 'map';
  return [
    shown({ [kind]: { ...declared, elem: delinearizeElements(found, known) } } as unknown as RulesetElement),
  ];
}

async function describe(family: Family, table: string, name: string, asker: Asker) {
  const answer = await asker.dump(query(MESSAGE.GETSET, findFamily(family).number, setSchema, { table }));
  for (const { attributes } of readMessages(answer.messages)) {
    const { value } = decodeOpen(setSchema, attributes);
    if (value.name === name) return delinearizeSet(family, value);
  }
  throw noEntry(`there is no set or map ${name} in table ${table} of family ${family}`);
}

/** The elements as they are deleted by: an interval's beginning and its end. */
function namedElements(command: ParsedCommand, known: SetDeclaration): SetElement[] {
  const view = { ...emptyView, set: () => ({ ...known, autoMerge: false }) };
  const messages = [...compileParsed([{ ...command, verb: 'delete' }], view)];
  return messages.flatMap((message) => (message.kind === 'elements' ? elementsOf(message.elements) : []));
}

const isEnd = ({ flags = 0 }: SetElement) => (flags & ELEMENT_FLAGS.intervalEnd) !== 0;

/** Whether the kernel found just this element: a part of an interval finds the whole of it. */
function isSame(told: KernelElement | undefined, { key, keyEnd }: SetElement): boolean {
  const same = (a: Uint8Array | undefined, b: Uint8Array | undefined) =>
    Buffer.compare(a ?? EMPTY, b ?? EMPTY) === 0;
  return told !== undefined && same(told.key, key) && (keyEnd === undefined || same(told.keyEnd, keyEnd));
}

const EMPTY = new Uint8Array();

/** What the kernel does not find. */
function nothing(error: unknown): undefined {
  if ((error as { code?: string }).code !== 'ENOENT') throw error;
}

function noEntry(message: string): NetlinkSocketError {
  return new NetlinkSocketError(constants.errno.ENOENT, 'netlink', message);
}
