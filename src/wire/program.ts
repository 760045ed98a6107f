import { hostIsLittleEndian } from '../datatype/byteorder.ts';
import { AttributeWriter } from './attribute-writer.ts';
import { layout } from './program-layout.ts';

/** How a whole transaction is to be treated. */
export interface ProgramOptions {
  /** The kernel validates everything and commits nothing. */
  readonly check?: boolean;
  /** The kernel sends back the objects it made, with their handles. */
  readonly echo?: boolean;
  /**
   * The generation the ruleset must still have; the kernel refuses with ERESTART when it has another.
   * Zero, the default, asks for none.
   */
  readonly generation?: number;
}

/** What every nf_tables message of a transaction carries besides its attributes. */
export interface MessageHead {
  /** `NFT_MSG_*` of linux/netfilter/nf_tables.h. */
  readonly type: number;
  /** `NLM_F_*` of linux/netlink.h; the addon adds `NLM_F_REQUEST`, and `NLM_F_ECHO` where asked for. */
  readonly flags?: number;
  /** `NFPROTO_*` of linux/netfilter.h. */
  readonly family: number;
  /** The index of the caller's operation, which errors and echoes name. */
  readonly operation: number;
}

/** Sizes in bytes of a packed element's parts; a part of size 0 is left out. */
export interface PackedSizes {
  readonly key: number;
  /** The closing key of a concatenation's interval: as large as the key, or 0. */
  readonly end?: number;
  /** The plain value (no verdict) of a map's element. */
  readonly data?: number;
}

/** The parts of one packed element, in network order as the kernel wants them. */
export interface PackedElement {
  readonly key: Uint8Array;
  readonly end?: Uint8Array;
  readonly data?: Uint8Array;
}

/** A part that is left out of a program's bytes. */
export interface Hole {
  /** In front of which byte. */
  readonly at: number;
  readonly size: number;
}

/** What lies in each row of {@link ProgramWriter.rows}. */
export interface RowShape {
  /** Bytes of the key. */
  readonly key: number;
  /** Bytes of a map's plain value. */
  readonly data?: number | undefined;
  /** Encoded NFTA_SET_ELEM_DATA, of which each row names one by its number, in host order. */
  readonly choices?: readonly Uint8Array[] | undefined;
  /** Each row ends with a timeout in seconds, in host order; 0 is none of its own. */
  readonly timeouts?: boolean | undefined;
}

/** Bytes from one row to the next: each part is padded to 4. */
export function rowStride({ key, data = 0, choices, timeouts = false }: RowShape): number {
  const value = choices === undefined ? (data + ALIGN) & ~ALIGN : 4;
  return ((key + ALIGN) & ~ALIGN) + value + (timeouts ? 4 : 0);
}

/** Bytes of one packed element: its flags, then its parts, padded to 4. */
function packedStride({ key, end = 0, data = 0 }: PackedSizes): number {
  return (4 + key + end + data + ALIGN) & ~ALIGN;
}

const ALIGN = 3;
const MAX_LENGTH = 0xffffffff;
const NO_BYTES = new Uint8Array(0);

/** Takes the elements of one operation; valid until the program gets its next record. */
export interface ElementList {
  /**
   * Appends an element whose attributes (`NFTA_SET_ELEM_*`) are encoded already.
   *
   * @param together - keep it in one message with the element before it, as the end of an interval
   */
  add(attributes: Uint8Array, together?: boolean): void;
}

/** Takes the elements of one operation; valid until the program gets its next record. */
export interface PackedElementList {
  /**
   * Appends an element.
   *
   * @param flags - `NFT_SET_ELEM_INTERVAL_END` (1): it has no data; `NFT_SET_ELEM_CATCHALL` (2): it has no key
   * @param together - keep it in one message with the element before it, as the end of an interval
   */
  add(element: PackedElement, flags?: number, together?: boolean): void;
}

/**
 * Writes the program buffer: a whole transaction, flat, for one crossing into the addon.
 *
 * The addon turns every record into one netlink message, and a list of elements into as many as it
 * takes for no nest to pass 64 KiB.
 */
