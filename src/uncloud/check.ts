import { cidr, type Prefix } from './address.ts';
import { Refused } from './problem.ts';

/** Validation steps: each returns its value with the type it proved, or throws {@link Refused} with the path. */

export type Fields = Readonly<Record<string, unknown>>;

/** A plain object with no keys other than `known` (any, where that is left out). */
export function object(value: unknown, path: string, known?: readonly string[]): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new Refused(path, 'not an object');
  }
  const stranger = known && Object.keys(value).find((key) => !known.includes(key));
  if (stranger !== undefined) throw new Refused(`${path}${member(stranger)}`, 'an unknown key');
  return value as Fields;
}

/** An array of at most `most` members, absent: none. */
export function list(value: unknown, path: string, most: number): readonly unknown[] {
  if (value === undefined) return [];
  if (!Array.isArray(value)) throw new Refused(path, 'not a list');
  if (value.length > most) throw new Refused(path, `${value.length} members, at most ${most} are allowed`);
  return value;
}

export function text(value: unknown, path: string): string {
  if (typeof value !== 'string') throw new Refused(path, 'not a string');
  return value;
}

/** One of a few words; absent: the first. */
export function word<W extends string>(value: unknown, path: string, words: readonly [W, ...W[]]): W {
  if (value === undefined) return words[0];
  if (!words.includes(value as W)) throw new Refused(path, `not one of ${words.join(', ')}`);
  return value as W;
}

export function version(value: unknown, path: string): void {
  if (value !== undefined && value !== 1) throw new Refused(path, 'an unknown version (1 is known)');
}

/**
 * The name of an interface: 1 to 15 bytes without `*`, `/`, `:`, quotes, backslash, space or control
 * characters, and no `@` in front, which in a ruleset would name a set.
 */
export function ifname(value: unknown, path: string): string {
  const name = text(value, path);
  const bytes = Buffer.byteLength(name);
  if (bytes < 1 || bytes > 15) throw new Refused(path, 'an interface name has 1 to 15 bytes');
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused here
  const [character] = /^@|[*/:"\\\s\u0000-\u001f\u007f]/u.exec(name) ?? [];
  if (character !== undefined) {
    throw new Refused(path, `an interface name with ${JSON.stringify(character)}`);
  }
  if (name === '.' || name === '..') throw new Refused(path, `${name} is no interface`);
  return name;
}

/** A unicast MAC, in lower case. */
export function mac(value: unknown, path: string): string {
  const address = text(value, path).toLowerCase();
  if (!/^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/.test(address))
    throw new Refused(path, 'not a MAC (xx:xx:xx:xx:xx:xx)');
  if (Number.parseInt(address.slice(0, 2), 16) & 1) throw new Refused(path, 'a multicast MAC');
  if (address === '00:00:00:00:00:00') throw new Refused(path, 'the MAC of nobody');
  return address;
}

/** Runs a parser that throws TypeError and adds the path. */
export function parsed<T>(path: string, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    if (error instanceof TypeError) throw new Refused(path, error.message);
    throw error;
  }
}

/** `key` as a step of a path. */
export function member(key: string): string {
  return /^[A-Za-z_]\w*$/.test(key) ? `.${key}` : `[${JSON.stringify(key)}]`;
}

/** The name of a group, filter or variable. */
export function name(value: unknown, path: string): string {
  const known = text(value, path);
  if (!/^[A-Za-z0-9._-]{1,64}$/.test(known)) {
    throw new Refused(path, 'a name has 1 to 64 of A-Z, a-z, 0-9, ".", "_" and "-"');
  }
  return known;
}

/**
 * Reads an address or a block of the other end: whatever is canonical, everything included.
 *
 * @throws TypeError for anything else
 */
export function peerBlock(value: string): Prefix {
  return cidr(value.includes('/') ? value : `${value}/${value.includes(':') ? 128 : 32}`);
}

/** `name` as a part of a chain's or set's name: what nft would not read is written in hexadecimal. */
export function identifier(name: string): string {
  return name.replace(/[^A-Za-z0-9_]/g, (c) => `.${c.charCodeAt(0).toString(16).padStart(2, '0')}`);
}
