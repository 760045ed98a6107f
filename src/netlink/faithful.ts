import { essence, type Instruction, type KnownSet, SET_FLAGS, type SetDeclaration } from '../bytecode/index.ts';
import { CompileError, compileRule } from '../linearize/index.ts';
import type { Chain, Family, Statement } from '../model/index.ts';

/** What a rule that was read stands among. */
export interface RulePlace {
  readonly family: Family;
  readonly chain: Chain;
  set(name: string): KnownSet | undefined;
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
      compiled.length === instructions.length &&
      compiled.every(
        (instruction, i) => essence(instruction, isNamed) === essence(instructions[i] as Instruction, isNamed),
      )
    );
  } catch (error) {
    if (error instanceof CompileError) return false;
    throw error;
  }
}
