import { writeComment } from '../bytecode/index.ts';
import { at, checkComment } from '../linearize/index.ts';
import type { ParsedCommand } from './command.ts';

/** The comment of an object, as userdata. */
export function comment(command: ParsedCommand): { userdata?: Uint8Array } {
  const text = commentText(command);
  return text === undefined ? {} : { userdata: writeComment(text) };
}

/** The comment of an object. */
export function commentText({ node, path }: ParsedCommand): string | undefined {
  return checkComment(node.comment, at(path, 'comment'));
}
