import {
  ELEMENT_FLAGS,
  type Instruction,
  type KernelElement,
  type KnownSet,
  type MapData,
  readElementUserdata,
  SET_FLAGS,
  slotsFor,
  type Typed,
  type VerdictData,
} from '../bytecode/index.ts';
import { datatype, fromBytes, toBytes } from '../datatype/index.ts';
import type { Elem, Expression, Statement } from '../model/index.ts';
import {
  hasPrefixes,
  maxOf,
  type Notation,
  rangeLiteral,
  registerLiteral,
  textLiteral,
  unshifted,
  widthOf,
} from './constant.ts';
import { opaqueStatement } from './opaque.ts';
import { statefulStatement } from './stateful.ts';
import { Inexpressible } from './term.ts';
import { verdictStatement } from './verdict.ts';

/** What of a set its elements are read against. */
export type Layout = Pick<KnownSet, 'key' | 'data' | 'flags'>;

/**
 * The elements of a set in the model's words, in the order of their keys: intervals as values, prefixes and
 * ranges, concatenations, `{ elem }` around what carries more than its key, pairs in maps. Keys that do not
 * fit the set's types are listed as the numbers that their bytes are.
 */
export function delinearizeElements(
  elements: readonly KernelElement[],
  set: Layout,
  notation: Notation = { numericProtocol: false },
): Expression[] {
  try {
    return readElements(elements, set, notation);
  } catch (error) {
    if (!(error instanceof Inexpressible)) throw error;
    return readElements(elements, { ...set, ...asNumbers(elements, set) }, notation);
  }
}

/** @throws Inexpressible when the bytes do not fit the set's types */
export function readElements(
  elements: readonly KernelElement[],
  set: Layout,
  notation: Notation,
): Expression[] {
  const plain = set.flags & SET_FLAGS.interval && set.key.length === 1;
  const nodes = plain ? intervals(elements, set, notation) : singles(elements, set, notation);
  const others = elements.filter((element) => isCatchall(element));
  return [...nodes, ...others.map((element) => withData('*', element, set, notation))];
}

/** Types for keys and values of which no more is known than their width. */
function asNumbers(elements: readonly KernelElement[], { data }: Layout): Pick<Layout, 'key' | 'data'> {
  const wide = (blob: unknown) => (blob instanceof Uint8Array ? blob.length : 0);
  const number = (bytes: number): Typed => ({
    type: datatype('integer'),
    bits: bytes * 8,
    byteorder: 'network',
  });
  const key = [number(Math.max(0, ...elements.map((element) => wide(element.key))))];
  if (data?.kind !== 'value') return { key, data };
  const width = Math.max(0, ...elements.map((element) => wide(element.data)));
  return { key, data: { kind: 'value', parts: [number(width)] } };
}

function isCatchall({ flags = 0 }: KernelElement): boolean {
  return (flags & ELEMENT_FLAGS.catchall) !== 0;
}

function compareBytes(a: Uint8Array, b: Uint8Array): number {
  return Buffer.compare(a, b);
}

function compareNumbers(a: bigint, b: bigint): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/**
 * The number that nft sorts by: the value of a key, or the lowest of its flags; of a concatenation the
 * bytes as the host reads them, all in one.
 */
function sortKey(key: Uint8Array, parts: readonly Typed[]): bigint {
  const [only] = parts;
  if (only === undefined || parts.length > 1) return fromBytes(key, 'host');
  const value = fromBytes(key.subarray(0, widthOf(only)), only.byteorder);
  return only.type.base === 'bitmask' && only.type.symbols !== undefined ? value & -value : value;
}

interface Slice {
  readonly bytes: Uint8Array;
  readonly at: number;
  readonly typed: Typed;
}

/** The bytes of each part of a key: a lone one as it is, several padded to 32 bits. */
function sliceParts(key: Uint8Array, parts: readonly Typed[]): Slice[] {
  let at = 0;
  const slices = parts.map((typed) => {
    const start = at;
    const length = widthOf(typed);
    at += parts.length === 1 ? length : slotsFor(length * 8) * 4;
    return { bytes: key.subarray(start, start + length), at: start, typed };
  });
  if (at !== key.length) throw new Inexpressible('the key is not as long as its type');
  return slices;
}

function singles(elements: readonly KernelElement[], set: Layout, notation: Notation): Expression[] {
  // The kernel keeps concatenated ranges in the order in which they came, and so does nft.
  const ranged = (set.flags & SET_FLAGS.interval) !== 0;
  return elements
    .flatMap((element) =>
      element.key === undefined || isCatchall(element) ? [] : [{ element, key: element.key }],
    )
    .map(({ element, key }) => ({ element, key, order: sortKey(key, set.key) }))
    .sort((a, b) => (ranged ? 0 : compareNumbers(a.order, b.order) || compareBytes(a.key, b.key)))
    .map(({ element, key }) =>
      withData(keyNode(key, element.keyEnd, set.key, notation), element, set, notation),
    );
}

/** A key, or the range from it to `end` in each of its parts. */
export function keyNode(
  key: Uint8Array,
  end: Uint8Array | undefined,
  parts: readonly Typed[],
  notation: Notation,
): Expression {
  const ends = end && sliceParts(end, parts);
  const nodes = sliceParts(key, parts).map(({ bytes, typed }, i) => {
    const last = ends?.[i]?.bytes;
    if (last === undefined || compareBytes(bytes, last) === 0) return registerLiteral(bytes, typed, notation);
    return rangeOf(bytes, last, typed, notation);
  });
  return nodes.length === 1 ? (nodes[0] as Expression) : { concat: nodes };
}

