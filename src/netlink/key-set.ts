import { hostIsLittleEndian } from '../datatype/byteorder.ts';

/** Keys on a page of memory: pages do not move when there come to be more. */
const PAGE = 1 << 14;
const FIRST_SLOTS = 1 << 10;

/** The keys of one set, packed: some bytes each beyond their own. */
export class KeySet {
  readonly #width: number;
  readonly #words: number;
  readonly #word: Int32Array;
  readonly #pages: Int32Array[] = [];
  /** The number of a key, from 1 on, where its hash says or in the next free place. */
  #slots = new Int32Array(FIRST_SLOTS);
  #size = 0;
  /** Chance, so that nobody can choose keys that all hash alike. */
  readonly #seed = (Math.random() * 0x1_0000_0000) | 0;

  /** @param width - bytes of each key */
  constructor(width: number) {
    this.#width = width;
    this.#words = (width + 3) >> 2;
    this.#word = new Int32Array(this.#words);
  }

  get size(): number {
    return this.#size;
  }

  /** Adds the key at `at`; false where it is there already. */
  add(view: DataView, at: number): boolean {
    const before = this.#size;
    this.number(view, at);
    return this.#size > before;
  }

  /** The number of the key at `at`, from 0 on, in the order in which they came; a new one is added. */
  number(view: DataView, at: number): number {
    const word = this.#word;
    const whole = this.#width >> 2;
    for (let i = 0; i < whole; i++) word[i] = view.getInt32(at + i * 4, hostIsLittleEndian);
    if (whole < this.#words) {
      let last = 0;
      for (let i = whole * 4; i < this.#width; i++) last = (last << 8) | view.getUint8(at + i);
      word[whole] = last;
    }
    const mask = this.#slots.length - 1;
    let slot = this.#hash(word, 0) & mask;
    for (;;) {
      const number = this.#slots[slot] as number;
      if (number === 0) break;
      if (this.#isAt(number - 1)) return number - 1;
      slot = (slot + 1) & mask;
    }
    this.#slots[slot] = this.#keep();
    if (this.#size * 2 > this.#slots.length) this.#grow();
    return this.#size - 1;
  }

  #hash(from: Int32Array, start: number): number {
    let hash = this.#seed;
    for (let i = 0; i < this.#words; i++) {
      hash = Math.imul(hash ^ (from[start + i] as number), 0x9e3779b1);
      hash ^= hash >>> 15;
    }
    return Math.imul(hash, 0x85ebca6b) >>> 7;
  }

  #isAt(index: number): boolean {
    const page = this.#pages[Math.floor(index / PAGE)] as Int32Array;
    const start = (index % PAGE) * this.#words;
    for (let i = 0; i < this.#words; i++) if (page[start + i] !== this.#word[i]) return false;
    return true;
  }

  #keep(): number {
    const index = this.#size++;
    if (index % PAGE === 0) this.#pages.push(new Int32Array(PAGE * this.#words));
    (this.#pages.at(-1) as Int32Array).set(this.#word, (index % PAGE) * this.#words);
    return index + 1;
  }

  #grow(): void {
    const slots = new Int32Array(this.#slots.length * 2);
    const mask = slots.length - 1;
    for (let index = 0; index < this.#size; index++) {
      const page = this.#pages[Math.floor(index / PAGE)] as Int32Array;
      let slot = this.#hash(page, (index % PAGE) * this.#words) & mask;
      while (slots[slot] !== 0) slot = (slot + 1) & mask;
      slots[slot] = index + 1;
    }
    this.#slots = slots;
  }
}
