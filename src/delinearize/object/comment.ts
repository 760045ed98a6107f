import { readComment } from '../../bytecode/index.ts';

/** The comment that userdata holds, where it holds one. */
export function commentIn(userdata: Uint8Array | undefined): { comment?: string } {
  const comment = userdata && readComment(userdata);
  return comment === undefined ? {} : { comment };
}
