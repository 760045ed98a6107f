import { hostIsLittleEndian } from '../datatype/byteorder.ts';
import type { ByteOrder, Datatype } from '../datatype/index.ts';
import type { Data } from './data.ts';
import type { Instruction } from './instruction.ts';
import { slotsFor } from './register.ts';
import type { Typeof } from './typeof-userdata.ts';

/** What a value means and how its bits lie: its type, width and byte order. */
export interface Typed {
  readonly type: Datatype;
  /** Width in bits. */
  readonly bits: number;
  readonly byteorder: ByteOrder;
}

/** NFT_SET_* of linux/netfilter/nf_tables.h. */
export const SET_FLAGS = {
  anonymous: 0x1,
  constant: 0x2,
  interval: 0x4,
  map: 0x8,
  timeout: 0x10,
  eval: 0x20,
  object: 0x40,
  concat: 0x80,
  expr: 0x100,
} as const;

/** NFT_SET_ELEM_*. */
export const ELEMENT_FLAGS = { intervalEnd: 0x1, catchall: 0x2 } as const;

/** NFT_OBJECT_*: what an object map or reference holds. */
export const OBJECT_TYPES = {
  counter: 1,
  quota: 2,
  'ct helper': 3,
  limit: 4,
  connlimit: 5,
  tunnel: 6,
  'ct timeout': 7,
  secmark: 8,
  'ct expectation': 9,
  synproxy: 10,
} as const;

export type ObjectType = keyof typeof OBJECT_TYPES;

/** What a map gives: values (side by side where there are several), a verdict, or an object. */
export type MapData =
  | {
      readonly kind: 'value';
      readonly parts: readonly Typed[] /** Each value is the two ends of an interval. */;
      readonly interval?: boolean;
    }
  | { readonly kind: 'verdict' }
  | { readonly kind: 'object'; readonly object: ObjectType };

/** What an element is made of, either way. */
interface ElementParts {
  /** Absent for the catch-all. */
  readonly key?: Uint8Array | undefined;
  /** The last key of a range, in sets whose keys are concatenations. */
  readonly keyEnd?: Uint8Array | undefined;
  readonly data?: Data | undefined;
  /** The name of the object that the key maps to. */
  readonly object?: string | undefined;
  /** {@link ELEMENT_FLAGS} */
  readonly flags?: number | undefined;
  /** Milliseconds. */
  readonly timeout?: bigint | undefined;
  /** Milliseconds until it is gone. */
  readonly expiration?: bigint | undefined;
  readonly expressions?: readonly Instruction[] | undefined;
}

/** One element as the kernel takes it. */
export interface SetElement extends ElementParts {
  readonly comment?: string | undefined;
  /** The interval that begins here goes on to the greatest key: nft notes it in userdata. */
  readonly open?: boolean | undefined;
  /** This element ends the interval of the one before: both go into one message. */
  readonly joined?: boolean | undefined;
  /** The index of the caller's element that this one comes from. */
  readonly source?: number | undefined;
}

/** What lies in each row of packed elements: key, value or number of a verdict, timeout; each padded to 4 bytes. */
export interface PackedShape {
  /** Bytes of each key. */
  readonly key: number;
  /** Bytes of each plain value; 0 in a set or verdict map. */
  readonly data: number;
  /** In a verdict map: what the number in each row, in host order, stands for. */
  readonly verdicts?: readonly Data[] | undefined;
  /** Each row ends with seconds, in host order; 0 is no timeout of its own. */
  readonly timeouts?: boolean | undefined;
}

/** Where the parts of a row of packed elements start, and where the next row does. */
export function packedOffsets({ key, data, verdicts, timeouts }: PackedShape) {
  const value = slotsFor(key * 8) * 4;
  const timeout = value + (verdicts === undefined ? slotsFor(data * 8) * 4 : 4);
  return { data: value, timeout, stride: timeout + (timeouts ? 4 : 0) };
}

/**
 * Many elements that are nothing but a key, in a map a value, and perhaps a timeout: in rows, which are written where
 * and when they are needed, as there may be millions.
 */
