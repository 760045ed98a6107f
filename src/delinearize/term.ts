import type { Instruction, InstructionNamed, KnownSet, VerdictData } from '../bytecode/index.ts';
import type { HeaderTunnel, PayloadBase } from '../protocol/index.ts';

/** What every term has: where it comes from. */
interface Common {
  /** The indices of the instructions that made it. */
  readonly from: readonly number[];
}

/** Bytes of an immediate. */
export interface Constant extends Common {
  readonly kind: 'constant';
  readonly bytes: Uint8Array;
}

export interface VerdictTerm extends Common {
  readonly kind: 'verdict';
  readonly verdict: VerdictData;
}

/** Packet bytes: `offset` and `bits` in bits. */
export interface Payload extends Common {
  readonly kind: 'payload';
  readonly base: PayloadBase;
  readonly offset: number;
  readonly bits: number;
  readonly tunnel?: Tunnel | undefined;
}

/** The attributes of the `inner` instruction around a load. */
export type Tunnel = HeaderTunnel & { readonly name: string };

/** A field of an extension header, option or chunk. */
export interface Exthdr extends Common {
  readonly kind: 'exthdr';
  readonly instruction: InstructionNamed<'exthdr'>;
}

/** Any other load. */
export interface Load extends Common {
  readonly kind: 'load';
  readonly instruction: LoadInstruction;
  readonly tunnel?: Tunnel | undefined;
}

export type LoadInstruction = Extract<
  Instruction,
  { readonly name: 'meta' | 'ct' | 'rt' | 'fib' | 'socket' | 'osf' | 'numgen' | 'hash' | 'xfrm' | 'tunnel' }
>;

/** A Jenkins hash of another term. */
export interface Hash extends Common {
  readonly kind: 'hash';
  readonly instruction: InstructionNamed<'hash'>;
  readonly arg: Term;
}

/** `(arg & mask) ^ xor` */
export interface Bitwise extends Common {
  readonly kind: 'bitwise';
  readonly arg: Term;
  readonly mask: Uint8Array;
  readonly xor: Uint8Array;
}

export interface Shift extends Common {
  readonly kind: 'shift';
  readonly op: 'lshift' | 'rshift';
  readonly arg: Term;
  readonly by: number;
  /** Width in bytes. */
  readonly length: number;
}

/** A swap between host and network order. */
export interface Swap extends Common {
  readonly kind: 'swap';
  readonly arg: Term;
  /** The order of the result. */
  readonly to: 'host' | 'network';
}

/** Neighbouring registers. */
export interface Concat extends Common {
  readonly kind: 'concat';
  readonly parts: readonly Term[];
}

/** What a map gives for a key. */
export interface MapTerm extends Common {
  readonly kind: 'map';
  readonly key: Term;
  readonly set: KnownSet;
}

/** What a register holds, as an expression over the packet. */
export type Term =
  | Constant
  | VerdictTerm
  | Payload
  | Exthdr
  | Load
  | Hash
  | Bitwise
  | Shift
  | Swap
  | Concat
  | MapTerm;

/** Thrown where a term or statement has no faithful form in the model: its instructions stay opaque. */
export class Inexpressible extends Error {
  override readonly name = 'Inexpressible';
}
