import type { ElementKey, KeyStore } from './element-store.ts';
import { keyText } from './key-text.ts';
import type { Element } from './state.ts';

/** Concatenations of ranges, as the kernel's pipapo holds them: in the order in which they came. */
export class ConcatenatedRanges implements KeyStore {
  readonly #fields: readonly { readonly start: number; readonly end: number }[];
  readonly #elements = new Map<string, Element>();

  /** @param fields - the widths of the parts in bytes; each is padded to 4 */
  constructor(fields: readonly number[]) {
    let start = 0;
    this.#fields = fields.map((width) => {
      const field = { start, end: start + width };
      start += (width + 3) & ~3;
      return field;
    });
  }

  get size(): number {
    return this.#elements.size;
  }

  find(key: ElementKey): Element | undefined {
    return this.#elements.get(name(key));
  }

  /** The first that its first corner lies in, as the kernel looks it up. */
  hit({ key }: ElementKey): Element | undefined {
    for (const element of this.#elements.values()) {
      if (this.#covers(element, key as Uint8Array)) return element;
    }
    return undefined;
  }

  capacity(size: number): number {
    return size;
  }

  /** Judges by the first and the last corner alone, as the kernel does. */
  overlaps({ key, keyEnd }: ElementKey): boolean {
    const corners = [key, keyEnd ?? key] as Uint8Array[];
    for (const element of this.#elements.values()) {
      if (corners.some((corner) => this.#covers(element, corner))) return true;
    }
    return false;
  }

  insert(element: Element): void {
    this.#elements.set(name(element), element);
  }

  remove(element: Element): void {
    this.#elements.delete(name(element));
  }

  [Symbol.iterator](): MapIterator<Element> {
    return this.#elements.values();
  }

  #covers({ key, keyEnd }: Element, point: Uint8Array): boolean {
    const from = key as Uint8Array;
    const to = keyEnd ?? from;
    return this.#fields.every(({ start, end }) => {
      const part = point.subarray(start, end);
      return (
        Buffer.compare(from.subarray(start, end), part) <= 0 &&
        Buffer.compare(part, to.subarray(start, end)) <= 0
      );
    });
  }
}

function name({ key, keyEnd }: ElementKey): string {
  return keyText(key) + keyText(keyEnd ?? key);
}
