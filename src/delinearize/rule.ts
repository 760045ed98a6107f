import type { Instruction } from '../bytecode/index.ts';
import type { Statement } from '../model/index.ts';
import type { FamilyName } from '../protocol/index.ts';
import type { Notation } from './constant.ts';
import { Describer, type Style } from './describer.ts';
import { opaqueWithSet, type ToldSet } from './own-set.ts';
import { readSteps } from './steps.ts';

/** What a rule's instructions are read against. */
export interface RuleContext extends Partial<Notation> {
  readonly family: FamilyName;
  /** A set of the rule's table; anonymous ones with their elements. */
  readonly set: (name: string) => ToldSet | undefined;
  /**
   * Says whether compiling the statements gives the rule's instructions again. Where it does not, the rule
   * is read less finely, and at last instruction by instruction.
   */
  faithful?(statements: readonly Statement[]): boolean;
}

/** From what nft lists to what surely goes back unchanged. */
const STYLES: readonly Style[] = [{ implied: true }, { implied: false }];

/**
 * The statements of a rule, as nft lists them: matches that later ones imply are left out, bytes of the
 * packet have their fields' names, values their types'. What cannot be said faithfully is
 * `{ opaque: { name, data } }`, instruction by instruction; nothing is lost.
 */
export function delinearizeRule(instructions: readonly Instruction[], context: RuleContext): Statement[] {
  for (const style of STYLES) {
    const statements = read(instructions, context, style);
    if (context.faithful === undefined || context.faithful(statements)) return statements;
  }
  return instructions.map((instruction) => opaqueWithSet(instruction, context.set));
}

function read(instructions: readonly Instruction[], context: RuleContext, style: Style): Statement[] {
  const notation: Notation = { numericProtocol: context.numericProtocol ?? false };
  const describer = new Describer(context.family, notation, style);
  const covered = new Set<number>();
  for (const { at, covers, run } of readSteps(instructions, (name) => context.set(name))) {
    if (describer.attempt(at, covers, run)) for (const index of covers) covered.add(index);
  }
  const listed = describer.entries.filter(({ implied, unsayable }) => !implied && !unsayable);
  for (const { implied, unsayable, covers } of describer.entries) {
    if (unsayable && !implied) for (const index of covers) covered.delete(index);
  }
  const rest = instructions.flatMap((instruction, at) =>
    covered.has(at) ? [] : [{ statement: opaqueWithSet(instruction, context.set), at }],
  );
  return [...listed, ...rest].sort((a, b) => a.at - b.at).map(({ statement }) => statement);
}
