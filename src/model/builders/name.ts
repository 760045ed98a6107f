import { ModelError } from '../error.ts';

const NAME_MAX = 255;
const COMMENT_MAX = 128;

/**
 * The name itself, if the kernel can take it: 1 to 255 bytes, no NUL.
 *
 * @throws ModelError
 */
export function checkName(kind: string, name: string): string {
  if (typeof name !== 'string' || name === '') throw new ModelError(`a ${kind} needs a name`);
  if (name.includes('\0')) throw new ModelError(`${kind} name ${JSON.stringify(name)} contains NUL`);
  const bytes = Buffer.byteLength(name);
  if (bytes > NAME_MAX) {
    throw new ModelError(`${kind} name of ${bytes} bytes is too long: at most ${NAME_MAX}`);
  }
  return name;
}

/**
 * The comment itself, if it is no longer than nft allows: 128 bytes.
 *
 * @throws ModelError
 */
export function checkComment(text: string): string {
  const bytes = Buffer.byteLength(text);
  if (bytes > COMMENT_MAX)
    throw new ModelError(`comment of ${bytes} bytes is too long: at most ${COMMENT_MAX}`);
  return text;
}