export class PackedElements implements PackedShape {
  readonly key: number;
  readonly data: number;
  readonly verdicts: readonly Data[] | undefined;
  readonly timeouts: boolean | undefined;
  readonly length: number;
  /**
   * Writes the rows from one to another, that one not included, one behind the other, into zeros.
   *
   * @returns false where one of them cannot be packed
   */
  readonly write: (into: Uint8Array, from: number, to: number) => boolean;
  /** The same rows where they are already; absent where they are nowhere yet. */
  readonly view: ((from: number, to: number) => Uint8Array) | undefined;
  #rows: Uint8Array | undefined;

  constructor(
    shape: PackedShape,
    length: number,
    write: PackedElements['write'],
    view?: PackedElements['view'],
  ) {
    this.key = shape.key;
    this.data = shape.data;
    this.verdicts = shape.verdicts;
    this.timeouts = shape.timeouts;
    this.length = length;
    this.write = write;
    this.view = view;
  }

  /** Writes all rows here, once. */
  pack(): boolean {
    if (this.#rows !== undefined) return true;
    const rows = new Uint8Array(packedOffsets(this).stride * this.length);
    if (!this.write(rows, 0, this.length)) return false;
    this.#rows = rows;
    return true;
  }

  /** All rows. */
  get rows(): Uint8Array {
    if (!this.pack()) throw new TypeError('elements that cannot be packed');
    return this.#rows as Uint8Array;
  }
}

/** Packed elements one by one. */
export function* unpackElements(packed: PackedElements): Generator<SetElement> {
  const { length, key, data, verdicts, timeouts, rows } = packed;
  const offsets = packedOffsets(packed);
  const view = new DataView(rows.buffer, rows.byteOffset, rows.byteLength);
  for (let source = 0, at = 0; source < length; source++, at += offsets.stride) {
    const timeout = timeouts ? view.getUint32(at + offsets.timeout, hostIsLittleEndian) : 0;
    const value = at + offsets.data;
    yield {
      key: rows.subarray(at, at + key),
      ...(data === 0 ? {} : { data: rows.subarray(value, value + data) }),
      ...(verdicts === undefined ? {} : { data: verdicts[view.getUint32(value, hostIsLittleEndian)] }),
      ...(timeout === 0 ? {} : { timeout: BigInt(timeout) * 1000n }),
      source,
    };
  }
}

/** Elements one by one, packed or not. */
export function elementsOf(elements: readonly SetElement[] | PackedElements = []): readonly SetElement[] {
  return elements instanceof PackedElements ? [...unpackElements(elements)] : elements;
}

/** One element as the kernel tells it. */
export interface KernelElement extends ElementParts {
  /** What the element carries, in sets where that is one instruction; several are `expressions`. */
  readonly expression?: Instruction | undefined;
  /** The bytes of NFTA_SET_ELEM_USERDATA. */
  readonly userdata?: Uint8Array | undefined;
}

/** What a listing knows of a set. */
export interface KnownSet {
  readonly name: string;
  /** The parts of the key: one, or those of a concatenation. */
  readonly key: readonly Typed[];
  readonly data?: MapData | undefined;
  /** {@link SET_FLAGS} */
  readonly flags: number;
  readonly size?: number | undefined;
  /** The elements of an anonymous set. */
  readonly elements?: readonly KernelElement[] | undefined;
}

/** What a rule needs to know of a set, and what the kernel must be told of a new one. */
export interface SetDeclaration {
  readonly name: string;
  /**
   * Identifies a set within the transaction that makes it; absent where it is there already. The kernel looks
   * by it for what it does not find by name, and would take 0 for any set that is declared once more.
   */
  readonly id?: number | undefined;
  /** The parts of the key: one, or those of a concatenation. */
  readonly key: readonly Typed[];
  readonly data?: MapData | undefined;
  /** {@link SET_FLAGS} */
  readonly flags: number;
  readonly size?: number | undefined;
  /** Overlapping intervals of its elements become one. */
  readonly autoMerge?: boolean | undefined;
  /** The elements of an anonymous set. */
  readonly elements?: readonly SetElement[] | PackedElements | undefined;
  /** The expressions that gave the types of keys and data, for nft to know. */
  readonly keyTypeof?: Typeof | undefined;
  readonly dataTypeof?: Typeof | undefined;
}

/** Width in bits of several values side by side, each padded to 32 bits; a lone one is not padded. */
export function joinedBits(parts: readonly Typed[]): number {
  if (parts.length === 1) return (parts[0] as Typed).bits;
  return parts.reduce((sum, part) => sum + Math.ceil(part.bits / 32) * 32, 0);
}
