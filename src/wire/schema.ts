import { fromBytes, toBytes } from '../datatype/byteorder.ts';
import {
  ATTRIBUTE_HEADER,
  attributeId,
  attributeLength,
  behind,
  type RawAttribute,
  readString,
  readUint,
  readUint64,
  WireError,
} from './attribute-reader.ts';
import type { AttributeWriter } from './attribute-writer.ts';

/** How one kind of attribute payload is written and read. */
export interface Codec<T> {
  write(writer: AttributeWriter, id: number, value: T): void;
  /**
   * Reads the payload that lies from `start` to `end`.
   *
   * @throws WireError when it is not of this kind
   */
  read(bytes: Uint8Array, start: number, end: number): T;
}

/** A field of a schema: the attribute's number in the kernel's header and its codec. */
export interface Field<T, Optional extends boolean = boolean> {
  readonly id: number;
  readonly codec: Codec<T>;
  readonly optional: Optional;
}

/** The attributes of one nest, by name. */
// biome-ignore lint/suspicious/noExplicitAny: a codec is invariant in its value, so no narrower type holds all
export type Schema = Readonly<Record<string, Field<any>>>;

type FieldValue<F> = F extends { readonly codec: Codec<infer T> } ? T : never;

type OptionalKeys<S extends Schema> = {
  [K in keyof S]: S[K] extends { readonly optional: true } ? K : never;
}[keyof S];

/** The plain object that a schema describes. */
export type ValueOf<S extends Schema> = {
  readonly [K in Exclude<keyof S, OptionalKeys<S>>]: FieldValue<S[K]>;
} & {
  readonly [K in OptionalKeys<S>]?: FieldValue<S[K]> | undefined;
};

/** An attribute that is always there. */
export function field<T>(id: number, codec: Codec<T>): Field<T, false> {
  return { id, codec, optional: false };
}

/** An attribute that may be left out. */
export function optional<T>(id: number, codec: Codec<T>): Field<T, true> {
  return { id, codec, optional: true };
}

export const u8: Codec<number> = {
  write: (w, id, v) => w.u8(id, v),
  read: (b, start, end) => readUint(b, start, end, 1),
};
export const u16: Codec<number> = {
  write: (w, id, v) => w.u16(id, v),
  read: (b, start, end) => readUint(b, start, end, 2),
};
export const u32: Codec<number> = {
  write: (w, id, v) => w.u32(id, v),
  read: (b, start, end) => readUint(b, start, end, 4),
};
export const u64: Codec<bigint> = { write: (w, id, v) => w.u64(id, v), read: readUint64 };
/** A 32-bit integer that the kernel forgot to put into network order. */
export const host32: Codec<number> = {
  write: (w, id, v) => w.raw(id, toBytes(BigInt(v), 4, 'host')),
  read: (b, start, end) => Number(fromBytes(b.subarray(start, end), 'host')),
};
/** A signed 32-bit integer, as chain priorities are. */
export const s32: Codec<number> = {
  write: (w, id, v) => w.u32(id, v >>> 0),
  read: (b, start, end) => readUint(b, start, end, 4) | 0,
};
export const string: Codec<string> = { write: (w, id, v) => w.string(id, v), read: readString };
export const bytes: Codec<Uint8Array> = {
  write: (w, id, v) => w.raw(id, v),
  read: (b, start, end) => b.slice(start, end),
};

/** A nest that is encoded already. */
export const nest: Codec<Uint8Array> = {
  write(writer, id, attributes) {
    writer.begin(id);
    writer.append(attributes);
    writer.end();
  },
  read: (b, start, end) => b.slice(start, end),
};

/** An integer whose values have names, in the order of the kernel's enum. `codec` gives its width. */
export function oneOf<const N extends readonly string[]>(
  names: N,
  codec: Codec<number> = u32,
): Codec<N[number]> {
  return {
    write(writer, id, value) {
      const number = names.indexOf(value);
      if (number < 0) throw new WireError(`no such value: ${value}`);
      codec.write(writer, id, number);
    },
    read(b, start, end) {
      const number = codec.read(b, start, end);
      const name = names[number];
      if (name === undefined) throw new WireError(`no name for value ${number}`);
      return name as N[number];
    },
  };
}

