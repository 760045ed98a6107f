import {
  type Instruction,
  type MapData,
  OBJECT_TYPES,
  type ObjectType,
  readUserdata,
  readUserdataNumber,
  readUserdataText,
  SET_FLAGS,
  type SetDeclaration,
  type Typed,
} from '../../bytecode/index.ts';
import { datatypes, splitConcatId } from '../../datatype/index.ts';
import { SET_POLICIES, type set as setSchema, VERDICT_TYPE } from '../../message/index.ts';
import type { Family, NamedMap, NamedSet } from '../../model/index.ts';
import type { ValueOf } from '../../wire/schema.ts';
import { statefulStatement } from '../stateful.ts';

type Told = Partial<ValueOf<typeof setSchema>>;

/** Rows of a set's userdata, as nft numbers them (libnftnl's udata.h). */
const ROWS = { mergeElements: 2, comment: 7 } as const;

/** A set as the kernel tells it: what its elements and rules are read against, and its declaration in the model. */
export function delinearizeSet(family: Family, value: Told): { known: SetDeclaration; declared: NamedSet | NamedMap } {
  const known = knownSet(value);
  const rows = value.userdata === undefined ? undefined : readUserdata(value.userdata);
  const comment = readUserdataText(rows?.get(ROWS.comment));
  const autoMerge = readUserdataNumber(rows?.get(ROWS.mergeElements)) === 1;
  const flags = flagsOf(known.flags);
  const statements = (value.expressions ?? (value.expression ? [value.expression] : [])) as readonly Instruction[];
  const declared = {
    family,
    name: known.name,
    table: value.table ?? '',
    type: namesOf(known.key),
    handle: Number(value.handle ?? 0n),
    ...(known.data === undefined ? {} : { map: mapOf(known.data) }),
    ...(comment === undefined ? {} : { comment }),
    ...(value.policy === SET_POLICIES.memory ? { policy: 'memory' } : {}),
    ...(known.size === undefined ? {} : { size: known.size }),
    ...(flags.length === 0 ? {} : { flags }),
    ...(value.timeout ? { timeout: Number(value.timeout) / 1000 } : {}),
    ...(value.gcInterval ? { 'gc-interval': value.gcInterval / 1000 } : {}),
    ...(autoMerge ? { 'auto-merge': true } : {}),
    ...(statements.length === 0 ? {} : { stmt: statements.map(statefulStatement) }),
  } as NamedSet | NamedMap;
  return { known: autoMerge ? { ...known, autoMerge } : known, declared };
}

function knownSet(value: Told): SetDeclaration {
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

/** Intervals are ordered as numbers, so their keys are in network order. */
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

function dataOf(value: Told, flags: number): MapData | undefined {
  if (flags & SET_FLAGS.object) {
    const object = (Object.keys(OBJECT_TYPES) as ObjectType[]).find((name) => OBJECT_TYPES[name] === value.objectType);
    return object === undefined ? undefined : { kind: 'object', object };
  }
  if (!(flags & SET_FLAGS.map)) return undefined;
  if (value.dataType === VERDICT_TYPE) return { kind: 'verdict' };
  return { kind: 'value', parts: partsOf(value.dataType ?? 0, value.dataLength ?? 0) };
}

function namesOf(parts: readonly Typed[]): string | string[] {
  const names = parts.map(({ type }) => type.name);
  return names.length === 1 ? (names[0] as string) : names;
}

function mapOf(data: MapData): string | string[] {
  if (data.kind === 'verdict') return 'verdict';
  return data.kind === 'object' ? data.object : namesOf(data.parts);
}

const FLAGS = { constant: 'constant', interval: 'interval', timeout: 'timeout', dynamic: 'eval' } as const;

function flagsOf(bits: number): string[] {
  return (Object.keys(FLAGS) as (keyof typeof FLAGS)[]).filter((name) => bits & SET_FLAGS[FLAGS[name]]);
}

