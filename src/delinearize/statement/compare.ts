import { SET_FLAGS, VERDICT } from '../../bytecode/index.ts';
import { between, compare, member } from '../match.ts';
import { knownSet, type StatementReaders } from '../step.ts';
import { Inexpressible } from '../term.ts';

const INVERTED = 1;

/** What breaks the rule off, or decides. */
export const comparisons: StatementReaders = {
  cmp: ({ sreg, op, data }, { registers }) => {
    const term = registers.read(sreg);
    return { terms: [term], run: (describer) => compare(term, op, data, describer) };
  },
  range: ({ sreg, op, from, to }, { registers }) => {
    const term = registers.read(sreg);
    return { terms: [term], run: (describer) => between(term, op === 'neq', from, to, describer) };
  },
  lookup: (instruction, reading) => {
    const set = knownSet(instruction.set, reading);
    const key = reading.registers.readParts(instruction.sreg, set.key);
    const flags = instruction.flags ?? 0;
    if (instruction.dreg === VERDICT && flags === 0) {
      return {
        terms: [key],
        run: (describer) => describer.verdict({ kind: 'map', key, set, from: key.from }),
      };
    }
    if (instruction.dreg !== undefined || flags > INVERTED) throw new Inexpressible('unknown flags');
    if (set.flags & SET_FLAGS.map && set.flags & SET_FLAGS.anonymous)
      throw new Inexpressible('a map as a set');
    return { terms: [key], run: (describer) => member(key, set, flags === INVERTED, describer) };
  },
  immediate: ({ dreg, data }) => {
    if (dreg !== VERDICT || data instanceof Uint8Array) throw new Inexpressible('no verdict');
    return { terms: [], run: (describer) => describer.verdict({ kind: 'verdict', verdict: data, from: [] }) };
  },
};
