import { isDeepStrictEqual } from 'node:util';
import {
  essence,
  type Instruction,
  type IsNamed,
  type KnownSet,
  readInstruction,
  SET_FLAGS,
  type SetDeclaration,
  writeInstruction,
} from '../bytecode/index.ts';
import { type FlowContext, flowOf } from '../delinearize/index.ts';
import { type CompiledRule, CompileError, compileRule } from '../linearize/index.ts';
import type { Chain, Family, Statement } from '../model/index.ts';
import { AttributeWriter } from '../wire/attribute-writer.ts';

/** What a rule that was read stands among. */
export interface RulePlace {
  readonly family: Family;
  readonly chain: Chain;
  set(name: string): KnownSet | undefined;
}

/** Gives the sets that a rule makes for itself names by which they can be told apart. */
function withOwnNames({ instructions, sets }: CompiledRule): {
  readonly instructions: readonly Instruction[];
  readonly own: ReadonlyMap<string, KnownSet>;
} {
  const own = new Map(sets.map((set) => [ownName(set.id), set as unknown as KnownSet]));
  const named = instructions.map((instruction) =>
    'setId' in instruction && own.has(ownName(instruction.setId))
      ? { ...instruction, set: ownName(instruction.setId) }
      : instruction,
  );
  return { instructions: named, own };
}

/** No set's name holds a zero. */
const ownName = (id: number | undefined) => `\0${id}`;

/** A rule whose instructions are all read as the kernel's are: a statement may have kept one as it was. */
function decoded({ sets, instructions }: CompiledRule): CompiledRule {
  if (!instructions.some(({ name }) => name === 'opaque')) return { sets, instructions };
  const read = (instruction: Instruction) => {
    if (instruction.name !== 'opaque') return instruction;
    const writer = new AttributeWriter();
    writeInstruction(writer, instruction);
    return readInstruction(writer.bytes().slice());
  };
  return { sets, instructions: instructions.map(read) };
}

/** Whether compiling what was read gives instructions that do the same again. */
export function isFaithful(
  statements: readonly Statement[],
  instructions: readonly Instruction[],
  place: RulePlace,
): boolean {
  let id = 0;
  const names = {
    set: (name: string) => place.set(name) as SetDeclaration | undefined,
    nextSetId: () => ++id,
  };
  const isNamed = (name: string) => {
    const known = place.set(name);
    return known !== undefined && !(known.flags & SET_FLAGS.anonymous);
  };
  const isSame = (keepsSets: boolean) => {
    const compiled = decoded(compileRule(statements, place.family, place.chain, { ...names, keepsSets }));
    return (
      inStep(compiled.instructions, instructions, isNamed) ||
      inFlow(compiled, instructions, { ...place, isNamed })
    );
  };
  try {
    // nft looks up in a set what was several elements when it was written, and is one now.
    return isSame(false) || isSame(true);
  } catch (error) {
    if (error instanceof CompileError) return false;
    throw error;
  }
}

/** Whether each instruction does what the other one in its place does: nearly always, and quickly told. */
function inStep(some: readonly Instruction[], others: readonly Instruction[], isNamed: IsNamed): boolean {
  return (
    some.length === others.length &&
    some.every((one, i) => {
      const other = others[i] as Instruction;
      if (one.name !== other.name) return false;
      return isEqual(one, other) || essence(one, isNamed) === essence(other, isNamed);
    })
  );
}

/** Whether two instructions are the same to the letter. Those that name sets are not: names may be chance. */
function isEqual(one: Instruction, other: Instruction): boolean {
  if ('set' in one) return false;
  const [some, others] = [one, other] as unknown as Record<string, unknown>[];
  for (const key in others) if (!isSameValue(some?.[key], others[key])) return false;
  for (const key in some) if (some[key] !== undefined && !(key in (others as object))) return false;
  return true;
}

function isSameValue(one: unknown, other: unknown): boolean {
  if (one === other) return true;
  if (one instanceof Uint8Array)
    return (
      other instanceof Uint8Array && one.length === other.length && one.every((byte, i) => byte === other[i])
    );
  return typeof one === 'object' && isDeepStrictEqual(one, other);
}

/** Whether the same is done with the same values, in whatever registers they are. */
function inFlow(compiled: CompiledRule, instructions: readonly Instruction[], context: FlowContext): boolean {
  const { instructions: named, own } = withOwnNames(compiled);
  const written = flowOf(named, { ...context, set: (name) => own.get(name) ?? context.set(name) });
  const read = flowOf(instructions, context);
  return written !== undefined && isDeepStrictEqual(written, read);
}
