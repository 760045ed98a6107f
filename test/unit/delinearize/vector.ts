import { existsSync, readFileSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import {
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

/** A line of the conformance vectors. */
export interface Vector {
  readonly id: string;
  readonly family: FamilyName;
  readonly table: string;
  readonly sets: readonly (Omit<NamedSet, 'family' | 'table'> | Omit<NamedMap, 'family' | 'table'>)[];
  readonly expr: readonly Statement[];
  readonly expr_output: readonly Statement[] | null;
}

const file = process.env.NFTJS_VECTORS ?? new URL('../../../../shared/vectors', import.meta.url).pathname;

/** The vectors, or undefined where they are not there. */
export function readVectors(): readonly Vector[] | undefined {
  const path = `${file}/rules.jsonl`;
  if (!existsSync(path)) return undefined;
  const lines = readFileSync(path, 'utf8').split('\n').filter(Boolean);
  return lines.map((line) => JSON.parse(line) as Vector);
}

/** A set as a listing finds it: with the name that the kernel gave, its elements as bytes. */
export function asListed(set: SetDeclaration): KnownSet {
  const elements = set.elements?.map(
    ({ comment, open, joined: _joined, source: _source, ...element }): KernelElement => {
      const userdata = writeElementUserdata({ comment, open });
      return { ...element, ...(userdata && { userdata }) };
    },
  );
  const { id: _id, size: _size, ...rest } = set;
  return { ...rest, ...(elements && { elements }) };
}

/** Compiles rules of one vector's table. */
export function compilerOf(vector: Vector): (statements: readonly Statement[]) => CompiledRule {
  const sets = new Map<string, SetDeclaration>();
  let id = 0;
  const names = { set: (name: string) => sets.get(name), nextSetId: () => ++id };
  for (const set of vector.sets) {
    const scope = new Scope(vector.family, undefined, names, evaluate);
    const node = { family: vector.family, table: vector.table, ...set, timeout: undefined } as NamedSet;
    sets.set(set.name, declareNamedSet(node, scope, undefined));
  }
  return Object.assign(
    (statements: readonly Statement[]) => {
      id = sets.size;
      return compileRule(statements, vector.family, undefined, names);
    },
    { sets },
  );
}

/** Reads back what a compiler made. */
export function readBack(
  vector: Vector,
  compile: (statements: readonly Statement[]) => CompiledRule,
  compiled: CompiledRule,
  how: { readonly verified: boolean },
): Statement[] {
  const { sets: named } = compile as unknown as { sets: ReadonlyMap<string, SetDeclaration> };
  // Anonymous sets have names of their own once the kernel has made them.
  const anonymous = new Map(
    compiled.sets.map((set) => [set.id, { ...asListed(set), name: set.name.replace('%d', String(set.id)) }]),
  );
  const instructions = compiled.instructions.map((instruction) =>
    'setId' in instruction && instruction.setId !== undefined && anonymous.has(instruction.setId)
      ? { ...instruction, set: anonymous.get(instruction.setId)?.name as string }
      : instruction,
  );
  const known = new Map<string, KnownSet>([...anonymous.values()].map((set) => [set.name, set]));
  for (const [name, set] of named) known.set(name, asListed(set));
  return delinearizeRule(instructions, {
    family: vector.family,
    numericProtocol: true,
    set: (name) => known.get(name),
    ...(how.verified ? { faithful: (statements) => isSame(compile, statements, compiled) } : {}),
  });
}

/** Whether statements compile to the same instructions over the same sets. */
export function isSame(
  compile: (statements: readonly Statement[]) => CompiledRule,
  statements: readonly Statement[],
  compiled: CompiledRule,
): boolean {
  try {
    const again = compile(statements);
    return isDeepStrictEqual(comparable(again), comparable(compiled));
  } catch {
    return false;
  }
}

const bytesOf = (bytes: unknown) =>
  bytes instanceof Uint8Array ? Buffer.from(bytes).toString('hex') : bytes;

/** Without what may differ: the order of elements in a set, and which of the caller's they come from. */
function comparable({ sets, instructions }: CompiledRule) {
  const plain = (value: unknown) =>
    JSON.parse(JSON.stringify(value, (_key, v) => (typeof v === 'bigint' ? String(v) : bytesOf(v))));
  return {
    instructions: plain(instructions),
    sets: sets.map((set) => ({
      ...plain({
        ...set,
        key: set.key.map(({ bits, byteorder }) => [bits, byteorder]),
        data: undefined,
        elements: undefined,
      }),
      elements: (set.elements ?? [])
        .map((element) => JSON.stringify(plain({ ...element, source: undefined })))
        .sort(),
    })),
  };
}

/** What the vectors leave out: counters are without their numbers. */
export function normalise(statements: readonly Statement[]): unknown {
  return JSON.parse(
    JSON.stringify(statements, (key, value) => {
      if (typeof value === 'bigint') return String(value);
      return key === 'counter' && typeof value === 'object' && value !== null && 'packets' in value
        ? null
        : value;
    }),
  );
}
