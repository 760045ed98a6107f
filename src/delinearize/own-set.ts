import { type Instruction, type KnownSet, SET_FLAGS, type Typed } from '../bytecode/index.ts';
import { datatypes } from '../datatype/index.ts';
import type { Expression, MapType, NamedMap, NamedSet, OwnSet, SetType, Statement } from '../model/index.ts';
import { delinearizeElements } from './elements.ts';
import { opaqueStatement } from './opaque.ts';

/** A set as the kernel tells it; an anonymous one with its declaration. */
export interface ToldSet extends KnownSet {
  readonly declared?: NamedSet | NamedMap | undefined;
}

/** An instruction as its name and bytes, with the anonymous set that it names. */
export function opaqueWithSet(
  instruction: Instruction,
  set: (name: string) => ToldSet | undefined,
): Statement {
  const statement = opaqueStatement(instruction) as Extract<Statement, { opaque: unknown }>;
  const name = 'set' in instruction ? instruction.set : undefined;
  const own = typeof name === 'string' ? set(name) : undefined;
  if (own?.declared === undefined || !(own.flags & SET_FLAGS.anonymous)) return statement;
  return { opaque: { ...statement.opaque, set: definition(own, own.declared as NamedMap) } };
}

function definition(set: ToldSet, { type, map, flags, size }: NamedMap): OwnSet {
  const { key, data } = set;
  // Where the parts of ranges begin and end is not known.
  const isWidthless = hasWidthless(type, key) && !(set.flags & SET_FLAGS.concat);
  const hasWidthlessData = data?.kind === 'value' && hasWidthless(map, data.parts);
  const layout = {
    ...set,
    key: isWidthless ? asBytes(key) : key,
    ...(hasWidthlessData ? { data: { ...data, parts: asBytes(data.parts) } } : {}),
  };
  const elem = delinearizeElements(set.elements ?? [], layout);
  return {
    type: isWidthless ? bytesOf(key) : type,
    ...(map === undefined ? {} : { map: hasWidthlessData ? bytesOf(data.parts) : map }),
    ...(flags === undefined ? {} : { flags }),
    ...(size === undefined ? {} : { size }),
    ...(elem.length === 0 ? {} : { elem }),
  } as OwnSet;
}

/** Whether the name of the type does not say how wide the values are: then there is one part, as wide as all. */
function hasWidthless(declared: SetType | MapType | undefined, [only]: readonly Typed[]): boolean {
  return typeof declared === 'string' && only?.type.bits === 0;
}

/** The widest that bytes of a packet are compared at once. */
const WIDEST = 128;

/** So many bits as numbers side by side. */
function widths([only]: readonly Typed[]): number[] {
  const bits = only?.bits ?? 0;
  return Array.from({ length: Math.ceil(bits / WIDEST) }, (_, i) => Math.min(WIDEST, bits - i * WIDEST));
}

function asBytes(parts: readonly Typed[]): Typed[] {
  return widths(parts).map((bits) => ({ type: datatypes.integer, bits, byteorder: 'network' }));
}

/** A type for so many bytes. */
function bytesOf(parts: readonly Typed[]): SetType {
  const pieces = widths(parts).map((len) => ({ payload: { base: 'nh' as const, offset: 0, len } }));
  const [first, ...others] = pieces;
  return { typeof: others.length === 0 ? (first as Expression) : { concat: pieces } };
}