export class ProgramWriter {
  readonly #out: AttributeWriter;
  #records = 0;
  #open = -1;
  readonly #holes: Hole[] = [];
  /** Bytes of all holes, and of those before the record that is open. */
  #missing = 0;
  #missingBefore = 0;

  constructor(options: ProgramOptions = {}, capacity = 4096) {
    this.#out = new AttributeWriter(Math.max(capacity, layout.HEADER_SIZE));
    this.begin(options);
  }

  /** Begins another program in the place of this one. */
  begin(options: ProgramOptions): void {
    this.#out.truncate(0);
    this.#records = 0;
    this.#open = -1;
    this.#holes.length = 0;
    this.#missing = 0;
    this.#out.reserve(layout.HEADER_SIZE);
    this.#set32(layout.HEADER_MAGIC, layout.MAGIC);
    this.#set16(layout.HEADER_VERSION, layout.VERSION);
    this.#set16(
      layout.HEADER_FLAGS,
      (options.check ? layout.FLAG_CHECK : 0) | (options.echo ? layout.FLAG_ECHO : 0),
    );
    this.#set32(layout.HEADER_GENERATION, options.generation ?? 0);
  }

  /** Bytes that there is room for. */
  get capacity(): number {
    return this.#out.capacity;
  }

  /** How many records were written. */
  get records(): number {
    return this.#records;
  }

  /** Bytes of the whole program. */
  get length(): number {
    return this.#out.length + this.#missing;
  }

  /** The whole program, but for what is left out of it, as a view that the next write may invalidate. */
  bytes(): Uint8Array {
    this.#close();
    const { length } = this;
    if (length > MAX_LENGTH) throw new RangeError(`a program of ${length} bytes`);
    this.#set32(layout.HEADER_LENGTH, length);
    this.#set32(layout.HEADER_RECORDS, this.#records);
    return this.#out.bytes();
  }

  /** Where in {@link bytes} something is left out. */
  get holes(): readonly Hole[] {
    return this.#holes;
  }

  /** Appends one message with its attributes, encoded. */
  message(head: MessageHead, attributes: Uint8Array = NO_BYTES): void {
    this.#begin(layout.KIND_MESSAGE, head, layout.RECORD_SIZE);
    this.#out.append(attributes);
    this.#close();
  }

  /**
   * Begins a list of elements that are encoded already.
   *
   * @param prefix - the attributes every message starts with: `NFTA_SET_ELEM_LIST_TABLE`, `_SET`, `_SET_ID`
   */
  elements(head: MessageHead, prefix: Uint8Array): ElementList {
    const start = this.#begin(layout.KIND_ENCODED_ELEMENTS, head, layout.ELEMENTS_SIZE);
    this.#prefix(start, prefix);
    return {
      add: (attributes, together = false) => {
        this.#mustBeOpen(start);
        const at = this.#out.reserve(4);
        this.#out.append(attributes);
        this.#set32(at, this.#out.length - at - 4 + (together ? layout.ELEMENT_TOGETHER : 0));
        this.#count(start);
      },
    };
  }

  /**
   * Begins a list of elements of fixed sizes, which the addon encodes: the fast way for large sets.
   *
   * @param prefix - the attributes every message starts with: `NFTA_SET_ELEM_LIST_TABLE`, `_SET`, `_SET_ID`
   */
  packedElements(head: MessageHead, prefix: Uint8Array, sizes: PackedSizes): PackedElementList {
    const { key: keySize, end: endSize = 0, data: dataSize = 0 } = sizes;
    const start = this.#beginPacked(head, prefix, sizes);
    const stride = packedStride(sizes);
    return {
      add: ({ key, end, data }, flags = 0, together = false) => {
        this.#mustBeOpen(start);
        const at = this.#out.reserve(stride);
        this.#set32(at, flags + (together ? layout.ELEMENT_TOGETHER : 0));
        this.#part('key', key, keySize, at + 4);
        if (end) this.#part('end of the key', end, endSize, at + 4 + keySize);
        if (data) this.#part('data', data, dataSize, at + 4 + keySize + endSize);
        this.#count(start);
      },
    };
  }

  /**
   * Appends elements of fixed sizes that lie in rows already: the fast way for large sets.
   *
   * @param prefix - the attributes every message starts with: `NFTA_SET_ELEM_LIST_TABLE`, `_SET`, `_SET_ID`
   * @param aside - leave the rows out: they are sent from where they are
   * @returns where in {@link bytes} the rows go, zeros so far
   */
  rows(head: MessageHead, prefix: Uint8Array, shape: RowShape, count: number, aside = false): number {
    const { key, data = 0, choices = [], timeouts = false } = shape;
    const start = this.#begin(layout.KIND_ROWS, head, layout.ROWS_SIZE);
    this.#set32(start + layout.ELEMENTS_COUNT, count);
    this.#set16(start + layout.ROWS_KEY_LENGTH, key);
    this.#set16(start + layout.ROWS_DATA_LENGTH, data);
    this.#set16(start + layout.ROWS_CHOICES, choices.length);
    this.#set16(start + layout.ROWS_FLAGS, timeouts ? layout.ROWS_TIMEOUTS : 0);
    this.#prefix(start, prefix);
    for (const choice of choices) this.#out.append(choice);
    const size = count * rowStride(shape);
    if (!aside) return this.#out.reserve(size);
    this.#holes.push({ at: this.#out.length, size });
    this.#missing += size;
    return this.#out.length;
  }

  #beginPacked(head: MessageHead, prefix: Uint8Array, { key, end = 0, data = 0 }: PackedSizes): number {
    const start = this.#begin(layout.KIND_PACKED_ELEMENTS, head, layout.PACKED_SIZE);
    this.#set16(start + layout.PACKED_KEY_LENGTH, key);
    this.#set16(start + layout.PACKED_END_LENGTH, end);
    this.#set16(start + layout.PACKED_DATA_LENGTH, data);
    this.#prefix(start, prefix);
    return start;
  }

  #part(what: string, bytes: Uint8Array, size: number, at: number): void {
    if (bytes.length !== size && bytes.length !== 0) {
      throw new RangeError(`the ${what} of a packed element has ${bytes.length} bytes instead of ${size}`);
    }
    this.#out.fill(at, bytes);
  }

  #begin(kind: number, head: MessageHead, size: number): number {
    this.#close();
    const start = this.#out.reserve(size);
    this.#open = start;
    this.#missingBefore = this.#missing;
    this.#records++;
    const view = this.#out.view;
    view.setUint8(start + layout.RECORD_KIND, kind);
    view.setUint8(start + layout.RECORD_TYPE, head.type);
    view.setUint8(start + layout.RECORD_FAMILY, head.family);
    this.#set16(start + layout.RECORD_FLAGS, head.flags ?? 0);
    this.#set32(start + layout.RECORD_OPERATION, head.operation);
    return start;
  }

  #close(): void {
    if (this.#open < 0) return;
    const missing = this.#missing - this.#missingBefore;
    this.#set32(this.#open + layout.RECORD_LENGTH, this.#out.length - this.#open + missing);
    this.#open = -1;
  }

  #mustBeOpen(start: number): void {
    if (this.#open !== start) throw new Error('the list of elements was closed by what was written after it');
  }

  #prefix(start: number, prefix: Uint8Array): void {
    const before = this.#out.length;
    this.#out.append(prefix);
    this.#set32(start + layout.ELEMENTS_PREFIX_LENGTH, this.#out.length - before);
  }

  #count(start: number): void {
    const at = start + layout.ELEMENTS_COUNT;
    this.#set32(at, this.#out.view.getUint32(at, hostIsLittleEndian) + 1);
  }

  #set16(at: number, value: number): void {
    this.#out.view.setUint16(at, value, hostIsLittleEndian);
  }

  #set32(at: number, value: number): void {
    this.#out.view.setUint32(at, value, hostIsLittleEndian);
  }
}
