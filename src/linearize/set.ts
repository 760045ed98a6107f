import {
  ELEMENT_FLAGS,
  type MapData,
  type PackedElements,
  SET_FLAGS,
  type SetDeclaration,
  type SetElement,
  type Typed,
} from '../bytecode/index.ts';
import { isPackable } from '../datatype/index.ts';
import type { Expression } from '../model/index.ts';
import { isSame } from './argument.ts';
import { inByteOrder } from './convert.ts';
import { type EvaluatedElement, evaluateElements } from './elements.ts';
import { at, CompileError, type Path } from './error.ts';
import type { Expr, Value } from './expr.ts';
import { encodeElements, mergeIntervals } from './intervals.ts';
import { packElements } from './pack.ts';
import type { Scope } from './scope.ts';
import { transferOf } from './transfer.ts';
import { typeofLookup, VERDICTS } from './typeof.ts';

/** The parts that a key is made of. */
export function partsOf(key: Expr | Typed): readonly Typed[] {
  return 'parts' in key ? (key.parts as readonly Typed[]) : [key];
}

/** An anonymous set of constants that the compiler itself needs. */
export function constantSet(values: readonly Value[], key: Typed, scope: Scope): SetDeclaration {
  const elements = values.map(
    (value, i): EvaluatedElement => ({ key: [value], source: i, path: at(undefined, i) }),
  );
  return declareEvaluated(elements, key, undefined, scope);
}

/** What is looked up, in which set. */
export interface Lookup {
  readonly key: Expr;
  readonly set: SetDeclaration;
  /** The single values among the elements of an anonymous set. */
  readonly values?: readonly Value[];
}

/** `{ set: […] }` on the right of a match, or as the data of a map; `left` is what is looked up. */
export function evaluateAnonymousSet(
  nodes: Expression | readonly Expression[],
  left: Expr,
  data: MapData | undefined,
  scope: Scope,
  path: Path | undefined,
): Lookup {
  const packed = packPlain(nodes, left, data);
  if (packed !== undefined) {
    const contents = { key: partsOf(left), data, flags: 0, elements: packed, size: packed.length };
    return { key: left, set: declare(contents, left, scope) };
  }
  const evaluated = evaluateElements(nodes, partsOf(left), data, scope, path);
  if (evaluated.length === 0) throw new CompileError(path, 'the set is empty');
  const { key, elements } = transferElements(left, mergeElements(evaluated, partsOf(left), data));
  const values = evaluated.flatMap((element) => {
    const part = element.key?.length === 1 ? element.key[0] : undefined;
    return part?.kind === 'value' ? [part] : [];
  });
  const set = declareEvaluated(elements, key, intervalData(data, elements), scope);
  return { key: lookupKey(key, set), set, values };
}

/** Addresses, names and the like: no protocol is learnt from them, so that they need not be looked at again. */
function packPlain(
  nodes: Expression | readonly Expression[],
  left: Expr,
  data: MapData | undefined,
): PackedElements | undefined {
  const key = partsOf(left);
  if (!Array.isArray(nodes) || nodes.length === 0 || transferOf(left) !== undefined) return undefined;
  if (key.length === 1 && !isPackable((key[0] as Typed).type)) return undefined;
  const packed = packElements(nodes as readonly Expression[], { key, data, flags: 0 });
  return packed !== undefined && !packed.timeouts && packed.pack() ? packed : undefined;
}

/** Intervals of a set, unlike those of a map, become one where they meet: before anything is done to their ends. */
function mergeElements(
  elements: readonly EvaluatedElement[],
  key: readonly Typed[],
  data: MapData | undefined,
): readonly EvaluatedElement[] {
  const [only] = key;
  return data === undefined && key.length === 1 && only !== undefined && hasRanges(elements)
    ? mergeIntervals(elements, only)
    : elements;
}

function hasRanges(elements: readonly EvaluatedElement[]): boolean {
  return elements.some((element) => element.key?.some((part) => part.kind !== 'value'));
}

/** Moves the last operation of the left side to the elements, where all of them can take it. */
function transferElements(
  left: Expr,
  elements: readonly EvaluatedElement[],
): { readonly key: Expr; readonly elements: readonly EvaluatedElement[] } {
  const transfer = transferOf(left);
  const movable = elements.every(
    ({ key }) => key?.length === 1 && key.every((part) => transfer?.takes(part)),
  );
  if (transfer === undefined || !movable) return { key: left, elements };
  const moved = elements.map((element) => ({
    ...element,
    key: (element.key ?? []).map((part) => transfer.apply(part, element.path)),
  }));
  return { key: transfer.left, elements: moved };
}

