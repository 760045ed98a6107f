import type { Typed } from '../bytecode/index.ts';
import { hostIsLittleEndian } from '../datatype/index.ts';
import type { Expression } from '../model/index.ts';
import { type Notation, registerLiteral, widthOf } from './constant.ts';

/** Says the value whose bytes start at `at`. */
export type KeyReader = (bytes: Uint8Array, at: number) => Expression;

/** Values that a reader remembers, where there are not many. */
const REMEMBERED = 1 << 16;

/**
 * Makes what reads keys, or values of a map, of these types: as `registerLiteral` says them, for large sets.
 *
 * @throws Inexpressible, as the readers do
 */
export function keyReader(parts: readonly Typed[], notation: Notation): KeyReader {
  const readers = parts.map((typed) => partReader(typed, notation));
  const [first] = readers;
  if (readers.length === 1 && first !== undefined) return first;
  let end = 0;
  const offsets = parts.map((typed) => {
    const start = end;
    end += (widthOf(typed) + 3) & ~3;
    return start;
  });
  return (bytes, at) => ({ concat: readers.map((read, i) => read(bytes, at + (offsets[i] as number))) });
}

/** Bytes of a key of these types: parts of a concatenation are padded to 32 bits. */
export function keyLength(parts: readonly Typed[]): number {
  const [only] = parts;
  if (parts.length === 1 && only !== undefined) return widthOf(only);
  return parts.reduce((sum, typed) => sum + ((widthOf(typed) + 3) & ~3), 0);
}

function partReader(typed: Typed, notation: Notation): KeyReader {
  const { type, bits, byteorder } = typed;
  if (type.unpack !== undefined && bits === type.bits && byteorder === type.byteorder) return type.unpack;
  const width = widthOf(typed);
  const anyhow: KeyReader = (bytes, at) => registerLiteral(bytes.subarray(at, at + width), typed, notation);
  if (type.base === 'string') return textReader(width, anyhow);
  return width <= 4 ? remembering(width, anyhow) : anyhow;
}

/** Names as they usually are: ASCII, closed by zeros. */
function textReader(width: number, anyhow: KeyReader): KeyReader {
  const STAR = 0x2a;
  return (bytes, at) => {
    let text = '';
    let i = at;
    const end = at + width;
    for (; i < end; i++) {
      const byte = bytes[i] as number;
      if (byte === 0) break;
      if (byte > 0x7f) return anyhow(bytes, at);
      text += String.fromCharCode(byte);
    }
    if (i === at || i === end || bytes[i - 1] === STAR) return anyhow(bytes, at);
    while (i < end) if (bytes[i++] !== 0) return anyhow(bytes, at);
    return text;
  };
}

/** What has a few bytes often has few values: ports, protocols, marks. */
function remembering(width: number, read: KeyReader): KeyReader {
  const known = new Map<number, Expression>();
  return (bytes, at) => {
    let number = 0;
    for (let i = 0; i < width; i++) number = (number << 8) | (bytes[at + i] as number);
    const before = known.get(number);
    if (before !== undefined) return before;
    const said = read(bytes, at);
    // What is an object is the caller's alone.
    if (typeof said !== 'object' && known.size < REMEMBERED) known.set(number, said);
    return said;
  };
}

/**
 * The order in which nft lists keys: a lone value by its number, concatenations by the number that all of their bytes
 * are to the host.
 *
 * @param at - where the keys start in `bytes`
 * @returns the places in `at`
 */
export function keyOrder(bytes: Uint8Array, at: Int32Array, parts: readonly Typed[]): Uint32Array {
  const length = keyLength(parts);
  const [only] = parts;
  const isHost = parts.length > 1 || only?.byteorder === 'host';
  // The most significant byte, and the step to the next one.
  const [top, step] = isHost && hostIsLittleEndian ? [length - 1, -1] : [0, 1];
  const lead = Math.min(length, 4);
  const compare = (a: number, b: number) => {
    let one = (at[a] as number) + top;
    let other = (at[b] as number) + top;
    for (let i = 0; i < length; i++, one += step, other += step) {
      const difference = (bytes[one] as number) - (bytes[other] as number);
      if (difference !== 0) return difference;
    }
    return a - b;
  };
  const count = at.length;
  if (count > INDEXES) return Uint32Array.from(at.keys()).sort(compare);
  // The first bytes and the index in one number, which sort without calling anything.
  const leading = new Float64Array(count);
  for (let i = 0; i < count; i++) {
    let number = 0;
    let place = (at[i] as number) + top;
    for (let k = 0; k < lead; k++, place += step) number = number * 256 + (bytes[place] as number);
    leading[i] = number * INDEXES + i;
  }
  leading.sort();
  const order = new Uint32Array(count);
  for (let i = 0; i < count; i++) order[i] = (leading[i] as number) % INDEXES;
  if (length > lead) sortRuns(order, leading, compare);
  return order;
}

/** How many indexes go with 32 bits into a number. */
const INDEXES = 2 ** 21;

/** Sorts those that the first bytes did not tell apart. */
function sortRuns(order: Uint32Array, leading: Float64Array, compare: (a: number, b: number) => number) {
  const { length } = order;
  for (let start = 0; start < length; ) {
    const first = Math.floor((leading[start] as number) / INDEXES);
    let end = start + 1;
    while (end < length && Math.floor((leading[end] as number) / INDEXES) === first) end++;
    if (end - start > 1) order.subarray(start, end).sort(compare);
    start = end;
  }
}
