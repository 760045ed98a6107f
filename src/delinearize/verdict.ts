import type { VerdictData } from '../bytecode/index.ts';
import type { Verdict } from '../model/index.ts';
import { Inexpressible } from './term.ts';

/** A verdict as statement, or as data of a verdict map. */
export function verdictStatement({ code, chain }: VerdictData): Verdict {
  switch (code) {
    case 'accept':
    case 'drop':
    case 'continue':
    case 'return':
      if (chain === undefined) return { [code]: null } as unknown as Verdict;
      break;
    case 'jump':
    case 'goto':
      if (chain !== undefined) return { [code]: { target: chain } } as unknown as Verdict;
      break;
  }
  throw new Inexpressible(`no statement gives the verdict ${code}`);
}
