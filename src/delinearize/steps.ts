import { type Instruction, type KnownSet, VERDICT } from '../bytecode/index.ts';
import { load } from './machine.ts';
import { between } from './match.ts';
import { Registers } from './registers.ts';
import { statementReaders } from './statement/index.ts';
import type { Reading, StatementReader, Step } from './step.ts';
import { Inexpressible } from './term.ts';

/**
 * Follows a rule through the machine: loads become terms in registers, everything else becomes steps. What
 * is not understood becomes neither.
 */
export function readSteps(
  instructions: readonly Instruction[],
  set: (name: string) => KnownSet | undefined,
): Step[] {
  const registers = new Registers();
  const reading: Reading = { registers, set };
  const steps: Step[] = [];
  instructions.forEach((instruction, at) => {
    try {
      if (load(instruction, at, reading)) return;
      const upper = upperBound(instruction, at, steps, registers);
      if (upper !== undefined) {
        steps[steps.length - 1] = upper;
        return;
      }
      steps.push(step(instruction, at, reading));
    } catch (error) {
      if (!(error instanceof Inexpressible)) throw error;
      forget(instruction, registers);
    }
  });
  return steps;
}

/** After an instruction that is not understood nothing is known of the registers it may have written. */
function forget(instruction: Instruction, registers: Registers): void {
  const { dreg } = instruction as { readonly dreg?: number };
  if (instruction.name === 'opaque') registers.clear();
  else if (dreg !== undefined && dreg !== VERDICT) registers.forget(dreg);
}

function step(instruction: Instruction, at: number, reading: Reading): Step {
  const reader = statementReaders[instruction.name] as StatementReader | undefined;
  if (reader === undefined) throw new Inexpressible(`no statement is made of ${instruction.name}`);
  const { terms, run } = reader(instruction, reading);
  const lower =
    instruction.name === 'cmp' && instruction.op === 'gte' && terms[0]
      ? { term: terms[0], bytes: instruction.data }
      : undefined;
  return { at, covers: [...terms.flatMap((term) => term.from), at], run, lower };
}

/** Two comparisons of one register, from below and from above, are a range. */
function upperBound(
  instruction: Instruction,
  at: number,
  steps: readonly Step[],
  registers: Registers,
): Step | undefined {
  const before = steps.at(-1);
  if (instruction.name !== 'cmp' || instruction.op !== 'lte' || before?.lower === undefined) return undefined;
  const { term, bytes } = before.lower;
  if (before.at !== at - 1 || registers.read(instruction.sreg) !== term) return undefined;
  return {
    at,
    covers: [...before.covers, at],
    run: (describer) => between(term, false, bytes, instruction.data, describer),
  };
}
