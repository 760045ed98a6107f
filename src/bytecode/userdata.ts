import { fromBytes, toBytes } from '../datatype/index.ts';

/**
 * Userdata, which nft keeps with what it makes and the kernel stores unread: rows of type, length and value
 * (libnftnl's udata.h).
 *
 * ```
 *  0        8        16
 *  +--------+--------+----------------- - -
 *  | type   | length | value, not padded
 *  +--------+--------+----------------- - -
 * ```
 *
 * Numbers have 32 bits in host order, text ends with a zero, a nest is rows again.
 */
export type UserdataRow = readonly [type: number, value: Uint8Array];

const MAX_LENGTH = 255;

/** The rows of a blob; undefined where it is not made of rows: another program's. */
export function readUserdata(blob: Uint8Array): ReadonlyMap<number, Uint8Array> | undefined {
  const rows = new Map<number, Uint8Array>();
  for (let at = 0; at < blob.length; ) {
    const type = blob[at];
    const length = blob[at + 1];
    if (type === undefined || length === undefined || at + 2 + length > blob.length) return undefined;
    rows.set(type, blob.subarray(at + 2, at + 2 + length));
    at += 2 + length;
  }
  return rows;
}

/** @throws RangeError when a value is longer than a row can say */
export function writeUserdata(rows: readonly UserdataRow[]): Uint8Array {
  return Buffer.concat(
    rows.map(([type, value]) => {
      if (value.length > MAX_LENGTH)
        throw new RangeError(`a row of ${value.length} bytes: at most ${MAX_LENGTH}`);
      return Uint8Array.of(type, value.length, ...value);
    }),
  );
}

export function userdataNumber(type: number, value: number): UserdataRow {
  return [type, toBytes(BigInt(value), 4, 'host')];
}

export function userdataText(type: number, value: string): UserdataRow {
  return [type, Buffer.from(`${value}\0`, 'utf8')];
}

/** The number of a row, where it is one. */
export function readUserdataNumber(value: Uint8Array | undefined): number | undefined {
  return value?.length === 4 ? Number(fromBytes(value, 'host')) : undefined;
}

/** The text of a row, where it ends with its only zero. */
export function readUserdataText(value: Uint8Array | undefined): string | undefined {
  if (value === undefined || value.indexOf(0) !== value.length - 1) return undefined;
  return Buffer.from(value.subarray(0, -1)).toString('utf8');
}

/** Of tables, chains, rules, objects and elements: the comment always has the number 0. */
const COMMENT = 0;

/** Userdata of a table, chain, rule or object. */
export function writeComment(comment: string): Uint8Array {
  return writeUserdata([userdataText(COMMENT, comment)]);
}

/** The comment of a table, chain, rule or object. */
export function readComment(blob: Uint8Array): string | undefined {
  return readUserdataText(readUserdata(blob)?.get(COMMENT));
}

const ELEMENT_FLAGS = 1;
const INTERVAL_OPEN = 1;

/** What nft notes of an element. */
export interface ElementUserdata {
  readonly comment?: string | undefined;
  /** The interval that begins here goes on to the greatest key. */
  readonly open?: boolean | undefined;
}

/** Userdata of an element; undefined where there is nothing to note. */
export function writeElementUserdata({ comment, open }: ElementUserdata): Uint8Array | undefined {
  const rows = [
    ...(comment === undefined ? [] : [userdataText(COMMENT, comment)]),
    ...(open ? [userdataNumber(ELEMENT_FLAGS, INTERVAL_OPEN)] : []),
  ];
  return rows.length === 0 ? undefined : writeUserdata(rows);
}

export function readElementUserdata(blob: Uint8Array): ElementUserdata {
  const rows = readUserdata(blob);
  const open = ((readUserdataNumber(rows?.get(ELEMENT_FLAGS)) ?? 0) & INTERVAL_OPEN) !== 0;
  return { comment: readUserdataText(rows?.get(COMMENT)), open };
}
