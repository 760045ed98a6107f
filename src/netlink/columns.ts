import {
  ELEMENT_FLAGS,
  expression,
  expressions,
  type Instruction,
  type KnownSet,
  SET_FLAGS,
  type Typed,
} from '../bytecode/index.ts';
import { elementTeller } from '../delinearize/element-list.ts';
import { keyLength } from '../delinearize/key-reader.ts';
import { ELEMENT, type ElementReader } from '../message/index.ts';
import type { DatatypeName, Expression, PackedField } from '../model/index.ts';
import { readUint64, WireError } from '../wire/attribute-reader.ts';

/** Keys or values of all elements, a row each. */
export interface Column {
  /** The parts of a key or value, each at a multiple of 4: as `packing` lays them out. */
  readonly fields: readonly PackedField[];
  /** Bytes from one row to the next. */
  readonly stride: number;
  /** All rows. Bytes that no field has are zero. */
  readonly bytes: Uint8Array;
}

/** One of a few things for each element. */
export interface Choice {
  /** What there is to choose from. */
  readonly choices: readonly Expression[];
  /** The index in `choices`, for each element. */
  readonly numbers: Uint32Array;
}

/**
 * The elements of a set or map, in columns: each has a row for every element, in the same order. Comments, and states other
 * than counters, are told by iterating only.
 */
export interface ElementColumns {
  /** How many elements. */
  readonly length: number;
  /** The keys; in sets with intervals the first key of each. */
  readonly keys: Column;
  /** In sets with intervals: the last key of each, the same as the first where it is one key. */
  readonly lastKeys?: Column;
  /** In maps to values: these. */
  readonly values?: Column;
  /** In maps to verdicts, objects, or ranges: these. */
  readonly targets?: Choice;
  /** Where elements have timeouts: milliseconds, 0 for none. */
  readonly timeouts?: Float64Array;
  /** Where elements expire: milliseconds that were left. */
  readonly expires?: Float64Array;
  /** Where elements have counters. */
  readonly packets?: BigUint64Array;
  readonly bytes?: BigUint64Array;
  /** What there is of the element `*`, which stands for all keys that no other has. */
  readonly catchall?: Expression;
}

const FIRST_ROWS = 1024;

type Numbers = Float64Array | BigUint64Array | Uint32Array | Uint8Array;

/** An array that grows with what is put into it; rows that nothing is put into are zero. */
class Growing<T extends Numbers> {
  #array: T;
  readonly #width: number;

  /** @param width - numbers of each row */
  constructor(array: new (length: number) => T, rows: number, width = 1) {
    this.#array = new array(rows * width);
    this.#width = width;
  }

