import { ELEMENT_FLAGS } from '../bytecode/index.ts';
import type { ElementKey, KeyStore } from './element-store.ts';
import { keyText } from './key-text.ts';
import type { Element } from './state.ts';

interface Entry {
  readonly key: string;
  readonly isEnd: boolean;
  readonly element: Element;
}

const isEnd = ({ flags }: ElementKey) => (flags & ELEMENT_FLAGS.intervalEnd) !== 0;

/**
 * Intervals as the kernel's red-black tree holds them: where each begins, and the key behind its last one.
 * They lie in a list by their keys; where one interval ends and the next begins, the end comes first.
 */
export class IntervalEnds implements KeyStore {
  readonly #entries: Entry[] = [];
  readonly #anonymous: boolean;

  constructor(anonymous: boolean) {
    this.#anonymous = anonymous;
  }

  get size(): number {
    return this.#entries.length;
  }

  find(key: ElementKey): Element | undefined {
    const entry = this.#entries[this.#place(key)];
    return entry?.key === keyText(key.key) && entry.isEnd === isEnd(key) ? entry.element : undefined;
  }

  hit(key: ElementKey): Element | undefined {
    return this.find(key);
  }

  /** Each interval has two ends; the one that ends before the first key comes free. */
  capacity(size: number): number {
    const [first] = this.#entries;
    return size * 2 + (first?.isEnd && /^\0*$/.test(first.key) ? 1 : 0);
  }

  /** Judges by the neighbours alone, as the kernel does: a start behind a start, an end beside an end. */
  overlaps(key: ElementKey): boolean {
    const text = keyText(key.key);
    const at = this.#place(key);
    if (isEnd(key)) {
      const start = this.#entries[at];
      return this.#entries[at - 1]?.isEnd === true || (start?.key !== text && start?.isEnd === true);
    }
    return !this.#anonymous && this.#entries[at - 1]?.isEnd === false;
  }

  insert(element: Element): void {
    this.#entries.splice(this.#place(element), 0, {
      key: keyText(element.key),
      isEnd: isEnd(element),
      element,
    });
  }

  remove(element: Element): void {
    this.#entries.splice(this.#place(element), 1);
  }

  /** The greatest first, as the kernel walks. */
  *[Symbol.iterator](): Generator<Element, void, undefined> {
    for (let i = this.#entries.length - 1; i >= 0; i--) yield (this.#entries[i] as Entry).element;
  }

  /** Where a key is, or would be. */
  #place(wanted: ElementKey): number {
    const key = keyText(wanted.key);
    const end = isEnd(wanted);
    let low = 0;
    let high = this.#entries.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const entry = this.#entries[middle] as Entry;
      if (entry.key < key || (entry.key === key && entry.isEnd && !end)) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
