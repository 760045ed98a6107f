import { CompileError, type Path } from './error.ts';

/** Bytes of a comment, before its closing zero (NFTNL_UDATA_COMMENT_MAXLEN). */
const MAX_COMMENT = 128;

/** What is said of an object or element, where anything is. */
export function checkComment(text: unknown, path: Path): string | undefined {
  if (text === undefined) return undefined;
  if (typeof text === 'string' && !text.includes('\0') && Buffer.byteLength(text) <= MAX_COMMENT) return text;
  throw new CompileError(path, `expected text of at most ${MAX_COMMENT} bytes`);
}
