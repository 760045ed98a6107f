import { type ByteOrder, type Datatype, datatype, fromBytes, hostIsLittleEndian } from '../datatype/index.ts';
import type { DataType, KeyType, MapElement, SetElement } from './builders/set-type.ts';
import type { DatatypeName } from './datatype-value.ts';
import { ModelError } from './error.ts';
import type { Expression } from './expression.ts';
import type { Verdict } from './statement.ts';

/** Bytes that fields start at multiples of. */
const ALIGN = 4;

/** One field of a key or value in a row. */
export interface PackedField {
  readonly type: DatatypeName;
  /** Where in the row it starts. */
  readonly offset: number;
  /** Bytes that it takes; behind them are zeros up to the next multiple of 4. */
  readonly bytes: number;
  /** How these are ordered: addresses, ports and protocols in network order, marks and the like as the host has them. */
  readonly byteorder: ByteOrder;
}

/** What rows hold: the types of the set or map. */
export interface PackingOptions<T extends KeyType, D extends DataType> {
  /** The type of the key, as the set has it. */
  readonly type: T;
  /** The type of a map's values: data types, or `verdict`. */
  readonly map?: D;
  /** In a verdict map: those that rows name by their number, from 0 on. */
  readonly verdicts?: readonly Verdict[];
  /** Rows end with a timeout: seconds, 0 for none of the element's own. The set needs the flag `timeout`. */
  readonly timeouts?: boolean;
}

/** The type of the elements in rows. */
export type PackedElement<T extends KeyType, D extends DataType> = [D] extends [never]
  ? SetElement<T, readonly []>
  : MapElement<T, D, readonly []>;

/**
 * How elements of a set or map without intervals lie in rows of bytes: the fastest way to load many of them, as nothing
 * is made of each on the way to the kernel.
 *
 * ```
 * key, field by field | value, field by field, or the number of a verdict | timeout
 * ```
 *
 * Every field starts at a multiple of 4, and what it leaves of the last 4 bytes is zero. Numbers of verdicts and
 * timeouts are unsigned, of 32 bits, in the host's order.
 *
 * ```ts
 * const addresses = packing({ type: 'ipv4_addr' });
 * const rows = new Uint8Array(addresses.stride * 1_000_000);
 * const view = new DataView(rows.buffer);
 * for (let i = 0; i < 1_000_000; i++) view.setUint32(i * addresses.stride, 0x0a000000 + i);
 * await nft.commit([{ add: { element: { ...ref, name: 'blocked', elem: addresses.elements(rows) } } }]);
 * ```
 */
export class Packing<T extends KeyType = KeyType, D extends DataType = never> {
  /** The fields of the key. */
  readonly key: readonly PackedField[];
  /** The fields of a map's value; none in sets and verdict maps. */
  readonly data: readonly PackedField[];
  /** What the numbers in rows of a verdict map stand for. */
  readonly verdicts: readonly Verdict[] | undefined;
  /** Where in a row the number of the verdict is. */
  readonly verdictOffset: number | undefined;
  /** Where in a row the timeout is. */
  readonly timeoutOffset: number | undefined;
  /** Bytes from one row to the next. */
  readonly stride: number;

  /** @internal use {@link packing} */
  constructor({ type, map, verdicts, timeouts }: PackingOptions<T, D>) {
    if ((map === 'verdict') !== (verdicts !== undefined))
      throw new ModelError('verdicts belong to a verdict map, and such a map needs them');
    let end = 0;
    const take = (bytes: number) => {
      const offset = end;
      end += Math.ceil(bytes / ALIGN) * ALIGN;
      return offset;
    };
    const fields = (types: KeyType | DataType) =>
      namesOf(types).map((name): PackedField => {
        const { bits, byteorder } = datatypeOf(name);
        const bytes = bits / 8;
        return Object.freeze({ type: name, offset: take(bytes), bytes, byteorder });
      });
    this.key = Object.freeze(fields(type));
    this.data = Object.freeze(map === undefined || map === 'verdict' ? [] : fields(map));
    this.verdicts = verdicts && Object.freeze([...verdicts]);
    this.verdictOffset = verdicts && take(ALIGN);
    this.timeoutOffset = timeouts ? take(ALIGN) : undefined;
    this.stride = end;
    Object.freeze(this);
  }

  /**
   * The elements in these rows, as `elem` of the commands that add, create, delete and destroy elements. The rows are
   * read when they are committed, and must not change before the promise of that is settled.
   *
   * @throws ModelError when the bytes are no whole number of rows
   */
  elements(rows: ArrayBufferView): ElementRows<PackedElement<T, D>> {
    return new ElementRows(this as unknown as Packing, rows);
  }
}

/** How elements of these types lie in rows: see {@link Packing}. */
export function packing<const T extends KeyType, const D extends DataType = never>(
  options: PackingOptions<T, D>,
): Packing<T, D> {
  return new Packing(options);
}

/** Elements in rows of bytes; made by {@link Packing.elements}. As JSON they are the list that they stand for. */
export class ElementRows<E = unknown> implements Iterable<Expression> {
  readonly packing: Packing;
  readonly bytes: Uint8Array;
  /** How many. */
  readonly length: number;
  /** For the compiler alone. */
  declare readonly '~element'?: E;

  /** @internal use {@link Packing.elements} */
  constructor(packing: Packing, rows: ArrayBufferView) {
    this.packing = packing;
    this.bytes = new Uint8Array(rows.buffer, rows.byteOffset, rows.byteLength);
    this.length = rows.byteLength / packing.stride;
    if (!Number.isInteger(this.length))
      throw new ModelError(`${rows.byteLength} bytes are no rows of ${packing.stride}`);
    Object.freeze(this);
  }

  *[Symbol.iterator](): Generator<Expression> {
    const { key, data, verdicts, verdictOffset = 0, timeoutOffset, stride } = this.packing;
    const view = new DataView(this.bytes.buffer, this.bytes.byteOffset, this.bytes.byteLength);
    for (let at = 0; at < this.bytes.length; at += stride) {
      const val = this.#value(key, at);
      const timeout = timeoutOffset && view.getUint32(at + timeoutOffset, hostIsLittleEndian);
      const element = timeout ? { elem: { val, timeout } } : val;
      if (verdicts !== undefined) {
        const number = view.getUint32(at + verdictOffset, hostIsLittleEndian);
        const verdict = verdicts[number];
        if (verdict === undefined) throw new ModelError(`row ${at / stride}: there is no verdict ${number}`);
        yield [element, verdict];
      } else yield data.length > 0 ? [element, this.#value(data, at)] : element;
    }
  }

  /** The elements as the model has them. */
  toJSON(): readonly Expression[] {
    return [...this];
  }

  #value(fields: readonly PackedField[], at: number): Expression {
    const values = fields.map(({ type, offset, bytes, byteorder }) => {
      const field = this.bytes.subarray(at + offset, at + offset + bytes);
      return datatypeOf(type).format(fromBytes(field, byteorder));
    });
    return values.length === 1 ? (values[0] as Expression) : { concat: values };
  }
}

function namesOf(type: KeyType | DataType): readonly DatatypeName[] {
  const names = typeof type === 'string' ? [type as DatatypeName] : type;
  if (!Array.isArray(names) || names.length === 0)
    throw new ModelError('rows are of data types, not of expressions');
  return names;
}

function datatypeOf(name: DatatypeName): Datatype {
  const type = datatype(name);
  if (type.bits === 0) throw new ModelError(`${name} has no width of its own`);
  return type;
}
