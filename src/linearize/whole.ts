import { CompileError, type Path } from './error.ts';

/** A whole number from `least` to `greatest`. */
export function whole(value: number | bigint, greatest: number, path: Path, least = 0): number {
  const number = Number(value);
  if (Number.isInteger(number) && number >= least && number <= greatest) return number;
  throw new CompileError(path, `expected a whole number from ${least} to ${greatest}`);
}

export const MAX_8 = 0xff;
export const MAX_16 = 0xffff;
export const MAX_32 = 0xffff_ffff;
