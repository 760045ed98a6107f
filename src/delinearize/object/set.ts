import {
  type Instruction,
  readUserdata,
  readUserdataNumber,
  readUserdataText,
  SET_FLAGS,
  type SetDeclaration,
} from '../../bytecode/index.ts';
import { SET_POLICIES, type set as setSchema } from '../../message/index.ts';
import type { Family, NamedMap, NamedSet } from '../../model/index.ts';
import type { ValueOf } from '../../wire/schema.ts';
import type { ToldSet } from '../own-set.ts';
import { delinearizeSetType, type SetTypes } from '../set-type.ts';
import { templateStatement } from '../stateful.ts';

type Told = Partial<ValueOf<typeof setSchema>>;

/** Rows of a set's userdata, as nft numbers them (libnftnl's udata.h). */
const ROWS = { mergeElements: 2, comment: 7 } as const;

/** A set as the kernel tells it: what its elements and rules are read against, and its declaration in the model. */
export function delinearizeSet(
  family: Family,
  value: Told,
): { known: Omit<SetDeclaration, 'elements'> & Pick<ToldSet, 'declared'>; declared: NamedSet | NamedMap } {
  const types = delinearizeSetType({
    flags: value.flags ?? 0,
    keyType: value.keyType ?? 0,
    keyLength: value.keyLength ?? 0,
    dataType: value.dataType,
    dataLength: value.dataLength,
    objectType: value.objectType,
    userdata: value.userdata,
  });
  const known = knownSet(value, types);
  const rows = value.userdata === undefined ? undefined : readUserdata(value.userdata);
  const comment = readUserdataText(rows?.get(ROWS.comment));
  const autoMerge = readUserdataNumber(rows?.get(ROWS.mergeElements)) === 1;
  const flags = flagsOf(known.flags);
  const statements = (value.expressions ??
    (value.expression ? [value.expression] : [])) as readonly Instruction[];
  const declared = {
    family,
    name: known.name,
    table: value.table ?? '',
    type: types.type,
    handle: Number(value.handle ?? 0n),
    ...(types.map === undefined ? {} : { map: types.map }),
    ...(comment === undefined ? {} : { comment }),
    ...(value.policy === SET_POLICIES.memory ? { policy: 'memory' } : {}),
    ...(known.size === undefined || known.flags & SET_FLAGS.constant ? {} : { size: known.size }),
    ...(flags.length === 0 ? {} : { flags }),
    ...(value.timeout ? { timeout: Number(value.timeout) / 1000 } : {}),
    ...(value.gcInterval ? { 'gc-interval': value.gcInterval / 1000 } : {}),
    ...(autoMerge ? { 'auto-merge': true } : {}),
    ...(statements.length === 0 ? {} : { stmt: statements.map(templateStatement) }),
  } as NamedSet | NamedMap;
  const own = known.flags & SET_FLAGS.anonymous ? { declared } : {};
  return { known: { ...known, ...(autoMerge ? { autoMerge } : {}), ...own }, declared };
}

function knownSet(value: Told, types: SetTypes): Omit<SetDeclaration, 'elements'> {
  return {
    name: value.name ?? '',
    key: types.key,
    data: types.data,
    flags: value.flags ?? 0,
    ...(value.description?.size === undefined ? {} : { size: value.description.size }),
  };
}

const FLAGS = { constant: 'constant', interval: 'interval', timeout: 'timeout', dynamic: 'eval' } as const;

function flagsOf(bits: number): string[] {
  return (Object.keys(FLAGS) as (keyof typeof FLAGS)[]).filter((name) => bits & SET_FLAGS[FLAGS[name]]);
}
