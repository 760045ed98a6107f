import type { Instruction } from '../../bytecode/index.ts';
import type { Expression, Statement } from '../../model/index.ts';
import { templateStatement } from '../stateful.ts';
import { knownSet, type StatementReaders } from '../step.ts';
import { Inexpressible, type Term } from '../term.ts';

/** NFT_DYNSET_F_EXPR */
const SEVERAL = 2;

export const setUpdateReaders: StatementReaders = {
  dynset: (instruction, reading) => {
    const { op, timeout, flags = 0, sregData } = instruction;
    if (flags & ~SEVERAL) throw new Inexpressible('unknown flags');
    const set = knownSet(instruction.set, reading);
    const key = reading.registers.readParts(instruction.sregKey, set.key);
    const parts = set.data?.kind === 'value' ? set.data.parts : [];
    const data = sregData === undefined ? undefined : reading.registers.readParts(sregData, parts);
    const carried = instruction.expressions ?? (instruction.expression ? [instruction.expression] : []);
    const stmt = carried.map((nested) => templateStatement(nested as Instruction));
    const terms: Term[] = data ? [key, data] : [key];
    return {
      terms,
      run: (describer) => {
        const { node } = describer.describe(key);
        const elem: Expression = !timeout ? node : { elem: { val: node, timeout: Number(timeout / 1000n) } };
        const carries = stmt.length === 0 ? {} : { stmt };
        if (data === undefined) {
          describer.push({ set: { op, elem, set: `@${set.name}`, ...carries } });
          return;
        }
        const [want] = parts;
        if (want === undefined) throw new Inexpressible('the values of the map are not known');
        const value: Expression =
          data.kind === 'concat'
            ? { concat: data.parts.map((part, i) => describer.value(part, parts[i] ?? want)) }
            : describer.value(data, want);
        describer.push({ map: { op, elem, data: value, map: `@${set.name}`, ...carries } } as Statement);
      },
    };
  },
};
