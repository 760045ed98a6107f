import type { Instruction, InstructionNamed, KnownSet } from '../bytecode/index.ts';
import type { Describer } from './describer.ts';
import type { Registers } from './registers.ts';
import { Inexpressible, type Term } from './term.ts';

/** What an instruction that is not a load turns into: statements, once it is known what came before. */
export interface Step {
  /** The instruction at which the statement stands. */
  readonly at: number;
  /** The instructions that it takes the place of. */
  readonly covers: readonly number[];
  readonly run: (describer: Describer) => void;
  /** A comparison that an upper bound may follow. */
  readonly lower?: { readonly term: Term; readonly bytes: Uint8Array } | undefined;
}

/** What a statement's reader has at hand. */
export interface Reading {
  readonly registers: Registers;
  set(name: string): KnownSet | undefined;
}

/** A statement's reader: the terms that it uses, and what it says of them. */
export type StatementReader<I extends Instruction = Instruction> = (
  instruction: I,
  reading: Reading,
) => { readonly terms: readonly Term[]; readonly run: (describer: Describer) => void };

/** Readers by the kernel's name of the instruction. */
export type StatementReaders = {
  readonly [N in Instruction['name']]?: StatementReader<InstructionNamed<N>>;
};

/** @throws Inexpressible where the set is not known */
export function knownSet(name: string, reading: Reading): KnownSet {
  const set = reading.set(name);
  if (set === undefined) throw new Inexpressible(`the set ${name} is not known`);
  return set;
}
