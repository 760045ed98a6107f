import { type Instruction, type KnownSet, SET_FLAGS, type Typed } from '../../bytecode/index.ts';
import type { Expression, Statement } from '../../model/index.ts';
import type { Describer } from '../describer.ts';
import { templateStatement } from '../stateful.ts';
import { knownSet, type StatementReaders } from '../step.ts';
import { Inexpressible, type Term } from '../term.ts';

/** NFT_DYNSET_F_EXPR */
const SEVERAL = 2;

/** The key that an element gets; unlike one that is looked up, it may have constant parts. */
function keyOf(key: Term, parts: readonly Typed[], describer: Describer): Expression {
  const terms = key.kind === 'concat' ? key.parts : [key];
  if (terms.every((term) => term.kind !== 'constant')) return describer.describe(key).node;
  const nodes = terms.map((term, i): Expression => {
    const want = parts[i];
    if (want === undefined) throw new Inexpressible('more parts than the set has');
    return term.kind === 'constant' ? describer.constant(term.bytes, want) : describer.describe(term).node;
  });
  return key.kind === 'concat' ? { concat: nodes } : (nodes[0] as Expression);
}

/** A set that a rule fills and that only this rule has. */
function isMeter({ flags }: KnownSet): boolean {
  return (flags & SET_FLAGS.anonymous) !== 0 && (flags & SET_FLAGS.eval) !== 0;
}

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
        const node = keyOf(key, set.key, describer);
        const elem: Expression = !timeout ? node : { elem: { val: node, timeout: Number(timeout / 1000n) } };
        const carries = stmt.length === 0 ? {} : { stmt };
        const [own, more] = stmt;
        if (isMeter(set) && own !== undefined && more === undefined && data === undefined) {
          const size = set.size === undefined ? {} : { size: set.size };
          describer.push({ meter: { key: elem, stmt: own, ...size, name: set.name } });
          return;
        }
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
