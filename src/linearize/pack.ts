import {
  joinedBits,
  type MapData,
  PackedElements,
  packedOffsets,
  SET_FLAGS,
  slotsFor,
  type Typed,
} from '../bytecode/index.ts';
import { hostIsLittleEndian } from '../datatype/index.ts';
import type { Expression } from '../model/index.ts';
import { bytesFor } from './expr.ts';
import { type PartPacker, partPackerOf } from './pack-part.ts';

/** What of a set decides whether its elements can be packed. */
export interface PackedLayout {
  readonly key: readonly Typed[];
  readonly data?: MapData | undefined;
  readonly flags: number;
}

/** Of so many elements on, a part of all is read before the next part is. */
const SEVERAL = 16;

/** Elements of which a part is read at a time: as many as stay near the processor. */
const COLUMN = 1024;

/**
 * Elements that are nothing but plain literals, perhaps with timeouts: large sets are made of them. Undefined where the
 * set takes other things. Where any element is something else, or wrong, writing the rows says so: then
 * `evaluateElements` is the one to read them, and to say what is wrong.
 */
export function packElements(
  nodes: readonly Expression[],
  { key, data, flags }: PackedLayout,
): PackedElements | undefined {
  if (flags & SET_FLAGS.interval || (data !== undefined && (data.kind !== 'value' || data.interval)))
    return undefined;
  const values = data?.parts;
  const shape = {
    key: bytesFor(joinedBits(key)),
    data: values === undefined ? 0 : bytesFor(joinedBits(values)),
    timeouts: timeoutOf(values === undefined ? nodes[0] : keyOf(nodes[0])) !== undefined,
  };
  const row = new Row(packedOffsets(shape), shape.timeouts, partsOf(key), values && partsOf(values));
  return new PackedElements(shape, nodes.length, (into, from, to) => {
    const { stride } = row;
    for (let first = from; first < to; first += COLUMN) {
      const last = Math.min(first + COLUMN, to);
      const start = (first - from) * stride;
      if (last - first >= SEVERAL) {
        const rows = into.subarray(start, start + (last - first) * stride);
        if (row.writeColumns(nodes, first, last, rows)) continue;
        rows.fill(0);
      }
      for (let i = first, at = start; i < last; i++, at += stride)
        if (!row.write(nodes[i], into, at)) return false;
    }
    return true;
  });
}

/** One part of a key or value, and where in a row it is. */
interface Part {
  readonly packer: PartPacker;
  readonly offset: number;
}

/** By what they write: whoever changes one set again and again has the same types each time. */
const known = new WeakMap<readonly Typed[], readonly Part[]>();

function partsOf(parts: readonly Typed[]): readonly Part[] {
  let found = known.get(parts);
  if (found === undefined) {
    let end = 0;
    found = parts.map((part) => {
      const offset = end;
      end += slotsFor(part.bits) * 4;
      return { packer: partPackerOf(part), offset };
    });
    known.set(parts, found);
  }
  return found;
}

/** How elements become rows. */
class Row {
  readonly stride: number;
  readonly #dataOffset: number;
  readonly #timeoutOffset: number | undefined;
  readonly #key: readonly Part[];
  readonly #data: readonly Part[] | undefined;

  constructor(
    offsets: ReturnType<typeof packedOffsets>,
    timeouts: boolean,
    key: readonly Part[],
    data: readonly Part[] | undefined,
  ) {
    this.stride = offsets.stride;
    this.#dataOffset = offsets.data;
    this.#timeoutOffset = timeouts ? offsets.timeout : undefined;
    this.#key = key;
    this.#data = data;
  }

