import { type KernelElement, SET_FLAGS, type Typed } from '../bytecode/index.ts';
import { ELEMENT, ElementReader } from '../message/index.ts';
import type { Expression } from '../model/index.ts';
import type { Notation } from './constant.ts';
import { delinearizeElements, type Layout, withData } from './elements.ts';
import { keyLength, keyOrder, keyReader } from './key-reader.ts';
import { Inexpressible } from './term.ts';

const bit = (...ids: readonly number[]) => ids.reduce((bits, id) => bits | (1 << id), 0);
const PLAIN = bit(ELEMENT.key);
const PAIR = bit(ELEMENT.key, ELEMENT.data);

/**
 * The elements that NFT_MSG_NEWSETELEM messages tell, as {@link delinearizeElements} lists them: those that are
 * nothing but a key, or a key and a value, straight from their bytes.
 */
export function delinearizeTold(
  messages: Uint8Array,
  set: Layout,
  notation: Notation = { numericProtocol: false },
): Expression[] {
  try {
    if (isPlain(set)) return listed(messages, set, notation);
  } catch (error) {
    if (!(error instanceof Inexpressible)) throw error;
  }
  const elements: KernelElement[] = [];
  for (const reader = new ElementReader(messages); reader.next(); ) elements.push(reader.element());
  return delinearizeElements(elements, set, notation);
}

/** Whether elements are told and sorted by their bytes alone. */
function isPlain({ flags, key, data }: Layout): boolean {
  const [only] = key as [Typed];
  if (flags & SET_FLAGS.interval || (data?.kind === 'value' && data.interval)) return false;
  // nft sorts combined flags by the lowest.
  return key.length > 1 || only.type.base !== 'bitmask';
}

/** Says the element that a reader stands at; intervals of single keys are two, and for `delinearizeElements`. */
export function elementTeller(
  set: Layout,
  notation: Notation = { numericProtocol: false },
): (reader: ElementReader) => Expression {
  const plain = isPlain(set) ? keyReader(set.key, notation) : undefined;
  const keyBytes = keyLength(set.key);
  const value = set.data?.kind === 'value' ? keyReader(set.data.parts, notation) : undefined;
  const valueBytes = set.data?.kind === 'value' ? keyLength(set.data.parts) : 0;
  const usual = usualAttributes(set);
  return (reader) => {
    const { bytes, at, length } = reader;
    const fits =
      reader.present === usual &&
      length[ELEMENT.key] === keyBytes &&
      (!value || length[ELEMENT.data] === valueBytes);
    if (plain !== undefined && fits && !reader.verdict) {
      try {
        const key = plain(bytes, at[ELEMENT.key] as number);
        return value === undefined ? key : [key, value(bytes, at[ELEMENT.data] as number)];
      } catch (error) {
        if (!(error instanceof Inexpressible)) throw error;
      }
    }
    return delinearizeElements([reader.element()], set, notation)[0] as Expression;
  };
}

/** The attributes of elements that are told by their bytes; none where none are. */
function usualAttributes({ data }: Pick<Layout, 'data'>): number {
  if (data === undefined) return PLAIN;
  return data.kind === 'value' ? PAIR : 0;
}

/** @throws Inexpressible when bytes do not fit the set's types */
function listed(messages: Uint8Array, set: Layout, notation: Notation): Expression[] {
  const { bytes, keys, values, elements, catchall } = places(messages, set);
  const readKey = keyReader(set.key, notation);
  const readValue = set.data?.kind === 'value' ? keyReader(set.data.parts, notation) : undefined;
  const nodes = Array.from(keyOrder(bytes, keys, set.key), (i): Expression => {
    const key = readKey(bytes, keys[i] as number);
    const element = elements.get(i);
    if (element !== undefined) return withData(key, element, set, notation);
    return readValue === undefined ? key : [key, readValue(bytes, values[i] as number)];
  });
  for (const element of catchall) nodes.push(withData('*', element, set, notation));
  return nodes;
}

interface Places {
  readonly bytes: Uint8Array;
  /** Where each key starts, and each value. */
  readonly keys: Int32Array;
  readonly values: Int32Array;
  /** Elements that are more than that, by their number. */
  readonly elements: ReadonlyMap<number, KernelElement>;
  readonly catchall: readonly KernelElement[];
}

function places(messages: Uint8Array, { key: parts, data }: Layout): Places {
  const reader = new ElementReader(messages);
  const { at, length } = reader;
  const keyBytes = keyLength(parts);
  const valueBytes = data?.kind === 'value' ? keyLength(data.parts) : 0;
  const usual = usualAttributes({ data });
  let keys = new Int32Array(1024);
  let values = new Int32Array(1024);
  const elements = new Map<number, KernelElement>();
  const catchall: KernelElement[] = [];
  let count = 0;
  while (reader.next()) {
    const key = at[ELEMENT.key] as number;
    if (key === 0) {
      catchall.push(reader.element());
      continue;
    }
    if (length[ELEMENT.key] !== keyBytes) throw new Inexpressible('the key is not as wide as its type');
    if (count === keys.length) [keys, values] = [twice(keys), twice(values)];
    if (reader.present !== usual || reader.verdict) elements.set(count, reader.element());
    else if (usual === PAIR && length[ELEMENT.data] !== valueBytes)
      throw new Inexpressible('the value is not as wide as its type');
    keys[count] = key;
    values[count] = at[ELEMENT.data] as number;
    count++;
  }
  return {
    bytes: reader.bytes,
    keys: keys.subarray(0, count),
    values: values.subarray(0, count),
    elements,
    catchall,
  };
}

function twice(places: Int32Array<ArrayBuffer>): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(places.length * 2);
  larger.set(places);
  return larger;
}
