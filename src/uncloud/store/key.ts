import { StoreError } from './error.ts';

const MOST_BYTES = 200;
/** No host has a longer path for what it keeps in files. */
const MOST_NAME_BYTES = 120;

/**
 * Refuses what cannot be a key in every store: see {@link Store}.
 *
 * @throws StoreError `invalid`
 */
export function checkKey(key: string): void {
  const wrong = (why: string) => new StoreError('invalid', `${JSON.stringify(key)} is no key: ${why}`);
  if (typeof key !== 'string') throw new StoreError('invalid', 'a key is a string');
  if (Buffer.byteLength(key) > MOST_BYTES) throw wrong(`more than ${MOST_BYTES} bytes`);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused here
  if (/[\u0000-\u001f\u007f\\]/.test(key)) throw wrong('control characters or a backslash');
  for (const name of key.split('/')) {
    if (name === '') throw wrong('an empty name between slashes');
    if (name.startsWith('.')) throw wrong('a name that begins with a dot');
    if (Buffer.byteLength(name) > MOST_NAME_BYTES)
      throw wrong(`a name of more than ${MOST_NAME_BYTES} bytes`);
  }
}
