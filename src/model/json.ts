import type { Ruleset } from './ruleset.ts';

/**
 * JSON's strings, keys with their colon, and numbers. JavaScript's own parser rounds integers above 2^53
 * and its writer refuses bigint, so on the way through they travel as strings that begin with NUL and `i`;
 * a real string that begins with NUL gets an `s` behind it.
 */
const TOKEN = /"[^"\\]*(?:\\.[^"\\]*)*"(\s*:)?|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;
const NUL = '\u0000';
const ESCAPED = '"\\u0000';

function unpack(_key: string, value: unknown): unknown {
  if (typeof value !== 'string' || !value.startsWith(NUL)) return value;
  return value[1] === 'i' ? BigInt(value.slice(2)) : NUL + value.slice(2);
}

/**
 * Reads libnftables JSON. Integers that a `number` cannot hold exactly become `bigint`.
 *
 * The shape is not checked: whatever takes the ruleset says what it cannot read, and where.
 *
 * @throws SyntaxError when the text is not JSON
 */
export function parse(text: string): Ruleset {
  if (!/\d{16}/.test(text)) return JSON.parse(text);
  const packed = text.replace(TOKEN, (token, key?: string) => {
    if (key) return token;
    if (token.startsWith(ESCAPED)) return `${ESCAPED}s${token.slice(ESCAPED.length)}`;
    if (token.startsWith('"')) return token;
    return /[.eE]/.test(token) || Number.isSafeInteger(Number(token)) ? token : `${ESCAPED}i${token}"`;
  });
  return JSON.parse(packed, unpack);
}

/**
 * Writes libnftables JSON, `bigint` as integers: the inverse of {@link parse}.
 *
 * @param indent - spaces for each level; all in one line where left out
 */
export function stringify(value: object, indent?: number): string {
  const pack = (_key: string, part: unknown) => {
    if (typeof part === 'bigint') return `${NUL}i${part}`;
    return typeof part === 'string' && part.startsWith(NUL) ? `${NUL}s${part.slice(1)}` : part;
  };
  return JSON.stringify(value, pack, indent).replace(TOKEN, (token, key?: string) => {
    if (key || !token.startsWith(ESCAPED)) return token;
    const rest = token.slice(ESCAPED.length + 1);
    return token[ESCAPED.length] === 'i' ? rest.slice(0, -1) : ESCAPED + rest;
  });
}
