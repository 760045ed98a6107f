import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import {
  elementsOf,
  type Instruction,
  instructionData,
  type KernelElement,
  type KnownSet,
  type SetDeclaration,
  writeElementUserdata,
} from '../../../src/bytecode/index.ts';
import { delinearizeRule } from '../../../src/delinearize/index.ts';
import {
  type CompiledRule,
  compileRule,
  declareNamedSet,
  evaluate,
  Scope,
} from '../../../src/linearize/index.ts';
import type { NamedMap, NamedSet, Statement } from '../../../src/model/index.ts';
import type { FamilyName } from '../../../src/protocol/index.ts';
import { vectorsDirectory } from '../../support/requirements.ts';

/** A line of the conformance vectors. */
export interface Vector {
  readonly id: string;
  readonly family: FamilyName;
  readonly table: string;
  readonly sets: readonly (Omit<NamedSet, 'family' | 'table'> | Omit<NamedMap, 'family' | 'table'>)[];
  readonly expr: readonly Statement[];
  readonly expr_output: readonly Statement[] | null;
}

export function readVectors(): readonly Vector[] {
  const lines = readFileSync(join(vectorsDirectory, 'rules.jsonl'), 'utf8').split('\n');
  return lines.filter(Boolean).map((line) => JSON.parse(line) as Vector);
}

/** Compiles rules of one vector's table. */
export interface Compiler {
  readonly compile: (statements: readonly Statement[]) => CompiledRule;
  readonly named: readonly SetDeclaration[];
}

/** @throws CompileError when a set of the vector cannot be declared */
export function compilerOf({ family, table, sets }: Pick<Vector, 'family' | 'table' | 'sets'>): Compiler {
  const named = new Map<string, SetDeclaration>();
  let id = 0;
  const names = { set: (name: string) => named.get(name), nextSetId: () => ++id };
  for (const set of sets) {
    const scope = new Scope(family, undefined, names, evaluate);
    named.set(set.name, declareNamedSet({ family, table, ...set } as NamedSet, scope, undefined));
  }
  return {
    named: [...named.values()],
    compile: (statements) => {
      id = named.size;
      return compileRule(statements, family, undefined, names);
    },
  };
}

/** What a listing finds of a rule: its instructions, and its anonymous sets with the names that the kernel gave. */
export interface ListedRule {
  readonly instructions: readonly Instruction[];
  readonly sets: readonly KnownSet[];
}

export function asListed({ sets, instructions }: CompiledRule): ListedRule {
  const names = new Map(sets.map((set) => [set.id, set.name.replace('%d', String(set.id))]));
  return {
    sets: sets.map((set) => ({ ...listedSet(set), name: names.get(set.id) as string })),
    instructions: instructions.map((instruction) => {
      if (!('setId' in instruction) || instruction.setId === undefined) return instruction;
      const set = names.get(instruction.setId) ?? instruction.set;
      return { ...instruction, set, setId: undefined } as Instruction;
    }),
  };
}

function listedSet(set: SetDeclaration): KnownSet {
  const { id: _id, size: _size, elements, ...rest } = set;
  const told = elementsOf(elements).map(
    ({ comment, open, joined: _joined, source: _source, ...element }): KernelElement => {
      const userdata = writeElementUserdata({ comment, open });
      return { ...element, ...(userdata && { userdata }) };
    },
  );
  return { ...rest, ...(elements && { elements: told }) };
}

/** Reads back what a compiler made; `verified` lets the reading be checked by compiling it. */
export function readBack(
  family: FamilyName,
  compiler: Compiler,
  compiled: CompiledRule,
  { verified }: { readonly verified: boolean },
): Statement[] {
  const { instructions, sets } = asListed(compiled);
  const known = new Map([...sets, ...compiler.named.map(listedSet)].map((set) => [set.name, set]));
  return delinearizeRule(instructions, {
    family,
    numericProtocol: true,
    set: (name) => known.get(name),
    ...(verified ? { faithful: (statements) => isSame(compiler, statements, compiled) } : {}),
  });
}

/** Whether statements compile to the same bytes, over the same anonymous sets. */
export function isSame(
  compiler: Compiler,
  statements: readonly Statement[],
  compiled: CompiledRule,
): boolean {
  try {
    const again = asListed(compiler.compile(statements));
    const before = asListed(compiled);
    return isDeepStrictEqual(wire(again), wire(before)) && isDeepStrictEqual(setsOf(again), setsOf(before));
  } catch {
    return false;
  }
}

/** The name and bytes of each instruction. */
export function wire({ instructions }: Pick<ListedRule, 'instructions'>): string[] {
  return instructions.map((instruction) => {
    const name = instruction.name === 'opaque' ? instruction.expression : instruction.name;
    return `${name} ${Buffer.from(instructionData(instruction) ?? []).toString('hex')}`;
  });
}

const asText = (_key: string, value: unknown) =>
  typeof value === 'bigint'
    ? String(value)
    : value instanceof Uint8Array
      ? Buffer.from(value).toString('hex')
      : value;

/** Anonymous sets as far as the kernel sees them: the order of elements means nothing. */
function setsOf({ sets }: ListedRule): unknown {
  return sets.map(({ name, flags, key, elements = [] }) => ({
    name,
    flags,
    key: key.map(({ bits, byteorder }) => [bits, byteorder]),
    elements: elements.map((element) => JSON.stringify(element, asText)).sort(),
  }));
}

/** As the vectors have it: counters are without their numbers. */
export function withoutState(statements: readonly Statement[]): unknown {
  return JSON.parse(
    JSON.stringify(statements, (key, value) => {
      if (typeof value === 'bigint') return String(value);
      return key === 'counter' && typeof value === 'object' && value !== null && 'packets' in value
        ? null
        : value;
    }),
  );
}
