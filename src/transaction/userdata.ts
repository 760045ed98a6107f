import { toBytes } from '../datatype/index.ts';
import { SET_FLAGS, type SetDeclaration, type SetElement } from '../linearize/index.ts';

/**
 * Userdata as nft writes it, so that `nft list ruleset` shows what we made as its own: a row of type,
 * length and value, one byte each for the first two (libnftnl's udata.h).
 */
function row(type: number, value: Uint8Array): Uint8Array {
  return Uint8Array.of(type, value.length, ...value);
}

function text(type: number, value: string): Uint8Array {
  return row(type, Buffer.from(`${value}\0`, 'utf8'));
}

function number(type: number, value: number): Uint8Array {
  return row(type, toBytes(BigInt(value), 4, 'host'));
}

const COMMENT = 0;

/** Of tables, chains, rules and objects: a comment, always with the number 0. */
export function commentUserdata(comment: string): Uint8Array {
  return text(COMMENT, comment);
}

const ELEMENT_FLAGS = 1;
const INTERVAL_OPEN = 1;

/** Of an element: a comment, and whether its interval goes on to the greatest key. */
export function elementUserdata({ comment, open }: SetElement): Uint8Array | undefined {
  const rows = [
    ...(comment === undefined ? [] : [text(COMMENT, comment)]),
    ...(open ? [number(ELEMENT_FLAGS, INTERVAL_OPEN)] : []),
  ];
  return rows.length === 0 ? undefined : Buffer.concat(rows);
}

const SET = { keyByteOrder: 0, dataByteOrder: 1, mergeElements: 2, dataInterval: 6, comment: 7 } as const;
const BYTE_ORDERS = { none: 0, host: 1, network: 2 } as const;

/** Of a set: byte orders of key and data, whether its elements merge, and a comment. */
export function setUserdata(set: SetDeclaration, autoMerge: boolean, comment?: string): Uint8Array {
  const order = (parts: SetDeclaration['key']) => {
    const [only] = parts;
    return parts.length === 1 && only
      ? BYTE_ORDERS[only.type.bits === 0 ? only.byteorder : only.type.byteorder]
      : BYTE_ORDERS.none;
  };
  const rows = [number(SET.keyByteOrder, order(set.key))];
  if (set.flags & SET_FLAGS.map) {
    const data = set.data?.kind === 'value' ? set.data : undefined;
    rows.push(number(SET.dataByteOrder, data ? order(data.parts) : BYTE_ORDERS.none));
    rows.push(number(SET.dataInterval, data?.interval ? 1 : 0));
  }
  if (autoMerge) rows.push(number(SET.mergeElements, 1));
  if (comment !== undefined) rows.push(text(SET.comment, comment));
  return Buffer.concat(rows);
}
