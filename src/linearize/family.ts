import type { FamilyName } from '../protocol/index.ts';
import { CompileError, type Path } from './error.ts';
import type { Scope } from './scope.ts';

/** Refuses what the family of the table does not have. */
export function requireFamily(what: string, families: readonly FamilyName[], scope: Scope, path: Path): void {
  if (families.includes(scope.family)) return;
  throw new CompileError(
    path,
    `${what} is for the families ${families.join(', ')}, and the table's is ${scope.family}`,
  );
}
