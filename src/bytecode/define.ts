import type { Schema, ValueOf } from '../wire/schema.ts';

/** One row of the instruction table. */
export interface InstructionDefinition<N extends string = string, S extends Schema = Schema> {
  /** The kernel's expression name (NFTA_EXPR_NAME). */
  readonly name: N;
  /** The attributes of NFTA_EXPR_DATA. */
  readonly schema: S;
  /** The instruction in libnftnl's notation, without its name. */
  readonly text: (instruction: ValueOf<S>) => string;
}

/** The value of an instruction: its name and its attributes. */
export type InstructionOf<D> =
  D extends InstructionDefinition<infer N, infer S> ? { readonly name: N } & ValueOf<S> : never;

/** Makes a row of the instruction table. */
export function define<const N extends string, const S extends Schema>(
  name: N,
  schema: S,
  text: (instruction: ValueOf<S>) => string,
): InstructionDefinition<N, S> {
  return { name, schema, text };
}

export const hex = (value: number): string => `0x${value.toString(16)}`;
