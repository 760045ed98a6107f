import type { Instruction, SetDeclaration } from '../bytecode/index.ts';
import type { Chain, Statement } from '../model/index.ts';
import { type FamilyName, headers, nextHeaderValue } from '../protocol/index.ts';
import { Emitter } from './emit.ts';
import { at, CompileError, type Path } from './error.ts';
import { evaluate } from './evaluate.ts';
import type { Value } from './expr.ts';
import { mergeMatches } from './merge.ts';
import { type LiteralPlace, literalOf, place } from './place.ts';
import { type EvaluatedStatement, type Names, Scope } from './scope.ts';
import { evaluateStatement, isTerminal } from './statement/index.ts';
import { emitMatch } from './statement/match.ts';

/** A rule as the kernel takes it. */
export interface CompiledRule {
  /** The anonymous sets that it uses, to be made before it. */
  readonly sets: readonly SetDeclaration[];
  readonly instructions: readonly Instruction[];
}

/** One that tells where its literals went. */
export interface PlacedRule extends CompiledRule {
  readonly places: readonly LiteralPlace[];
}

/**
 * Compiles the statements of a rule.
 *
 * @param chain - the chain's definition, where it is known
 * @param path - where the statements are in the caller's data
 * @throws CompileError at the place that cannot be meant
 */
export function compileRule(
  statements: readonly Statement[],
  family: FamilyName,
  chain: Chain | undefined,
  names: Names,
  path?: Path,
): PlacedRule {
  if (!Array.isArray(statements)) throw new CompileError(path, 'expected a list of statements');
  const scope = new Scope(family, chain, names, evaluate);
  const literals: (Value | undefined)[] = [];
  for (let i = 0; i < statements.length; i++) {
    const statement = statements[i] as Statement;
    evaluateStatement(statement, scope, at(path, i));
    literals.push(literalOf(statement, scope.statements.at(-1)));
    if (i + 1 < statements.length && isTerminal(statement))
      throw new CompileError(at(path, i + 1), 'the rule ends with the statement before this one');
  }
  const emitter = new Emitter(path);
  const { instructions } = emitter;
  const places: LiteralPlace[] = [];
  for (const statement of mergeMatches(withoutOwnProtocol(scope.statements, family))) {
    if (statement.kind === 'match') {
      emitMatch(statement, emitter);
      place(statement.right, instructions.length - 1, literals, places);
    } else statement.emit(emitter);
  }
  return { sets: scope.sets, instructions, places };
}

/** The EtherType of families that are of one protocol. */
const ownProtocols: ReadonlyMap<string, bigint> = new Map(
  (['ip', 'ip6'] as const).map((family) => [
    family,
    BigInt(nextHeaderValue(headers.ether, headers[family]) as number),
  ]),
);

/**
 * `meta protocol ip` says nothing in the family ip: nft leaves it out, unless nothing comes after it.
 */
function withoutOwnProtocol(
  statements: readonly EvaluatedStatement[],
  family: FamilyName,
): readonly EvaluatedStatement[] {
  const own = ownProtocols.get(family);
  if (own === undefined) return statements;
  return statements.filter((statement, i) => {
    if (statement.kind !== 'match' || i === statements.length - 1) return true;
    const { left, op, right } = statement;
    const protocol =
      left.kind === 'load' &&
      left.tunnel === undefined &&
      left.source[0] === 'meta' &&
      left.source[1] === 'protocol';
    return !(protocol && op === 'eq' && right.kind === 'value' && right.value === own);
  });
}
