import type { KernelElement } from '../bytecode/index.ts';
import { hostIsLittleEndian } from '../datatype/byteorder.ts';
import { plainBytes, WireError } from '../wire/attribute-reader.ts';
import { decode } from '../wire/schema.ts';
import { element } from './element.ts';
import { MESSAGE } from './types.ts';

const MESSAGE_HEADER = 20;
const HEADER = 4;
const NFTA_SET_ELEM_LIST_ELEMENTS = 3;
const NFTA_DATA_VALUE = 1;
const NFTA_DATA_VERDICT = 2;

/** NFTA_SET_ELEM_* */
export const ELEMENT = {
  key: 1,
  data: 2,
  flags: 3,
  timeout: 4,
  expiration: 5,
  userdata: 6,
  expression: 7,
  object: 9,
  keyEnd: 10,
  expressions: 11,
} as const;

/** Attributes that a nest NFTA_DATA_* is around. */
const WRAPPED = (1 << ELEMENT.key) | (1 << ELEMENT.data) | (1 << ELEMENT.keyEnd);
const KNOWN = 12;

/**
 * Goes through the elements of NFT_MSG_NEWSETELEM messages where they lie, without an object for each.
 *
 * ```ts
 * for (const reader = new ElementReader(messages); reader.next(); ) use(reader.at[ELEMENT.key]);
 * ```
 */
export class ElementReader {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  /** Where the payload of each attribute of the element starts, by its number; 0 where there is none. Of keys and data: of the value. */
  readonly at = new Int32Array(KNOWN);
  /** Its bytes. */
  readonly length = new Int32Array(KNOWN);
  /** The numbers of the attributes that are there, a bit each. */
  present = 0;
  /** Whether the data is a verdict: `at` and `length` are of NFTA_DATA_VERDICT. */
  verdict = false;
  /** Where the element's attributes start and end. */
  start = 0;
  end = 0;
  #next = 0;
  #list = 0;
  #message = 0;

  /** @param received - whole messages, one behind the other */
  constructor(received: Uint8Array) {
    const bytes = plainBytes(received);
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /**
   * Goes to the next element; false behind the last one.
   *
   * @throws WireError when a length runs past the end
   */
  next(): boolean {
    while (this.#next >= this.#list) if (!this.#nextList()) return false;
    const length = this.#attribute(this.#next, this.#list);
    this.start = this.#next + HEADER;
    this.end = this.#next + length;
    this.#next += (length + 3) & ~3;
    this.present = 0;
    this.verdict = false;
    const { view, at } = this;
    at.fill(0);
    let place = this.start;
    while (place < this.end) {
      const size = this.#attribute(place, this.end);
      const id = view.getUint16(place + 2, hostIsLittleEndian) & 0x3fff;
      if (id < KNOWN) {
        this.present |= 1 << id;
        if (WRAPPED & (1 << id)) this.#unwrap(id, place + HEADER, place + size);
        else {
          at[id] = place + HEADER;
          this.length[id] = size - HEADER;
        }
      } else if (size > HEADER) this.present |= 1 << KNOWN;
      place += (size + 3) & ~3;
    }
    return true;
  }

  /** The element as an object. */
  element(): KernelElement {
    return decode(element, this.bytes, this.start, this.end) as KernelElement;
  }

  /** Whether the element has nothing but these attributes, a bit each. */
  hasOnly(attributes: number): boolean {
    return (this.present & ~attributes) === 0;
  }

  #unwrap(id: number, place: number, end: number): void {
    const size = this.#attribute(place, end);
    const inner = this.view.getUint16(place + 2, hostIsLittleEndian) & 0x3fff;
    if (inner === NFTA_DATA_VERDICT) this.verdict = true;
    else if (inner !== NFTA_DATA_VALUE) throw new WireError(`no value has the attribute ${inner}`);
    this.at[id] = place + HEADER;
    this.length[id] = size - HEADER;
  }

  /** The length of the attribute at a place, which must end before `end`. */
  #attribute(place: number, end: number): number {
    const length = place + HEADER <= end ? this.view.getUint16(place, hostIsLittleEndian) : 0;
    if (length < HEADER || place + length > end)
      throw new WireError(`attribute at byte ${place} claims ${length} bytes of ${end - place}`);
    return length;
  }

  /** Goes to the list of the next message that has one. */
  #nextList(): boolean {
    const { view, bytes } = this;
    while (this.#message < bytes.length) {
      const start = this.#message;
      const length = start + MESSAGE_HEADER <= bytes.length ? view.getUint32(start, hostIsLittleEndian) : 0;
      if (length < MESSAGE_HEADER || length > bytes.length - start)
        throw new WireError(`the message at byte ${start} claims ${length} bytes of ${bytes.length - start}`);
      this.#message += (length + 3) & ~3;
      if ((view.getUint16(start + 4, hostIsLittleEndian) & 0xff) !== MESSAGE.NEWSETELEM) continue;
      const end = start + length;
      for (let place = start + MESSAGE_HEADER; place < end; ) {
        const size = this.#attribute(place, end);
        if ((view.getUint16(place + 2, hostIsLittleEndian) & 0x3fff) === NFTA_SET_ELEM_LIST_ELEMENTS) {
          this.#next = place + HEADER;
          this.#list = place + size;
          return true;
        }
        place += (size + 3) & ~3;
      }
    }
    return false;
  }
}
