import type { Typed } from '../bytecode/index.ts';
import type { Expression } from '../model/index.ts';
import { CompileError, type Path } from './error.ts';
import type { Expr } from './expr.ts';
import type { Scope } from './scope.ts';

const REFUSED = { verdict: 'a verdict', set: 'a set', range: 'a range', prefix: 'a prefix' } as const;

/** An expression whose value a register can hold. */
export function evaluateLoadable(node: Expression, scope: Scope, path: Path | undefined, want?: Typed): Expr {
  const expr = scope.evaluate(node, path, want);
  if (expr.kind === 'concat') for (const part of expr.parts) mustBeSingle(part, path);
  else mustBeSingle(expr, path);
  if (expr.kind === 'map' && expr.set.data?.kind === 'value' && expr.set.data.interval) {
    throw new CompileError(
      path,
      'single values belong into this map: only addresses and ports are translated to ranges',
    );
  }
  return expr;
}

function mustBeSingle({ kind }: Expr, path: Path | undefined): void {
  if (!Object.hasOwn(REFUSED, kind)) return;
  throw new CompileError(path, `a single value belongs here, not ${REFUSED[kind as keyof typeof REFUSED]}`);
}