/** From one key to another, both in network order, or as text from its first byte on. */
function rangeOf(
  first: Uint8Array,
  last: Uint8Array,
  typed: Typed & { readonly shift?: number | undefined },
  notation: Notation,
): Expression {
  if (typed.type.base !== 'string') {
    const [low, high] = [first, last].map((bytes) => unshifted(fromBytes(bytes, 'network'), typed.shift));
    return rangeLiteral(low as bigint, high as bigint, typed, notation);
  }
  const end = first.indexOf(0);
  const isPattern =
    end > 0 &&
    first.subarray(end).every((byte) => byte === 0) &&
    last.subarray(end).every((byte) => byte === 0xff);
  if (!isPattern || compareBytes(first.subarray(0, end), last.subarray(0, end)) !== 0) {
    throw new Inexpressible('a range of names that share no beginning');
  }
  return textLiteral(first.subarray(0, end), typed);
}

/** Pairs beginnings with ends; a beginning right after another ends it, the last one may be open. */
function intervals(elements: readonly KernelElement[], set: Layout, notation: Notation): Expression[] {
  const [typed] = set.key as [Typed];
  const length = Math.ceil(typed.bits / 8);
  const isEnd = ({ flags = 0 }: KernelElement) => (flags & ELEMENT_FLAGS.intervalEnd) !== 0;
  const points = elements
    .flatMap((element) =>
      element.key === undefined || isCatchall(element) ? [] : [{ element, key: element.key }],
    )
    .sort((a, b) => compareBytes(a.key, b.key) || Number(isEnd(b.element)) - Number(isEnd(a.element)));
  const nodes: Expression[] = [];
  points.forEach(({ element, key }, i) => {
    if (isEnd(element)) return;
    const next = points[i + 1]?.key;
    const low = fromBytes(key, 'network');
    const high = next === undefined ? maxOf(length * 8) : fromBytes(next, 'network') - 1n;
    const node = keyNode(
      key,
      toBytes(high, length, 'network'),
      [{ ...typed, byteorder: 'network' }],
      notation,
    );
    if (high < low) throw new Inexpressible('two intervals begin at the same key');
    nodes.push(withData(node, element, set, notation));
  });
  return nodes;
}

/** The pair of a map's element, or the key alone. */
export function withData(
  key: Expression,
  element: KernelElement,
  set: Layout,
  notation: Notation,
): Expression {
  const node = withProperties(key, element);
  if (set.data === undefined) return node;
  return [node, dataNode(element, set.data, notation)];
}

const seconds = (milliseconds: bigint): number => Number(milliseconds / 1000n);

/** What an element carries: a state, or an instruction that is not known. */
function carried(instruction: Instruction): Statement {
  try {
    return statefulStatement(instruction);
  } catch (error) {
    if (!(error instanceof Inexpressible)) throw error;
    return opaqueStatement(instruction);
  }
}

/** Wraps a key that carries more: a time, a comment, a counter. */
function withProperties(val: Expression, element: KernelElement): Expression {
  const { timeout, expiration, expression, expressions = expression ? [expression] : [], userdata } = element;
  const comment = userdata && readElementUserdata(userdata).comment;
  const properties: Omit<Elem, 'val'> = {
    ...(timeout === undefined ? {} : { timeout: seconds(timeout) }),
    ...(expiration === undefined ? {} : { expires: seconds(expiration) }),
    ...(comment === undefined ? {} : { comment }),
    ...Object.assign({}, ...expressions.map((instruction) => carried(instruction))),
  };
  return Object.keys(properties).length === 0 ? val : { elem: { val, ...properties } };
}

function dataNode({ data, object }: KernelElement, kind: MapData, notation: Notation): Expression {
  if (kind.kind === 'object') {
    if (object === undefined) throw new Inexpressible('the element names no object');
    return object;
  }
  if (data === undefined) throw new Inexpressible('the element has no data');
  if (!(data instanceof Uint8Array)) return verdictNode(data);
  if (kind.kind === 'verdict') throw new Inexpressible('a value where a verdict belongs');
  return valueNode(data, kind, notation);
}

/** A verdict; one that nft has no statement for by its name, so that it is seen. */
function verdictNode(verdict: VerdictData): Expression {
  try {
    return verdictStatement(verdict);
  } catch (error) {
    if (!(error instanceof Inexpressible)) throw error;
    return {
      [verdict.code]: verdict.chain === undefined ? null : { target: verdict.chain },
    } as unknown as Expression;
  }
}

function valueNode(
  data: Uint8Array,
  kind: Extract<MapData, { kind: 'value' }>,
  notation: Notation,
): Expression {
  if (!kind.interval) return keyNode(data, undefined, kind.parts, notation);
  const [only] = kind.parts;
  const half = kind.parts.reduce((sum, part) => sum + slotsFor(part.bits) * 4, 0);
  const first = data.subarray(0, half);
  const node = keyNode(first, data.subarray(half), kind.parts, notation);
  // A lone address is a range of one, which nft lists as a prefix.
  const lone = kind.parts.length === 1 && typeof node === 'string' && only && hasPrefixes(only.type);
  return lone ? { prefix: { addr: node, len: only.bits } } : node;
}
