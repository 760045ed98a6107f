import { AttributeWriter } from '../../src/wire/attribute-writer.ts';
import type { PackedElementList, ProgramWriter } from '../../src/wire/program.ts';

/** Numbers of linux/netfilter/nf_tables.h, written down apart from the product's. */
export const NEWTABLE = 0;
export const GETTABLE = 1;
export const DELTABLE = 2;
export const NEWCHAIN = 3;
export const NEWSET = 9;
export const NEWSETELEM = 12;
export const GETSETELEM = 13;
export const CREATE = 0x400;
export const EXCL = 0x200;
export const ECHO = 8;
export const INET = 1;

/** Encodes attributes. */
export function attributes(write: (to: AttributeWriter) => void): Uint8Array {
  const writer = new AttributeWriter();
  write(writer);
  return writer.bytes();
}

export const tableName = (name: string) => attributes((to) => to.string(1, name));

/** `NFTA_SET_ELEM_LIST_TABLE` and `_SET`. */
export const elementsOf = (table: string, set: string) =>
  attributes((to) => {
    to.string(1, table);
    to.string(2, set);
  });

export function addTable(program: ProgramWriter, name: string, operation: number, flags = CREATE): void {
  program.message({ type: NEWTABLE, flags, family: INET, operation }, tableName(name));
}

export interface SetShape {
  readonly flags?: number;
  readonly key?: number;
  readonly data?: number;
  readonly size?: number;
}

/** Attributes of a set with keys and data of so many bytes. */
export function setAttributes(table: string, name: string, shape: SetShape = {}): Uint8Array {
  const { flags = 0, key = 4, data, size } = shape;
  return attributes((to) => {
    to.string(1, table);
    to.string(2, name);
    to.u32(3, flags);
    to.u32(4, 4);
    to.u32(5, key);
    if (data !== undefined) {
      to.u32(6, 4);
      to.u32(7, data);
    }
    to.u32(10, 1);
    if (size !== undefined) {
      to.begin(9);
      to.u32(1, size);
      to.end();
    }
  });
}

export function addSet(
  program: ProgramWriter,
  table: string,
  name: string,
  operation: number,
  shape: SetShape = {},
): void {
  program.message(
    { type: NEWSET, flags: CREATE, family: INET, operation },
    setAttributes(table, name, shape),
  );
}

/** Four bytes, the most significant first. */
export function key(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value);
  return bytes;
}

/** Begins a packed list of elements for `set`. */
export function addElements(
  program: ProgramWriter,
  table: string,
  set: string,
  operation: number,
  sizes: { key: number; end?: number; data?: number } = { key: 4 },
  flags = CREATE,
): PackedElementList {
  return program.packedElements(
    { type: NEWSETELEM, flags, family: INET, operation },
    elementsOf(table, set),
    sizes,
  );
}

/** The attributes of one element with a plain key: `NFTA_SET_ELEM_KEY{NFTA_DATA_VALUE}`. */
export const elementAttributes = (value: Uint8Array, flags = 0) =>
  attributes((to) => {
    if (flags !== 0) to.u32(3, flags);
    to.begin(1);
    to.raw(1, value);
    to.end();
  });