  /** One element. */
  write(node: unknown, into: Uint8Array, at: number): boolean {
    if (this.#data === undefined) return this.#writeKey(node, into, at);
    return (
      isPair(node) &&
      this.#writeKey(node[0], into, at) &&
      writeParts(this.#data, node[1], into, at + this.#dataOffset)
    );
  }

  #writeKey(node: unknown, into: Uint8Array, at: number): boolean {
    return writeParts(this.#key, this.#keyWithin(node, into, at), into, at);
  }

  /** The key of an element; its timeout is written. */
  #keyWithin(node: unknown, into: Uint8Array, at: number): unknown {
    const elem = this.#timeoutOffset === undefined ? undefined : timeoutOf(node);
    if (elem === undefined || this.#timeoutOffset === undefined) return node;
    scratch.setUint32(0, elem.timeout, hostIsLittleEndian);
    into.set(scratchBytes, at + this.#timeoutOffset);
    return elem.val;
  }

  /** Several elements, part by part. */
  writeColumns(nodes: readonly unknown[], first: number, last: number, rows: Uint8Array): boolean {
    const { stride } = this;
    const keys = columnsFor(this.#key, last - first);
    const values = this.#data && columnsFor(this.#data, last - first);
    for (let i = 0, at = 0; i < last - first; i++, at += stride) {
      let node = nodes[first + i];
      if (values !== undefined) {
        if (!isPair(node) || !split(node[1], values, i)) return false;
        node = node[0];
      }
      if (!split(this.#keyWithin(node, rows, at), keys, i)) return false;
    }
    return (
      packColumns(this.#key, keys, rows, 0, stride) &&
      (this.#data === undefined ||
        values === undefined ||
        packColumns(this.#data, values, rows, this.#dataOffset, stride))
    );
  }
}

const scratch = new DataView(new ArrayBuffer(4));
const scratchBytes = new Uint8Array(scratch.buffer);

function columnsFor(parts: readonly Part[], count: number): unknown[][] {
  return parts.map(() => new Array<unknown>(count));
}

/** Puts each part of a value into its column. */
function split(node: unknown, columns: readonly unknown[][], i: number): boolean {
  if (columns.length === 1) {
    (columns[0] as unknown[])[i] = node;
    return true;
  }
  const fields = fieldsOf(node, columns.length);
  if (fields === undefined) return false;
  for (let part = 0; part < columns.length; part++) (columns[part] as unknown[])[i] = fields[part];
  return true;
}

function packColumns(
  parts: readonly Part[],
  columns: readonly (readonly unknown[])[],
  rows: Uint8Array,
  start: number,
  stride: number,
): boolean {
  return parts.every(({ packer, offset }, i) =>
    packer.many(columns[i] as readonly unknown[], rows, start + offset, stride),
  );
}

/** A value of one part, or `{ concat: […] }` of several. */
function writeParts(parts: readonly Part[], node: unknown, into: Uint8Array, at: number): boolean {
  if (parts.length === 1) return (parts[0] as Part).packer.one(node, into, at);
  const fields = fieldsOf(node, parts.length);
  if (fields === undefined) return false;
  for (let i = 0; i < parts.length; i++) {
    const { packer, offset } = parts[i] as Part;
    if (!packer.one(fields[i], into, at + offset)) return false;
  }
  return true;
}

/** What a concatenation of so many parts, and nothing else, has in it. */
function fieldsOf(node: unknown, count: number): readonly unknown[] | undefined {
  const fields = (node as { readonly concat?: unknown } | null | undefined)?.concat;
  if (!Array.isArray(fields) || fields.length !== count) return undefined;
  for (const name in node as object) if (name !== 'concat') return undefined;
  return fields;
}

function isPair(node: unknown): node is readonly [unknown, unknown] {
  return Array.isArray(node) && node.length === 2;
}

function keyOf(node: unknown): unknown {
  return Array.isArray(node) ? node[0] : undefined;
}

/** A key with nothing but a timeout of whole seconds beside it. */
function timeoutOf(node: unknown): { readonly val: unknown; readonly timeout: number } | undefined {
  const elem = (node as { readonly elem?: { val: unknown; timeout: number } } | null | undefined)?.elem;
  if (typeof elem !== 'object' || elem === null || Array.isArray(node)) return undefined;
  const { timeout } = elem;
  if (!(Number.isInteger(timeout) && timeout > 0 && timeout <= 0xffffffff)) return undefined;
  for (const name in elem) if (name !== 'val' && name !== 'timeout') return undefined;
  for (const name in node as object) if (name !== 'elem') return undefined;
  return elem;
}
