import { type CompileLine, compileLine } from '../../../src/format/compile-line.ts';
import { CompileError } from '../../../src/linearize/index.ts';

/** What the compiler gets beside the statements. */
export type Around = Partial<Omit<CompileLine, 'expr'>>;

/** The instructions of a rule, as text. */
export function bytecode(expr: unknown, around: Around = {}): string[] {
  const line = { family: 'inet', table: 't', chain: 'c', ...around, expr } as unknown as CompileLine;
  return compileLine(line).flatMap((text) => (text.startsWith('[') ? [text] : []));
}

/** Where a rule is refused and why. */
export function refusal(expr: unknown, around: Around = {}): { path: string; reason: string } | undefined {
  try {
    bytecode(expr, around);
    return undefined;
  } catch (error) {
    if (error instanceof CompileError) return { path: error.path, reason: error.reason };
    throw error;
  }
}
