import { CompileError, type Path } from './error.ts';

/** The kernel's longest name (NFT_NAME_MAXLEN), less its closing zero. */
const MAX_NAME = 255;

/** The name of a table, a chain, a set or another object, or one for which the kernel has less room. */
export function checkName(name: unknown, path: Path | undefined, room = MAX_NAME): string {
  const fits =
    typeof name === 'string' && name !== '' && !name.includes('\0') && Buffer.byteLength(name) <= room;
  if (fits) return name;
  throw new CompileError(path, `expected a name of 1 to ${room} bytes`);
}
