import { ELEMENT_FLAGS, SET_FLAGS } from '../bytecode/index.ts';
import { ConcatenatedRanges } from './concatenated-ranges.ts';
import { HashedKeys } from './hashed-keys.ts';
import { IntervalEnds } from './interval-ends.ts';
import type { Element, NftSet } from './state.ts';

/** What says which element is meant. */
export type ElementKey = Pick<Element, 'key' | 'keyEnd' | 'flags'>;

/** Elements by their keys, in one of the kernel's ways. */
export interface KeyStore extends Iterable<Element> {
  readonly size: number;
  /** The element with just this key. */
  find(key: ElementKey): Element | undefined;
  /** The element that is deleted by this key. */
  hit(key: ElementKey): Element | undefined;
  /** How many entries a set of a declared size has room for. */
  capacity(size: number): number;
  /** Whether the key runs into another one without being the same, as intervals do. */
  overlaps(key: ElementKey): boolean;
  /** Takes in an element whose key is neither there nor overlaps. */
  insert(element: Element): void;
  remove(element: Element): void;
}

/** The elements of a set: those with keys, and perhaps the catch-all. */
export class ElementStore {
  readonly #keys: KeyStore;
  #catchall: Element | undefined;

  /** An empty one, of the kind that holds such a set. */
  constructor({ flags, declared }: Pick<NftSet, 'flags' | 'declared'>) {
    const fields = (declared.description?.concat ?? []).map(({ length }) => length);
    this.#keys = !(flags & SET_FLAGS.interval)
      ? new HashedKeys()
      : fields.length > 1
        ? new ConcatenatedRanges(fields)
        : new IntervalEnds((flags & SET_FLAGS.anonymous) !== 0);
  }

  /** How many there are; the catch-all does not count. */
  get size(): number {
    return this.#keys.size;
  }

  find(key: ElementKey): Element | undefined {
    return isCatchall(key) ? this.#catchall : this.#keys.find(key);
  }

  hit(key: ElementKey): Element | undefined {
    return isCatchall(key) ? this.#catchall : this.#keys.hit(key);
  }

  capacity(size: number): number {
    return this.#keys.capacity(size);
  }

  overlaps(key: ElementKey): boolean {
    return !isCatchall(key) && this.#keys.overlaps(key);
  }

  insert(element: Element): void {
    if (isCatchall(element)) this.#catchall = element;
    else this.#keys.insert(element);
  }

  remove(element: Element): void {
    if (isCatchall(element)) this.#catchall = undefined;
    else this.#keys.remove(element);
  }

  *[Symbol.iterator](): Generator<Element, void, undefined> {
    yield* this.#keys;
    if (this.#catchall !== undefined) yield this.#catchall;
  }
}

function isCatchall({ flags }: ElementKey): boolean {
  return (flags & ELEMENT_FLAGS.catchall) !== 0;
}
