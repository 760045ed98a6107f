import type { VerdictData } from '../bytecode/index.ts';
import { datatype } from '../datatype/index.ts';
import { at, type Path } from './error.ts';
import type { Verdict } from './expr.ts';
import { checkName } from './name.ts';

const PLAIN = ['accept', 'drop', 'continue', 'return'] as const;

/** The names of the verdict statements. */
export const verdicts: readonly string[] = [...PLAIN, 'jump', 'goto'];

/** `{ accept: null }`, `{ jump: { target } }` … */
export function evaluateVerdict(name: string, node: unknown, path: Path | undefined): Verdict {
  return {
    kind: 'verdict',
    type: datatype('verdict'),
    bits: 128,
    byteorder: 'host',
    verdict: verdictData(name, node, path),
  };
}

function verdictData(name: string, node: unknown, path: Path | undefined): VerdictData {
  const plain = PLAIN.find((verdict) => verdict === name);
  if (plain !== undefined) return { code: plain };
  const target = (node as { target?: unknown } | null)?.target;
  return { code: name as 'jump' | 'goto', chain: checkName(target, at(at(path, name), 'target')) };
}