  /** The array, with room for the row. */
  with(row: number): T {
    const old = this.#array;
    if ((row + 1) * this.#width > old.length) {
      const larger = new (old.constructor as new (length: number) => T)(
        Math.max(old.length * 2, (row + 1) * this.#width),
      );
      larger.set(old as never);
      this.#array = larger;
    }
    return this.#array;
  }

  /** The first rows. */
  rows(count: number): T {
    return this.with(Math.max(0, count - 1)).subarray(0, count * this.#width) as T;
  }
}

/** Rows of bytes. */
class Rows {
  readonly fields: readonly PackedField[];
  readonly stride: number;
  /** Bytes that a row has of the message. */
  readonly width: number;
  readonly #bytes: Growing<Uint8Array>;

  constructor(parts: readonly Typed[], rows: number) {
    this.width = keyLength(parts);
    this.stride = (this.width + 3) & ~3;
    this.fields = fieldsOf(parts);
    this.#bytes = new Growing(Uint8Array, rows, this.stride);
  }

  put(row: number, from: Uint8Array, at: number, length: number): void {
    if (length !== this.width) throw new WireError(`${length} bytes where the type has ${this.width}`);
    const into = this.#bytes.with(row);
    const start = row * this.stride;
    for (let i = 0; i < length; i++) into[start + i] = from[at + i] as number;
  }

  column(count: number): Column {
    const { fields, stride } = this;
    return { fields, stride, bytes: this.#bytes.rows(count) };
  }
}

function fieldsOf(parts: readonly Typed[]): readonly PackedField[] {
  let offset = 0;
  return parts.map(({ type, bits, byteorder }) => {
    const bytes = Math.ceil(bits / 8);
    const field = { type: type.name as DatatypeName, offset, bytes, byteorder };
    offset += (bytes + 3) & ~3;
    return field;
  });
}

/** Puts elements into columns, one after the other. */
export class ColumnWriter {
  readonly #rows: number;
  readonly #keys: Rows;
  readonly #lastKeys: Rows | undefined;
  readonly #values: Rows | undefined;
  /** For sets of single intervals, where ends are elements of their own. */
  readonly #ends: Growing<Uint8Array> | undefined;
  #timeouts: Growing<Float64Array> | undefined;
  #expires: Growing<Float64Array> | undefined;
  #packets: Growing<BigUint64Array> | undefined;
  #bytes: Growing<BigUint64Array> | undefined;
  readonly #numbers: Growing<Uint32Array> | undefined;
  readonly #choices: Expression[] = [];
  readonly #choiceOf = new Map<string, number>();
  #catchall: Expression | undefined;
  readonly #tell: (reader: ElementReader) => Expression;
  #count = 0;

  /** @param expected - how many elements there may be */
  constructor(set: KnownSet, expected: number | undefined) {
    this.#rows = Math.max(1, expected ?? FIRST_ROWS);
    // The kernel compares the keys of intervals as bytes, whatever their type.
    const isInterval = (set.flags & SET_FLAGS.interval) !== 0;
    const key = isInterval ? set.key.map((typed) => ({ ...typed, byteorder: 'network' as const })) : set.key;
    this.#keys = new Rows(key, this.#rows);
    this.#tell = elementTeller(set);
    if (isInterval) {
      if (key.length > 1) this.#lastKeys = new Rows(key, this.#rows);
      else this.#ends = new Growing(Uint8Array, this.#rows);
    }
    if (set.data?.kind === 'value' && !set.data.interval) this.#values = new Rows(set.data.parts, this.#rows);
    else if (set.data !== undefined) this.#numbers = new Growing(Uint32Array, this.#rows);
  }

  /** @throws WireError when the element does not have the set's types */
  add(reader: ElementReader): void {
    const { bytes, at, length } = reader;
    const key = at[ELEMENT.key] as number;
    if (key === 0) {
      this.#catchall = this.#tell(reader);
      return;
    }
    const row = this.#count++;
    this.#keys.put(row, bytes, key, length[ELEMENT.key] as number);
    if (this.#lastKeys !== undefined) {
      const last = at[ELEMENT.keyEnd] ? ELEMENT.keyEnd : ELEMENT.key;
      this.#lastKeys.put(row, bytes, at[last] as number, length[last] as number);
    }
    if (this.#ends !== undefined) {
      const isEnd =
        at[ELEMENT.flags] !== 0 &&
        ((bytes[(at[ELEMENT.flags] as number) + 3] as number) & ELEMENT_FLAGS.intervalEnd) !== 0;
      this.#ends.with(row)[row] = isEnd ? 1 : 0;
      if (isEnd) return;
    }
    const data = at[ELEMENT.data] as number;
    if (this.#values !== undefined) {
      if (data === 0 || reader.verdict) throw new WireError('an element of a map without a value');
      this.#values.put(row, bytes, data, length[ELEMENT.data] as number);
    } else if (this.#numbers !== undefined) this.#numbers.with(row)[row] = this.#choice(reader);
    if (reader.present >> ELEMENT.timeout !== 0) this.#state(row, reader);
  }

  /** What an element has beyond key and value. */
  #state(row: number, { bytes, at, length }: ElementReader): void {
    const milliseconds = (id: number) => {
      const start = at[id] as number;
      return Number(readUint64(bytes, start, start + (length[id] as number)));
    };
    if (at[ELEMENT.timeout]) {
      this.#timeouts ??= new Growing(Float64Array, this.#rows);
      this.#timeouts.with(row)[row] = milliseconds(ELEMENT.timeout);
    }
    if (at[ELEMENT.expiration]) {
      this.#expires ??= new Growing(Float64Array, this.#rows);
      this.#expires.with(row)[row] = milliseconds(ELEMENT.expiration);
    }
    const [one, several] = [at[ELEMENT.expression] as number, at[ELEMENT.expressions] as number];
    const carried: readonly Instruction[] = one
      ? [expression.read(bytes, one, one + (length[ELEMENT.expression] as number)) as Instruction]
      : several
        ? (expressions.read(
            bytes,
            several,
            several + (length[ELEMENT.expressions] as number),
          ) as Instruction[])
        : [];
    for (const instruction of carried) {
      if (instruction.name !== 'counter') continue;
      this.#packets ??= new Growing(BigUint64Array, this.#rows);
      this.#bytes ??= new Growing(BigUint64Array, this.#rows);
      this.#packets.with(row)[row] = instruction.packets;
      this.#bytes.with(row)[row] = instruction.bytes;
    }
  }

  /** The number of what the element maps to, by its bytes. */
  #choice(reader: ElementReader): number {
    const { bytes, at, length } = reader;
    const id = at[ELEMENT.data] ? ELEMENT.data : ELEMENT.object;
    const start = at[id] as number;
    const text = Buffer.from(
      bytes.buffer,
      bytes.byteOffset + start,
      start && (length[id] as number),
    ).toString('latin1');
    const before = this.#choiceOf.get(text);
    if (before !== undefined) return before;
    const told = this.#tell(reader);
    const number = this.#choices.length;
    this.#choices.push((Array.isArray(told) ? told[1] : told) as Expression);
    this.#choiceOf.set(text, number);
    return number;
  }

  /** The columns of all elements so far. */
  columns(): ElementColumns {
    const count = this.#count;
    const columns: ElementColumns = {
      length: count,
      keys: this.#keys.column(count),
      ...(this.#lastKeys && { lastKeys: this.#lastKeys.column(count) }),
      ...(this.#values && { values: this.#values.column(count) }),
      ...(this.#numbers && { targets: { choices: this.#choices, numbers: this.#numbers.rows(count) } }),
      ...(this.#timeouts && { timeouts: this.#timeouts.rows(count) }),
      ...(this.#expires && { expires: this.#expires.rows(count) }),
      ...(this.#packets && { packets: this.#packets.rows(count) }),
      ...(this.#bytes && { bytes: this.#bytes.rows(count) }),
      ...(this.#catchall === undefined ? {} : { catchall: this.#catchall }),
    };
    return this.#ends === undefined ? columns : paired(columns, this.#ends.rows(count), this.#keys.width);
  }
}

/** Makes rows of intervals, in ascending order, out of rows of points. */
function paired(columns: ElementColumns, ends: Uint8Array, width: number): ElementColumns {
  const { bytes, stride } = columns.keys;
  const compare = (a: number, b: number) => {
    for (let i = 0; i < width; i++) {
      const difference = (bytes[a * stride + i] as number) - (bytes[b * stride + i] as number);
      if (difference !== 0) return difference;
    }
    return (ends[b] as number) - (ends[a] as number);
  };
  // The kernel tells them in this order or backwards, which is sorted at once.
  const points = Uint32Array.from(ends.keys());
  if (points.length > 1 && compare(0, points.length - 1) > 0) points.reverse();
  if (points.some((point, i) => i > 0 && compare(points[i - 1] as number, point) > 0)) points.sort(compare);
  const starts = points.filter((point) => !ends[point]);
  const last = new Uint8Array(starts.length * stride);
  let row = 0;
  points.forEach((point, i) => {
    if (ends[point]) return;
    const at = row++ * stride;
    const next = points[i + 1];
    if (next === undefined) last.fill(0xff, at, at + width);
    else {
      last.set(bytes.subarray(next * stride, next * stride + width), at);
      decrement(last, at, width);
    }
  });
  const { keys, values, targets, timeouts, expires, packets, bytes: counted } = columns;
  return {
    ...columns,
    length: starts.length,
    keys: picked(keys, starts),
    lastKeys: { ...keys, bytes: last },
    ...(values && { values: picked(values, starts) }),
    ...(targets && { targets: { ...targets, numbers: starts.map((i) => targets.numbers[i] ?? 0) } }),
    ...(timeouts && { timeouts: Float64Array.from(starts, (i) => timeouts[i] ?? 0) }),
    ...(expires && { expires: Float64Array.from(starts, (i) => expires[i] ?? 0) }),
    ...(packets && { packets: BigUint64Array.from(starts, (i) => packets[i] ?? 0n) }),
    ...(counted && { bytes: BigUint64Array.from(starts, (i) => counted[i] ?? 0n) }),
  };
}

function picked(column: Column, rows: Uint32Array): Column {
  const { stride, bytes } = column;
  const kept = new Uint8Array(rows.length * stride);
  rows.forEach((row, i) => {
    kept.set(bytes.subarray(row * stride, (row + 1) * stride), i * stride);
  });
  return { ...column, bytes: kept };
}

/** Takes one from the number in these bytes, the most significant one first. */
function decrement(bytes: Uint8Array, at: number, width: number): void {
  for (let i = at + width - 1; i >= at; i--) {
    const byte = bytes[i] as number;
    bytes[i] = byte - 1;
    if (byte !== 0) return;
  }
}
