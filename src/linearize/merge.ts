import { maxOf, type Payload, type Value } from './expr.ts';
import type { EvaluatedStatement, MatchStatement } from './scope.ts';

/** A comparison that nft merges with its neighbours: whole bytes of the packet against a constant. */
interface Mergeable extends MatchStatement {
  readonly left: Payload;
  readonly right: Value;
}

const REGISTER_BITS = 128;

function isMergeable(statement: EvaluatedStatement): statement is Mergeable {
  return (
    statement.kind === 'match' &&
    statement.op === 'eq' &&
    statement.left.kind === 'payload' &&
    statement.right.kind === 'value' &&
    statement.left.header !== undefined &&
    statement.left.tunnel === undefined
  );
}

/** Two comparisons of neighbouring bytes as one, or undefined. */
function join(first: Mergeable, second: Mergeable): Mergeable | undefined {
  const a = first.left;
  const b = second.left;
  if (a.base !== b.base || a.header !== b.header) return undefined;
  const bits = a.bits + b.bits;
  if (bits > REGISTER_BITS || a.bits % 8 || b.bits % 8) return undefined;
  const forward = a.offset + a.bits === b.offset;
  if (!forward && b.offset + b.bits !== a.offset) return undefined;
  const [low, high] = forward ? [second, first] : [first, second];
  const value =
    ((high.right.value & maxOf(high.left.bits)) << BigInt(low.left.bits)) | (low.right.value & maxOf(low.left.bits));
  return {
    ...first,
    left: { ...high.left, bits, field: undefined },
    right: { ...first.right, bits, value, byteorder: 'network' },
  };
}

/** Merges comparisons of neighbouring fields: `tcp sport 1 tcp dport 2` is one load of four bytes. */
export function mergeMatches(statements: readonly EvaluatedStatement[]): EvaluatedStatement[] {
  const merged: EvaluatedStatement[] = [];
  for (const statement of statements) {
    const before = merged.at(-1);
    const joined = before && isMergeable(before) && isMergeable(statement) ? join(before, statement) : undefined;
    if (joined) merged[merged.length - 1] = joined;
    else merged.push(statement);
  }
  return merged;
}
