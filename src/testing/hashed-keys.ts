import type { ElementKey, KeyStore } from './element-store.ts';
import { keyText } from './key-text.ts';
import type { Element } from './state.ts';

/** Single keys, as the kernel's hash tables and bitmaps hold them. */
export class HashedKeys implements KeyStore {
  readonly #elements = new Map<string, Element>();

  get size(): number {
    return this.#elements.size;
  }

  find({ key }: ElementKey): Element | undefined {
    return this.#elements.get(keyText(key));
  }

  hit(key: ElementKey): Element | undefined {
    return this.find(key);
  }

  capacity(size: number): number {
    return size;
  }

  overlaps(): boolean {
    return false;
  }

  insert(element: Element): void {
    this.#elements.set(keyText(element.key), element);
  }

  remove({ key }: Element): void {
    this.#elements.delete(keyText(key));
  }

  [Symbol.iterator](): MapIterator<Element> {
    return this.#elements.values();
  }
}
