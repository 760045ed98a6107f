import type { Command, ElementRows } from '../src/index.ts';
import { count, type KeyKind } from './addresses.ts';
import { compiler, nftjs } from './library.ts';
import { TABLE } from './work.ts';

const CHUNK = 10_000;

/** The first keys of a kind in rows of bytes; their strings do not stay. */
export function rowsOf({ type, key }: KeyKind, size: number): ElementRows {
  const packing = nftjs.packing({ type: type as 'ipv4_addr' });
  const rows = new Uint8Array(packing.stride * size);
  for (let from = 0; from < size; from += CHUNK) {
    const elem = count(Math.min(CHUNK, size - from), (i) => key(from + i));
    const set = { add: { set: { ...TABLE, name: 's', type, elem } } } as Command;
    const list = compiler
      .compileTransaction([set], compiler.emptyView)
      .find((message) => message.kind === 'elements');
    if (list === undefined || !('rows' in list.elements)) throw new Error('the keys cannot be packed');
    rows.set(list.elements.rows, packing.stride * from);
  }
  return packing.elements(rows);
}

/** A set, and the elements that are in rows. */
export function packedSet({ type }: KeyKind, elements: ElementRows, size?: number): readonly Command[] {
  return [
    { add: { table: { family: TABLE.family, name: TABLE.table } } },
    { add: { set: { ...TABLE, name: 's', type, ...(size === undefined ? {} : { size }) } } } as Command,
    { add: { element: { ...TABLE, name: 's', elem: elements } } },
  ];
}
