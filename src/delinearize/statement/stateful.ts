import type { Instruction } from '../../bytecode/index.ts';
import { OBJECT_TYPES, type ObjectType } from '../../bytecode/index.ts';
import type { Expression, Statement } from '../../model/index.ts';
import type { Describer } from '../describer.ts';
import { statefulStatement } from '../stateful.ts';
import { knownSet, type StatementReaders } from '../step.ts';
import { Inexpressible } from '../term.ts';

const own = (instruction: Instruction) => {
  const statement = statefulStatement(instruction);
  return { terms: [], run: (describer: Describer) => void describer.push(statement) };
};

/** The key of the statement that refers to a kind of object. */
function statementKey(type: ObjectType): string {
  if (type === 'connlimit') throw new Inexpressible('no statement refers to such an object');
  return type;
}

/** Counters and the like: of the rule's own, or named objects. */
export const statefulReaders: StatementReaders = {
  counter: own,
  limit: own,
  quota: own,
  last: own,
  connlimit: own,
  objref: (instruction, reading) => {
    const { type, object, sreg, set: name } = instruction;
    if (sreg === undefined || name === undefined) {
      const kind = (Object.keys(OBJECT_TYPES) as ObjectType[]).find((key) => OBJECT_TYPES[key] === type);
      if (kind === undefined || object === undefined) throw new Inexpressible('an unknown kind of object');
      const statement = { [statementKey(kind)]: object } as unknown as Statement;
      return { terms: [], run: (describer) => void describer.push(statement) };
    }
    const set = knownSet(name, reading);
    const { data } = set;
    if (data?.kind !== 'object') throw new Inexpressible('the map holds no objects');
    const key = reading.registers.readParts(sreg, set.key);
    return {
      terms: [key],
      run: (describer) => {
        const described = describer.describe(key);
        const map: Expression = {
          map: { key: described.node, data: describer.setReference(set, described) },
        };
        describer.push({ [statementKey(data.object)]: map } as unknown as Statement);
      },
    };
  },
};
