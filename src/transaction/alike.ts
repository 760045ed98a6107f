import { expression } from '../bytecode/index.ts';
import { type PartPacker, type PlacedRule, partPackerOf } from '../linearize/index.ts';
import type { Chain, Family, Statement } from '../model/index.ts';
import { AttributeWriter } from '../wire/attribute-writer.ts';

/** What a rule means depends on where it stands. */
export interface RulePosition {
  readonly family: Family;
  readonly table: string;
  readonly chain: Chain | undefined;
}

/** A rule's instructions, encoded, with zeros where its literals go. */
interface Form {
  readonly bytes: Uint8Array;
  readonly gaps: readonly Gap[];
}

/** Where a literal goes. */
interface Gap {
  readonly statement: number;
  readonly at: number;
  readonly pack: PartPacker['one'];
}

/** A rule that was compiled, for those that are like it. */
interface Example {
  readonly statements: readonly Statement[];
  readonly position: RulePosition;
  readonly compiled: PlacedRule;
  /** Made with the first rule that is like it. */
  form?: Form;
}

/** So many examples are kept: the last ones that were of use. */
const MOST = 8;

/** After so many rules that were like none, a rule is only compared with the one before it. */
const PATIENCE = 16;

/** Deeper than what is compared of any rule; what compiling ignores may be a part of itself. */
const MAX_DEPTH = 32;

/**
 * Many rules are like one before them, but for an address, a port or the name of an interface. Compiling them would
 * come to the same bytes but for these: they are copied, and the literals written into them.
 *
 * What is kept refers to the caller's statements: it is for one transaction, while that is compiled without a break,
 * and for as long as nothing changes what names mean.
 */
export class RulesAlike {
  readonly #examples: Example[] = [];
  /** Rules since one was like another. */
  #unlike = 0;

  /** Keeps a rule for those like it. Sets of its own have numbers of their own: no other rule is like it. */
  keep(statements: readonly Statement[], position: RulePosition, compiled: PlacedRule): void {
    if (compiled.sets.length > 0) return;
    if (this.#examples.length === MOST) this.#examples.pop();
    this.#examples.unshift({ statements, position, compiled });
  }

  /** The instructions of a rule, encoded as NFTA_RULE_EXPRESSIONS, where they are surely what compiling comes to. */
  encoded(statements: readonly Statement[], position: RulePosition): Uint8Array | undefined {
    const { length } = this.#examples;
    const tried = this.#unlike < PATIENCE ? length : Math.min(length, 1);
    for (let i = 0; i < tried; i++) {
      const example = this.#examples[i] as Example;
      if (!isLike(statements, position, example)) continue;
      this.#unlike = 0;
      if (i > 0) this.#examples.unshift(...this.#examples.splice(i, 1));
      example.form ??= formOf(example.compiled);
      return filled(example.form, statements);
    }
    this.#unlike++;
    return undefined;
  }
}

/** Undefined where a literal is not of the usual form: compiling decides what it is. */
function filled({ bytes, gaps }: Form, statements: readonly Statement[]): Uint8Array | undefined {
  const copy = bytes.slice();
  for (const { statement, at, pack } of gaps) {
    if (!pack((statements[statement] as MatchNode).match.right, copy, at)) return undefined;
  }
  return copy;
}

const NFTA_LIST_ELEM = 1;

function formOf({ instructions, places }: PlacedRule): Form {
  const writer = new AttributeWriter();
  const gaps: Gap[] = [];
  for (const [i, instruction] of instructions.entries()) {
    expression.write(writer, NFTA_LIST_ELEM, instruction);
    if (instruction.name !== 'cmp') continue;
    // The data is the last attribute of a comparison, padded.
    const start = writer.length - ((instruction.data.length + 3) & ~3);
    for (const { instruction: place, statement, typed, at } of places) {
      if (place !== i) continue;
      writer.fill(start + at, new Uint8Array(typed.bits / 8));
      gaps.push({ statement, at: start + at, pack: partPackerOf(typed).one });
    }
  }
  return { bytes: writer.bytes().slice(), gaps };
}

interface MatchNode {
  readonly match: { readonly op?: unknown; readonly left: unknown; readonly right: unknown };
}

/** Whether a rule is the example's but for the literals that have places. */
function isLike(
  statements: readonly Statement[],
  { family, table, chain }: RulePosition,
  { statements: others, position, compiled }: Example,
): boolean {
  if (statements.length !== others.length || position.chain !== chain) return false;
  if (position.table !== table || position.family !== family) return false;
  for (let i = 0; i < others.length; i++) {
    const like = hasPlace(compiled, i) ? isSameMatch : isSame;
    if (!like(statements[i], others[i], 0)) return false;
  }
  return true;
}

function hasPlace({ places }: PlacedRule, statement: number): boolean {
  for (const place of places) if (place.statement === statement) return true;
  return false;
}

/** Whether two matches are the same but for their right sides. */
function isSameMatch(node: unknown, other: unknown): boolean {
  if (!haveSameKeys(node, other)) return false;
  const { match } = node as unknown as MatchNode;
  const { match: otherMatch } = other as MatchNode;
  return (
    haveSameKeys(match, otherMatch) && match.op === otherMatch.op && isSame(match.left, otherMatch.left, 0)
  );
}

function isSame(node: unknown, other: unknown, depth: number): boolean {
  if (node === other) return true;
  if (depth === MAX_DEPTH || !haveSameKeys(node, other)) return false;
  for (const key in node) if (!isSame(node[key], (other as NodeLike)[key], depth + 1)) return false;
  return true;
}

type NodeLike = Readonly<Record<string, unknown>>;

function haveSameKeys(node: unknown, other: unknown): node is NodeLike {
  if (typeof node !== 'object' || typeof other !== 'object' || node === null || other === null) return false;
  if (Object.getPrototypeOf(node) !== Object.getPrototypeOf(other)) return false;
  const keys = Object.keys(node);
  const others = Object.keys(other);
  if (keys.length !== others.length) return false;
  for (let i = 0; i < keys.length; i++) if (keys[i] !== others[i]) return false;
  return true;
}
