import type { Typed } from '../bytecode/index.ts';
import { CompileError, type Path } from './error.ts';
import { bytesFor, type Expr } from './expr.ts';

/**
 * Makes sure that a statement can use a value where it needs one of type `want`: numbers that have no type of
 * their own go anywhere; a mark takes whatever is a number.
 */
export function checkArgument(value: Expr | Typed, want: Typed, path: Path | undefined): void {
  const values = 'parts' in value ? value.parts : [value];
  const wants = 'parts' in want ? (want.parts as readonly Typed[]) : [want];
  const fitting = values.length > 1 ? isSame : fits;
  if (values.length === wants.length && values.every((part, i) => fitting(part, wants[i] as Typed))) return;
  const names = (parts: readonly Typed[]) => parts.map(({ type }) => type.name).join(' . ');
  throw new CompileError(path, `a ${names(wants)} belongs here, not a ${names(values)}`);
}

/** Whether both are of one type, and where that has no width of its own, equally wide. */
export function isSame(value: Typed, want: Typed): boolean {
  if (value.type.id !== want.type.id) return false;
  return value.type.bits !== 0 || bytesFor(value.bits) === bytesFor(want.bits);
}

function fits(value: Typed, want: Typed): boolean {
  if (value.type.base === 'string' || want.type.base === 'string') return value.type.base === want.type.base;
  if (value.type.id === want.type.id) return true;
  if (value.type.name === 'integer') return bytesFor(value.bits) <= bytesFor(want.bits);
  return want.type.name === 'mark' && value.type.base === 'integer' && value.bits <= want.bits;
}
