import {
  SET_FLAGS,
  type SetDeclaration,
  type Typed,
  type Typeof,
  type UserdataRow,
  userdataNumber,
  userdataText,
  writeTypeof,
  writeUserdata,
} from '../bytecode/index.ts';

/** Rows of a set's userdata, as nft numbers them (libnftnl's udata.h). */
const ROWS = {
  keyByteOrder: 0,
  dataByteOrder: 1,
  mergeElements: 2,
  keyTypeof: 3,
  dataTypeof: 4,
  dataInterval: 6,
  comment: 7,
} as const;
const BYTE_ORDERS = { none: 0, host: 1, network: 2 } as const;

/** Userdata of a set as nft writes it, so that `nft list ruleset` shows what we made as its own. */
export function setUserdata(set: SetDeclaration, autoMerge: boolean, comment?: string): Uint8Array {
  const rows = [userdataNumber(ROWS.keyByteOrder, byteOrder(set.key))];
  const data = set.data?.kind === 'value' ? set.data : undefined;
  const isMap = (set.flags & SET_FLAGS.map) !== 0;
  if (isMap) rows.push(userdataNumber(ROWS.dataByteOrder, data ? byteOrder(data.parts) : BYTE_ORDERS.none));
  if (autoMerge) rows.push(userdataNumber(ROWS.mergeElements, 1));
  rows.push(...typeofRow(ROWS.keyTypeof, set.keyTypeof), ...typeofRow(ROWS.dataTypeof, set.dataTypeof));
  if (set.data !== undefined) rows.push(userdataNumber(ROWS.dataInterval, data?.interval ? 1 : 0));
  if (comment !== undefined) rows.push(userdataText(ROWS.comment, comment));
  return writeUserdata(rows);
}

function byteOrder(parts: readonly Typed[]): number {
  const [only] = parts;
  return parts.length === 1 && only
    ? BYTE_ORDERS[only.type.bits === 0 ? only.byteorder : only.type.byteorder]
    : BYTE_ORDERS.none;
}

/** The kernel keeps 256 bytes: of a long concatenation nft could not note everything either. */
const LONGEST_TYPEOF = 100;

function typeofRow(type: number, value: Typeof | undefined): UserdataRow[] {
  if (value === undefined) return [];
  const blob = writeTypeof(value);
  return blob.length > LONGEST_TYPEOF ? [] : [[type, blob]];
}