/** A nest with the attributes of `schema`. */
export function nested<S extends Schema>(schema: S): Codec<ValueOf<S>> {
  return {
    write(writer, id, value) {
      writer.begin(id);
      encode(schema, value, writer);
      writer.end();
    },
    read: (b, start, end) => decode(schema, b, start, end),
  };
}

/** A nest that repeats one attribute. */
export function list<T>(id: number, codec: Codec<T>): Codec<readonly T[]> {
  return {
    write(writer, nest, values) {
      writer.begin(nest);
      for (const value of values) codec.write(writer, id, value);
      writer.end();
    },
    read(b, start, end) {
      const values: T[] = [];
      for (let at = start; at < end; ) {
        const length = attributeLength(b, at, end);
        values.push(codec.read(b, at + ATTRIBUTE_HEADER, at + length));
        at = behind(at, length);
      }
      return values;
    },
  };
}

/** Writes the attributes of `value` in the schema's order. */
export function encode<S extends Schema>(schema: S, value: ValueOf<S>, writer: AttributeWriter): void {
  for (const { name, id, codec } of rowsOf(schema)) {
    const fieldValue = (value as Record<string, unknown>)[name];
    if (fieldValue !== undefined) codec.write(writer, id, fieldValue);
  }
}

interface Row {
  readonly name: string;
  readonly id: number;
  readonly codec: Codec<unknown>;
}

const rows = new WeakMap<Schema, readonly Row[]>();

function rowsOf(schema: Schema): readonly Row[] {
  let found = rows.get(schema);
  if (found === undefined) {
    found = Object.entries(schema).map(([name, { id, codec }]) => ({ name, id, codec }));
    rows.set(schema, found);
  }
  return found;
}

/** How a schema reads: by the numbers of attributes. */
interface Reading {
  readonly fields: readonly (readonly [name: string, codec: Codec<unknown>] | undefined)[];
  readonly required: readonly string[];
}

const readings = new WeakMap<Schema, Reading>();

function readingOf(schema: Schema): Reading {
  let reading = readings.get(schema);
  if (reading === undefined) {
    const fields: (readonly [string, Codec<unknown>] | undefined)[] = [];
    for (const [name, { id, codec }] of Object.entries(schema)) fields[id] = [name, codec];
    const required = Object.keys(schema).filter((name) => !schema[name]?.optional);
    reading = { fields: Array.from(fields), required };
    readings.set(schema, reading);
  }
  return reading;
}

/**
 * Reads a nest. Empty attributes that the schema does not know are padding and skipped.
 *
 * @throws WireError when an attribute is unknown or a required one is missing: a caller that must not
 *   lose anything then keeps the bytes
 */
export function decode<S extends Schema>(
  schema: S,
  bytes: Uint8Array,
  start = 0,
  end: number = bytes.length,
): ValueOf<S> {
  const { value, unknown } = decodeOpen(schema, bytes, start, end);
  if (unknown.length > 0) throw new WireError(`unknown attribute ${unknown[0]?.id}`);
  for (const name of readingOf(schema).required) {
    if (!(name in value)) throw new WireError(`attribute ${name} is missing`);
  }
  return value as ValueOf<S>;
}

const NONE: readonly RawAttribute[] = [];

/** Reads what the schema knows and keeps the rest beside it. Nothing is required. */
export function decodeOpen<S extends Schema>(
  schema: S,
  bytes: Uint8Array,
  start = 0,
  end: number = bytes.length,
): { value: Partial<ValueOf<S>>; unknown: readonly RawAttribute[] } {
  const { fields } = readingOf(schema);
  const value: Record<string, unknown> = {};
  let unknown = NONE;
  for (let at = start; at < end; ) {
    const length = attributeLength(bytes, at, end);
    const id = attributeId(bytes, at);
    const known = fields[id];
    if (known !== undefined) value[known[0]] = known[1].read(bytes, at + ATTRIBUTE_HEADER, at + length);
    else if (length > ATTRIBUTE_HEADER)
      unknown = [...unknown, { id, payload: bytes.subarray(at + ATTRIBUTE_HEADER, at + length) }];
    at = behind(at, length);
  }
  return { value: value as Partial<ValueOf<S>>, unknown };
}
