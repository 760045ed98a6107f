import { writeComment } from '../bytecode/index.ts';
import { at, CompileError } from '../linearize/index.ts';
import type { ParsedCommand } from './command.ts';

/** Bytes of a comment, before its closing zero (nft's limit). */
const MAX_COMMENT = 128;

/** The comment of an object, as userdata. */
export function comment(command: ParsedCommand): { userdata?: Uint8Array } {
  const text = commentText(command);
  return text === undefined ? {} : { userdata: writeComment(text) };
}

/** The comment of an object. */
export function commentText({ node, path }: ParsedCommand): string | undefined {
  const text = node.comment;
  if (text === undefined) return undefined;
  if (typeof text !== 'string' || Buffer.byteLength(text) > MAX_COMMENT) {
    throw new CompileError(at(path, 'comment'), `expected text of at most ${MAX_COMMENT} bytes`);
  }
  return text;
}
