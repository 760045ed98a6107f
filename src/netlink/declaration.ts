import { OBJECT_TYPES, type ObjectType, SET_FLAGS, type MapData, type SetDeclaration, type Typed } from '../bytecode/index.ts';
import { datatypes, splitConcatId } from '../datatype/index.ts';
import { type set as setSchema, VERDICT_TYPE } from '../message/index.ts';
import type { ValueOf } from '../wire/schema.ts';

/** What the compiler must know of a set that the kernel has, from its NEWSET message. */
export function declarationOf(value: Partial<ValueOf<typeof setSchema>>): SetDeclaration {
  const flags = value.flags ?? 0;
  const key = partsOf(value.keyType ?? 0, value.keyLength ?? 0);
  const ordered = flags & SET_FLAGS.interval && key.length === 1;
  return {
    name: value.name ?? '',
    id: 0,
    key: ordered ? key.map(networkOrder) : key,
    data: dataOf(value, flags),
    flags,
    ...(value.description?.size === undefined ? {} : { size: value.description.size }),
  };
}

function networkOrder(typed: Typed): Typed {
  return typed.type.base === 'string' ? typed : { ...typed, byteorder: 'network' };
}

/** Types without a width of their own take what the others leave of the key. */
function partsOf(id: number, length: number): Typed[] {
  const types = splitConcatId(id) ?? [datatypes.integer];
  const known = types.reduce((sum, type) => sum + Math.ceil(type.bits / 32) * 4, 0);
  return types.map((type) => ({
    type,
    bits: type.bits > 0 ? type.bits : types.length === 1 ? length * 8 : Math.max(length - known, 4) * 8,
    byteorder: type.byteorder,
  }));
}

function dataOf(value: Partial<ValueOf<typeof setSchema>>, flags: number): MapData | undefined {
  if (flags & SET_FLAGS.object) {
    const object = (Object.keys(OBJECT_TYPES) as ObjectType[]).find((name) => OBJECT_TYPES[name] === value.objectType);
    return object === undefined ? undefined : { kind: 'object', object };
  }
  if (!(flags & SET_FLAGS.map)) return undefined;
  if (value.dataType === VERDICT_TYPE) return { kind: 'verdict' };
  return { kind: 'value', parts: partsOf(value.dataType ?? 0, value.dataLength ?? 0) };
}