/** Where one value of a map is a range, all are: each is stored as its two ends. */
function intervalData(data: MapData | undefined, elements: readonly EvaluatedElement[]): MapData | undefined {
  if (data?.kind !== 'value') return data;
  const ranged = elements.some(({ data: value }) => value !== undefined && isRanged(value));
  return ranged ? { ...data, interval: true } : data;
}

function isRanged(value: Expr): boolean {
  if (value.kind === 'concat') return value.parts.some(isRanged);
  return value.kind === 'range' || value.kind === 'prefix';
}

function declareEvaluated(
  elements: readonly EvaluatedElement[],
  lookedUp: Expr | Typed,
  data: MapData | undefined,
  scope: Scope,
): SetDeclaration {
  const parts = partsOf(lookedUp);
  const ranged = hasRanges(elements);
  const interval = ranged ? SET_FLAGS.interval | (parts.length > 1 ? SET_FLAGS.concat : 0) : 0;
  const flags = SET_FLAGS.anonymous | interval;
  const key = ranged ? parts.map((part) => networkOrder(part)) : parts;
  const inOrder = ranged
    ? elements.map((element) =>
        element.key
          ? { ...element, key: element.key.map((part) => inByteOrder(part, 'network') as never) }
          : element,
      )
    : elements;
  const encoded = encodeElements(inOrder, { key, data, flags, complete: true });
  const size = roomFor(encoded, { key, flags });
  return declare({ key, data, flags, elements: encoded, size }, lookedUp, scope);
}

/** How many elements an anonymous set has, were every interval of it to have an end of its own. */
export function roomFor(
  encoded: readonly SetElement[],
  { key, flags }: Pick<SetDeclaration, 'key' | 'flags'>,
): number {
  if (!(flags & SET_FLAGS.interval) || key.length > 1) return encoded.length;
  const isEnd = ({ flags }: SetElement) => ((flags ?? 0) & ELEMENT_FLAGS.intervalEnd) !== 0;
  const before = encoded[0] !== undefined && isEnd(encoded[0]) ? 1 : 0;
  const starts = encoded.filter((element) => element.key !== undefined && !isEnd(element)).length;
  const catchalls = encoded.filter(({ key }) => key === undefined).length;
  return before + 2 * starts + catchalls;
}

function declare(
  contents: Pick<SetDeclaration, 'key' | 'data' | 'flags' | 'elements' | 'size'>,
  lookedUp: Expr | Typed,
  scope: Scope,
): SetDeclaration {
  const { data } = contents;
  const map = data === undefined ? 0 : data.kind === 'object' ? SET_FLAGS.object : SET_FLAGS.map;
  const set: SetDeclaration = {
    ...contents,
    name: data === undefined ? '__set%d' : data.kind === 'object' ? '__objmap%d' : '__map%d',
    id: scope.names.nextSetId(),
    flags: SET_FLAGS.anonymous | SET_FLAGS.constant | contents.flags | map,
    keyTypeof: 'kind' in lookedUp ? typeofLookup(lookedUp, data !== undefined) : undefined,
    dataTypeof: data?.kind === 'verdict' ? VERDICTS : undefined,
  };
  scope.sets.push(set);
  return set;
}

function networkOrder(typed: Typed): Typed {
  if (typed.type.base === 'string') return typed;
  return { type: typed.type, bits: typed.bits, byteorder: 'network' };
}

/** The key of a lookup as the set compares it: an interval set orders its keys as network-order numbers. */
export function lookupKey(key: Expr, set: SetDeclaration): Expr {
  return set.flags & SET_FLAGS.interval ? inByteOrder(key, 'network') : key;
}

/** Makes sure that a value of `key` can be looked up in `set`. */
export function checkKey(key: Expr, set: SetDeclaration, path: Path | undefined): void {
  const parts = partsOf(key);
  const names = (types: readonly Typed[]) => types.map(({ type }) => type.name).join(' . ');
  const fits =
    parts.length === set.key.length &&
    parts.every((part, i) => {
      const wanted = set.key[i] as Typed;
      return isSame(part, wanted);
    });
  if (!fits) {
    throw new CompileError(
      path,
      `the set ${set.name} has keys of type ${names(set.key)}, not ${names(parts)}`,
    );
  }
}
