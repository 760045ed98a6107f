import { type InstructionNamed, type KnownSet, SET_FLAGS } from '../bytecode/index.ts';
import { fromBytes } from '../datatype/index.ts';
import type { Expression, MatchOperator } from '../model/index.ts';
import {
  flagList,
  hasPrefixes,
  literal,
  maxOf,
  numberOf,
  prefixLength,
  rangeLiteral,
  rangeOfLiterals,
  registerLiteral,
  unshifted,
  widthOf,
} from './constant.ts';
import type { Described } from './described.ts';
import type { Describer } from './describer.ts';
import { rawPayload, splitPayload } from './payload.ts';
import { type Bitwise, Inexpressible, type Payload, type Term } from './term.ts';

const OPERATORS: Readonly<Record<InstructionNamed<'cmp'>['op'], MatchOperator>> = {
  eq: '==',
  neq: '!=',
  lt: '<',
  lte: '<=',
  gt: '>',
  gte: '>=',
};

/** A truth is one byte, but some compare the word that it is stored in. */
const REGISTER_WORD = 4;

const MESSAGES: ReadonlySet<string> = new Set(['icmp', 'icmpv6']);

type Comparison = InstructionNamed<'cmp'>['op'];

/** `left op right`, where right is a constant. */
export function compare(left: Term, op: Comparison, right: Uint8Array, describer: Describer): void {
  if (left.kind === 'payload' && (op === 'eq' || op === 'neq')) {
    comparePayload(left, op, right, describer);
    return;
  }
  if (left.kind === 'bitwise' && (op === 'eq' || op === 'neq') && compareMasked(left, op, right, describer))
    return;
  const described = describer.describe(left);
  push(described, op, constant(described, right, describer), describer, right);
}

function constant(described: Described, right: Uint8Array, describer: Describer): Expression {
  if (described.parts !== undefined) throw new Inexpressible('several values are compared at once');
  const width = widthOf(described);
  if (right.length < width && described.byteorder === 'network' && hasPrefixes(described.type))
    return leadingBytes(described, right, describer);
  const fits =
    right.length === width ||
    (described.type.base === 'string' && right.length < width) ||
    (described.type.name === 'boolean' && right.length === REGISTER_WORD);
  if (!fits) throw new Inexpressible('a part of the value is compared');
  return registerLiteral(right, described, describer.notation);
}

/** The first bytes of an address are a prefix. */
function leadingBytes(described: Described, right: Uint8Array, describer: Describer): Expression {
  const len = right.length * 8;
  const value = fromBytes(right, 'network') << BigInt(described.bits - len);
  return { prefix: { addr: literal(value, described, describer.notation), len } };
}

/** A load may cover several fields, or the first bytes of one. */
function comparePayload(left: Payload, op: 'eq' | 'neq', right: Uint8Array, describer: Describer): void {
  if (right.length * 8 !== left.bits) throw new Inexpressible('a part of the load is compared');
  const context = describer.scope(left.tunnel).protocols;
  const exact = describer.payload(left);
  if (exact.field !== undefined) {
    push(exact, op, registerLiteral(right, exact, describer.notation), describer, right);
    return;
  }
  const parts = splitPayload(left, context);
  if (op === 'neq' && parts.length > 1) {
    const raw = rawPayload(left);
    push(raw, op, registerLiteral(right, raw, describer.notation), describer);
    return;
  }
  for (const { described, at, loaded } of parts) {
    const bytes = right.subarray(at / 8, (at + loaded) / 8);
    if (described.field !== undefined) describer.uses(described.field.header, left.tunnel);
    if (loaded === described.bits) {
      push(described, op, registerLiteral(bytes, described, describer.notation), describer, bytes);
      continue;
    }
    push(described, op, leadingBytes(described, bytes, describer), describer);
  }
}

