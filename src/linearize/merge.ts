import { findHeader } from '../protocol/index.ts';
import { maxOf, type Payload, type Value } from './expr.ts';
import type { EvaluatedStatement, MatchStatement } from './scope.ts';

/** A comparison that nft merges with its neighbours: whole bytes of the packet against a constant. */
interface Mergeable extends MatchStatement {
  readonly left: Payload;
  readonly right: Value;
}

const REGISTER_BITS = 128;
/** What the kernel compares on its fast path: four bytes from the network header on. */
const FAST_BITS = 32;

const BASES = ['link', 'network', 'transport', 'inner', 'tunnel'] as const;

function isMergeable(statement: EvaluatedStatement): statement is Mergeable {
  return (
    statement.kind === 'match' &&
    (statement.op === 'eq' || statement.op === 'neq') &&
    statement.left.kind === 'payload' &&
    statement.right.kind === 'value'
  );
}

function canMerge(first: Mergeable, second: Mergeable): boolean {
  const [a, b] = [first.left, second.left];
  if (first.op !== second.op || a.base !== b.base || a.tunnel !== b.tunnel) return false;
  if (a.offset + a.bits !== b.offset || (a.offset | a.bits | b.bits) % 8 !== 0) return false;
  const bits = a.bits + b.bits;
  if (bits > REGISTER_BITS) return false;
  return (
    bits <= FAST_BITS || a.base === 'link' || a.base === 'inner' || a.bits > FAST_BITS || b.bits > FAST_BITS
  );
}

/** Two comparisons of neighbouring bytes as one. */
function join(first: Mergeable, second: Mergeable): Mergeable {
  const value =
    ((first.right.value & maxOf(first.left.bits)) << BigInt(second.left.bits)) |
    (second.right.value & maxOf(second.left.bits));
  const bits = first.left.bits + second.left.bits;
  return {
    ...first,
    left: { ...first.left, bits, field: undefined },
    right: { ...first.right, bits, value, byteorder: 'network', joined: joinedOf(first, second) },
  };
}

function joinedOf(...statements: readonly Mergeable[]): readonly Value[] {
  return statements.flatMap(({ right }) => right.joined ?? right);
}

/** The field says which protocol follows: what looks at that one must stay behind it. */
function announces({ left: { header, field } }: Mergeable): boolean {
  return header !== undefined && field !== undefined && findHeader(header).key === field;
}

/** A comparison and its place among the statements. */
interface Placed {
  readonly place: number;
  readonly statement: Mergeable;
}

function mergeRun(run: readonly Placed[], merged: (EvaluatedStatement | undefined)[]): void {
  if (run.length < 2) return;
  const order = ({ statement: { left } }: Placed) => BASES.indexOf(left.base);
  const sorted = [...run].sort(
    (a, b) => order(a) - order(b) || a.statement.left.offset - b.statement.left.offset,
  );
  let last: Placed | undefined;
  for (const next of sorted) {
    if (last === undefined || !canMerge(last.statement, next.statement)) {
      last = next;
      continue;
    }
    const stays: number = announces(next.statement) ? next.place : last.place;
    merged[stays === last.place ? next.place : last.place] = undefined;
    last = { place: stays, statement: join(last.statement, next.statement) };
    merged[stays] = last.statement;
  }
}

/**
 * Merges comparisons of neighbouring bytes: `tcp sport 1 tcp dport 2` is one load of four bytes. They may
 * stand apart, but no other statement than a match comes between them.
 */
export function mergeMatches(statements: readonly EvaluatedStatement[]): EvaluatedStatement[] {
  const merged: (EvaluatedStatement | undefined)[] = [...statements];
  let run: Placed[] = [];
  statements.forEach((statement, place) => {
    if (isMergeable(statement)) run.push({ place, statement });
    else if (statement.kind === 'action') {
      mergeRun(run, merged);
      run = [];
    }
  });
  mergeRun(run, merged);
  return merged.filter((statement) => statement !== undefined);
}
