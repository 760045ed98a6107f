import { isDeepStrictEqual } from 'node:util';
import {
  essence,
  type Instruction,
  type IsNamed,
  type KnownSet,
  SET_FLAGS,
  type SetDeclaration,
  VERDICT,
} from '../bytecode/index.ts';
import { CompileError, compileRule } from '../linearize/index.ts';
import type { Chain, Family, Statement } from '../model/index.ts';

/** What a rule that was read stands among. */
export interface RulePlace {
  readonly family: Family;
  readonly chain: Chain;
  set(name: string): KnownSet | undefined;
}

/**
 * What instructions do, where the order of comparisons that stand side by side does not count: all of them must
 * hold. A comparison has the loads before it with it.
 */
function inAnyOrder(instructions: readonly Instruction[], family: Family, isNamed: IsNamed): string[] {
  const done: string[] = [];
  let comparisons: string[] = [];
  let open: string[] = [];
  for (const instruction of instructions) {
    open.push(essence(family === 'ip' ? asProtocol(instruction) : instruction, isNamed));
    if (isLoad(instruction)) continue;
    if (isComparison(instruction)) comparisons.push(open.join('\n'));
    else {
      done.push(...comparisons.sort(), ...open);
      comparisons = [];
    }
    open = [];
  }
  return [...done, ...comparisons.sort(), ...open];
}

/** In the family ip the header's `protocol` and `meta l4proto` are the same byte. */
function asProtocol(instruction: Instruction): Instruction {
  if (instruction.name !== 'payload' || !('dreg' in instruction) || instruction.dreg === undefined)
    return instruction;
  const { base, offset, len, dreg } = instruction;
  return base === 'network' && offset === 9 && len === 1
    ? { name: 'meta', dreg, key: 'l4proto' }
    : instruction;
}

function isComparison(instruction: Instruction): boolean {
  const { name } = instruction;
  return name === 'cmp' || name === 'range' || (name === 'lookup' && instruction.dreg === undefined);
}

/** Whether an instruction only puts something into a register; a generator of numbers also counts. */
function isLoad(instruction: Instruction): boolean {
  const { dreg } = instruction as { readonly dreg?: number };
  return dreg !== undefined && dreg !== VERDICT && instruction.name !== 'numgen';
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
  try {
    const compiled = compileRule(statements, place.family, place.chain, names).instructions;
    return (
      inStep(compiled, instructions, isNamed) ||
      isDeepStrictEqual(
        inAnyOrder(compiled, place.family, isNamed),
        inAnyOrder(instructions, place.family, isNamed),
      )
    );
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
      return isSame(one, other) || essence(one, isNamed) === essence(other, isNamed);
    })
  );
}

/** Whether two instructions are the same to the letter. Those that name sets are not: names may be chance. */
function isSame(one: Instruction, other: Instruction): boolean {
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