/** Comparisons that only look at some bits: flags, prefixes. */
function compareMasked(left: Bitwise, op: 'eq' | 'neq', right: Uint8Array, describer: Describer): boolean {
  if (right.length !== left.mask.length || left.xor.some((byte) => byte !== 0)) return false;
  if (left.arg.kind === 'bitwise' || left.arg.kind === 'shift' || left.arg.kind === 'concat') return false;
  const masked = describer.describe(left);
  if (masked.shift !== undefined) return false;
  const described = describer.describe(left.arg);
  if (described.bits !== left.mask.length * 8) return false;
  const mask = numberOf(left.mask, described);
  const value = numberOf(right, described);
  const { notation } = describer;
  if (mask === maxOf(described.bits)) {
    push(described, op, literal(value, described, notation), describer, right);
    return true;
  }
  if (described.type.base === 'bitmask' && value === 0n && mask !== 0n) {
    const operator = op === 'neq' ? 'in' : '!';
    describer.push({
      match: { op: operator, left: described.node, right: flagList(mask, described, notation) },
    });
    return true;
  }
  const len = hasPrefixes(described.type) ? prefixLength(mask, described.bits) : undefined;
  if (len === undefined || (value & ~mask) !== 0n) return false;
  push(described, op, { prefix: { addr: literal(value, described, notation), len } }, describer);
  return true;
}

function isMessageType({ field }: Described): boolean {
  return field?.name === 'type' && MESSAGES.has(field.header.name);
}

/** A message is of one of these types. */
function learnMessages(set: KnownSet, describer: Describer): void {
  if (!(set.flags & SET_FLAGS.anonymous) || set.flags & SET_FLAGS.interval) return;
  describer.protocols.messageTypes = (set.elements ?? []).flatMap(({ key }) =>
    key?.[0] === undefined ? [] : [key[0]],
  );
}

/** Adds a match, and learns from it what it tells about the packet's headers. */
function push(
  left: Described,
  op: Comparison,
  right: Expression,
  describer: Describer,
  bytes?: Uint8Array,
): void {
  const entry = describer.push({ match: { op: OPERATORS[op], left: left.node, right } }, left.unsayable);
  if (op !== 'eq' || bytes === undefined || left.shift) return;
  const { field, meta, ct } = left;
  const clue = field
    ? ({ kind: 'payload', header: field.header, field: field.name } as const)
    : meta
      ? ({ kind: 'meta', key: meta } as const)
      : ct
        ? ({ kind: 'ct', key: ct } as const)
        : undefined;
  if (clue === undefined) return;
  const scope = describer.scope(left.tunnel);
  const value = Number(numberOf(bytes, left));
  if (field && isMessageType(left)) scope.dependencies.announceMessage(field.header, entry);
  const announcement = scope.protocols.learn(clue, value);
  if (announcement !== undefined) scope.dependencies.announce(announcement, clue, value, entry);
}

/** From `low` to `high`, or outside of that. */
export function between(
  left: Term,
  inverted: boolean,
  low: Uint8Array,
  high: Uint8Array,
  describer: Describer,
): void {
  const described = describer.describe(left);
  if (described.parts !== undefined || described.type.base === 'string')
    throw new Inexpressible('no range of that');
  const width = widthOf(described);
  if (low.length !== width || high.length !== width) throw new Inexpressible('the range has another width');
  const [first, last] = [low, high].map((bytes) =>
    unshifted(fromBytes(bytes, 'network'), described.shift),
  ) as [bigint, bigint];
  const right: Expression =
    first === last
      ? rangeLiteral(first, last, described, describer.notation)
      : rangeOfLiterals(first, last, described, describer.notation);
  describer.push({ match: { op: inverted ? '!=' : '==', left: described.node, right } });
}

/** A key that is in a set, or is not. */
export function member(key: Term, set: KnownSet, inverted: boolean, describer: Describer): void {
  if (set.data !== undefined && !inverted && set.data.kind === 'object')
    throw new Inexpressible('a map of objects');
  const described = describer.describe(key);
  const right = describer.setReference(set, described);
  if (!inverted && isMessageType(described)) learnMessages(set, describer);
  describer.push({ match: { op: inverted ? '!=' : '==', left: described.node, right } });
}
