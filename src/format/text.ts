import { stringify } from '../model/index.ts';

/** Something that nft syntax has no words for, such as an opaque instruction or a quotation mark in a comment. */
export class NotInSyntax extends Error {
  override readonly name = 'NotInSyntax';
}

/** Text in nft's quotes, which know no escapes: a quotation mark or a line break inside would end it. */
export function quoted(text: string): string {
  if (/["\n\0]/.test(text)) throw new NotInSyntax(`nft has no way to write ${JSON.stringify(text)}`);
  return `"${text}"`;
}

const nameInSyntax = /^[A-Za-z_.][A-Za-z0-9/\\_.-]*$/;

const strings = /"[^"]*"/g;

/**
 * Text that ends where it should: outside of quotes no character of it begins something else. Words that
 * the types allow pass; this is for data that was never checked against the types.
 */
export function checked(text: string): string {
  if (/[\n;#"]/.test(text.replace(strings, ''))) throw new NotInSyntax(`nft would not read all of ${text}`);
  return text;
}

/** The name of a table, chain, set …, which nft writes without quotes. */
export function name(text: string): string {
  if (!nameInSyntax.test(text)) throw new NotInSyntax(`${JSON.stringify(text)} is no name to nft`);
  return text;
}

/** One or several of something, as libnftables JSON writes flags and devices. */
export function listOf<T>(value: T | readonly T[] | undefined): readonly T[] {
  if (value === undefined) return [];
  return Array.isArray(value) ? value : [value as T];
}

/**
 * The text of `value`, or what stands for it where nft syntax cannot say it: one line of comment, so that
 * nft skips it instead of reading something else.
 */
export function orComment(value: object, format: () => string): string {
  try {
    return format();
  } catch (error) {
    if (error instanceof NotInSyntax) return `# not in nft syntax: ${stringify(value)}`;
    throw error;
  }
}

/** Lines, each indented by one more tab; lines inside them too. */
export function indented(lines: readonly string[]): string[] {
  return lines.map((line) => line.replace(/^(?=.)/gm, '\t'));
}

/** A block: `head {`, the lines, `}`. */
export function block(head: string, lines: readonly string[], handle = ''): string {
  return [`${head} {${handle}`, ...indented(lines), '}'].join('\n');
}

/** A device in a list of them, where quotes are for names that would mean something else without. */
export function deviceName(device: string): string {
  return nameInSyntax.test(device) ? device : quoted(device);
}
