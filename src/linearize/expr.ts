import type { Instruction, InstructionNamed, SetDeclaration, Typed, VerdictData } from '../bytecode/index.ts';
import type { PayloadBase } from '../protocol/index.ts';

/** A constant: an unsigned integer; a string is the integer of its bytes in host order. */
export interface Value extends Typed {
  readonly kind: 'value';
  readonly value: bigint;
  /** The constants that it was put together of, side by side, where comparisons were merged. */
  readonly joined?: readonly Value[] | undefined;
}

export interface Verdict extends Typed {
  readonly kind: 'verdict';
  readonly verdict: VerdictData;
}

/** The values that share the first `length` bits of `value`. */
export interface Prefix extends Typed {
  readonly kind: 'prefix';
  readonly value: bigint;
  readonly length: number;
}

/** From `low` to `high`, both included. */
export interface Range extends Typed {
  readonly kind: 'range';
  readonly low: bigint;
  readonly high: bigint;
}

/** Several values side by side, each padded to 32 bits. */
export interface Concat extends Typed {
  readonly kind: 'concat';
  readonly parts: readonly Expr[];
}

/** Packet bytes at an offset, in bits, from the start of a header. */
export interface Payload extends Typed {
  readonly kind: 'payload';
  readonly base: PayloadBase;
  readonly offset: number;
  /** `tcp dport` and the like; absent for raw payload. */
  readonly header?: string | undefined;
  readonly field?: string | undefined;
  /** The tunnel header that the payload is inside of. */
  readonly tunnel?: string | undefined;
}

/** A field of an IPv6 extension header, a TCP or IP option, an SCTP chunk or a DCCP option. */
export interface Exthdr extends Typed {
  readonly kind: 'exthdr';
  readonly op: NonNullable<InstructionNamed<'exthdr'>['op']>;
  /** Which header, option or chunk. */
  readonly number: number;
  readonly offset: number;
  readonly present: boolean;
}

/** Anything that one instruction puts into a register. */
export interface Load extends Typed {
  readonly kind: 'load';
  readonly load: (dreg: number) => Instruction;
  /** `meta l4proto`, `ct mark` …: what the load reads. */
  readonly source: readonly [kind: string, key: string];
  /** The greatest number that comes of it, where its width does not tell: nothing greater is compared with it. */
  readonly greatest?: bigint | undefined;
  /** The tunnel header that the load looks into. */
  readonly tunnel?: string | undefined;
}

/** A Jenkins hash over another expression. */
export interface Hash extends Typed {
  readonly kind: 'hash';
  readonly arg: Expr;
  readonly modulus: number;
  readonly seed: number | undefined;
  readonly offset: number;
  readonly greatest?: bigint | undefined;
}

export type BinaryOperator = 'and' | 'or' | 'xor' | 'lshift' | 'rshift';

export interface Binop extends Typed {
  readonly kind: 'binop';
  readonly op: BinaryOperator;
  readonly left: Expr;
  readonly right: Expr;
  /** How many bits a constant to compare it with has, where a mask leaves fewer than there are. */
  readonly limit?: number | undefined;
}

/** Swaps between host and network order; its own byte order is the result's. */
export interface ByteOrderSwap extends Typed {
  readonly kind: 'byteorder';
  readonly arg: Expr;
}

/** A set: anonymous, with its elements, or named. */
export interface SetReference extends Typed {
  readonly kind: 'set';
  readonly set: SetDeclaration;
  /** The single values among the elements of an anonymous set. */
  readonly values?: readonly Value[] | undefined;
}

/** What a map gives for a key. */
export interface MapLookup extends Typed {
  readonly kind: 'map';
  readonly key: Expr;
  readonly set: SetDeclaration;
}

/** An evaluated expression. */
export type Expr =
  | Value
  | Verdict
  | Prefix
  | Range
  | Concat
  | Payload
  | Exthdr
  | Load
  | Hash
  | Binop
  | ByteOrderSwap
  | SetReference
  | MapLookup;

/** The same without a greatest number: as nft has it, only a match on the expression alone looks at that. */
export function unbounded(expr: Expr): Expr {
  return 'greatest' in expr ? { ...expr, greatest: undefined } : expr;
}

/** The largest value of a width. */
export function maxOf(bits: number): bigint {
  return (1n << BigInt(bits)) - 1n;
}

/** The mask of a prefix: `length` ones, then zeros. */
export function prefixMask(bits: number, length: number): bigint {
  return maxOf(bits) ^ maxOf(bits - length);
}

/** Bytes that a width takes. */
export function bytesFor(bits: number): number {
  return Math.ceil(bits / 8);
}
