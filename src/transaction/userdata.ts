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

/** NFT_USERDATA_MAXLEN: so many bytes the kernel keeps. */
const MOST = 256;

/** Userdata of a set as nft writes it, so that `nft list ruleset` shows what we made as its own. */
export function setUserdata(set: SetDeclaration, autoMerge: boolean, comment?: string): Uint8Array {
  const rows = [userdataNumber(ROWS.keyByteOrder, byteOrder(set.key))];
  const data = set.data?.kind === 'value' ? set.data : undefined;
  const isMap = (set.flags & SET_FLAGS.map) !== 0;
  if (isMap) rows.push(userdataNumber(ROWS.dataByteOrder, data ? byteOrder(data.parts) : BYTE_ORDERS.none));
  if (autoMerge) rows.push(userdataNumber(ROWS.mergeElements, 1));
  const last: UserdataRow[] = [];
  if (set.data !== undefined) last.push(userdataNumber(ROWS.dataInterval, data?.interval ? 1 : 0));
  if (comment !== undefined) last.push(userdataText(ROWS.comment, comment));
  let room = MOST - sizeOf(rows) - sizeOf(last);
  for (const row of [typeofRow(ROWS.keyTypeof, set.keyTypeof), typeofRow(ROWS.dataTypeof, set.dataTypeof)]) {
    if (row === undefined || sizeOf([row]) > room) continue;
    room -= sizeOf([row]);
    rows.push(row);
  }
  return writeUserdata([...rows, ...last]);
}

/** Bytes of rows: each has two in front of its value. */
function sizeOf(rows: readonly UserdataRow[]): number {
  return rows.reduce((sum, [, value]) => sum + 2 + value.length, 0);
}

function byteOrder(parts: readonly Typed[]): number {
  const [only] = parts;
  return parts.length === 1 && only
    ? BYTE_ORDERS[only.type.bits === 0 ? only.byteorder : only.type.byteorder]
    : BYTE_ORDERS.none;
}

function typeofRow(type: number, value: Typeof | undefined): UserdataRow | undefined {
  return value && [type, writeTypeof(value)];
}
