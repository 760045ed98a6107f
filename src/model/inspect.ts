/** `util.inspect.custom`, which is registered so that none need import Node's util. */
const CUSTOM = Symbol.for('nodejs.util.inspect.custom');

type Options = Readonly<Record<string, unknown>>;
/** Something of the model as text; undefined where there are no words for it. */
export type Words = (thing: object, options: Options) => string | undefined;

let words: Words = () => undefined;

/** Says how things of the model are shown. What writes nft syntax stands above the model, and tells it this. */
export function showWith(how: Words): void {
  words = how;
}

/** What `util.inspect` calls: see {@link shown}. */
export function show(
  this: object,
  _depth: number,
  options: Options,
  inspect: (value: unknown, options: Options) => string,
): string {
  const data: unknown = 'toJSON' in this && typeof this.toJSON === 'function' ? this.toJSON() : this;
  if (typeof data !== 'object' || data === null) return inspect(data, options);
  return words(data, options) ?? inspect({ ...data }, options);
}

const property = { value: show };

/**
 * Has `util.inspect`, and so `console.log`, show something of the model in nft syntax. To everything else it
 * stays the plain data that it is: it compares, clones, spreads and serializes as before.
 */
export function shown<T extends object>(thing: T): T {
  return Object.defineProperty(thing, CUSTOM, property);
}
