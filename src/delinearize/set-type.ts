import {
  joinedBits,
  type MapData,
  OBJECT_TYPES,
  type ObjectType,
  readTypeof,
  readUserdata,
  readUserdataNumber,
  SET_FLAGS,
  type Typed,
} from '../bytecode/index.ts';
import { type ByteOrder, datatypes, splitConcatId } from '../datatype/index.ts';
import type { MapType, SetType } from '../model/index.ts';
import { describeTypeof } from './typeof.ts';

/** What a set's declaration in the kernel says of its types. */
export interface DeclaredTypes {
  /** {@link SET_FLAGS} */
  readonly flags: number;
  /** NFTA_SET_KEY_TYPE and NFTA_SET_KEY_LEN (bytes). */
  readonly keyType: number;
  readonly keyLength: number;
  /** NFTA_SET_DATA_TYPE and NFTA_SET_DATA_LEN (bytes), in maps. */
  readonly dataType?: number | undefined;
  readonly dataLength?: number | undefined;
  /** NFTA_SET_OBJ_TYPE, in maps of objects. */
  readonly objectType?: number | undefined;
  readonly userdata?: Uint8Array | undefined;
}

/** The types of a set: as the model declares them, and how its elements are to be read. */
export interface SetTypes {
  readonly key: readonly Typed[];
  readonly data?: MapData | undefined;
  readonly type: SetType;
  readonly map?: MapType | undefined;
}

/** Rows of a set's userdata (libnftnl's udata.h). */
const ROWS = { keyByteOrder: 0, dataByteOrder: 1, keyTypeof: 3, dataTypeof: 4, dataInterval: 6 } as const;
/** nft's numbers of byte orders. */
const BYTE_ORDERS: readonly (ByteOrder | undefined)[] = [undefined, 'host', 'network'];
/** NFTA_SET_DATA_TYPE of a verdict map. */
const VERDICT_TYPE = 0xffffff00;

/**
 * The types of a set, from the numbers that its declaration carries and the userdata of nft: `typeof` where
 * that says what the bytes are, else the datatypes' names. A type that is not known is an integer as wide as
 * the key.
 */
export function delinearizeSetType(declared: DeclaredTypes): SetTypes {
  const rows = declared.userdata && readUserdata(declared.userdata);
  const order = (row: number) => BYTE_ORDERS[readUserdataNumber(rows?.get(row)) ?? 0];
  const key = typesOf(
    declared.keyType,
    declared.keyLength,
    order(ROWS.keyByteOrder),
    rows?.get(ROWS.keyTypeof),
  );
  const ordered = declared.flags & SET_FLAGS.interval;
  const common = { key: ordered ? key.parts.map(networkOrder) : key.parts, type: key.node };
  if (declared.flags & SET_FLAGS.object) {
    const object = (Object.keys(OBJECT_TYPES) as ObjectType[]).find(
      (name) => OBJECT_TYPES[name] === declared.objectType,
    );
    return object === undefined
      ? common
      : { ...common, data: { kind: 'object', object }, map: object as MapType };
  }
  if (!(declared.flags & SET_FLAGS.map)) return common;
  if (declared.dataType === VERDICT_TYPE) return { ...common, data: { kind: 'verdict' }, map: 'verdict' };
  const interval = readUserdataNumber(rows?.get(ROWS.dataInterval)) === 1;
  const length = (declared.dataLength ?? 0) / (interval ? 2 : 1);
  const data = typesOf(declared.dataType ?? 0, length, order(ROWS.dataByteOrder), rows?.get(ROWS.dataTypeof));
  return {
    ...common,
    data: { kind: 'value', parts: data.parts, ...(interval ? { interval } : {}) },
    map: data.node,
  };
}

/** An interval set orders its keys as numbers; strings from their first byte on. */
function networkOrder(typed: Typed): Typed {
  return typed.type.base === 'string' ? typed : { ...typed, byteorder: 'network' };
}

function typesOf(
  id: number,
  length: number,
  byteorder: ByteOrder | undefined,
  typeOf: Uint8Array | undefined,
): { readonly parts: readonly Typed[]; readonly node: SetType } {
  const described = typeOf && readTypeof(typeOf);
  const found = described && describeTypeof(described);
  if (found !== undefined && bytesOf(found.parts) === length)
    return { parts: found.parts, node: { typeof: found.node } };
  const types = splitConcatId(id);
  const [only] = types ?? [];
  if (types !== undefined && only !== undefined) {
    const parts = types.map((type) => ({ type, bits: type.bits, byteorder: type.byteorder }));
    if (types.length === 1 && only.bits === 0) {
      return {
        parts: [{ type: only, bits: length * 8, byteorder: byteorder ?? only.byteorder }],
        node: only.name as SetType,
      };
    }
    if (bytesOf(parts) === length) {
      const names = types.map((type) => type.name);
      return { parts, node: (names.length === 1 ? names[0] : names) as SetType };
    }
  }
  const type = datatypes.integer;
  return { parts: [{ type, bits: length * 8, byteorder: byteorder ?? 'network' }], node: 'integer' };
}

/** Bytes of a key of these parts. */
function bytesOf(parts: readonly Typed[]): number {
  return Math.ceil(joinedBits(parts) / 8);
}
