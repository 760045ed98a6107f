import type { Typed } from '../bytecode/index.ts';
import type { Expression } from '../model/index.ts';
import type { Header } from '../protocol/index.ts';
import type { Tunnel } from './term.ts';

/** A field of a header. */
export interface FieldName {
  readonly header: Header;
  readonly name: string;
  /** Messages of one type alone have it. */
  readonly message: boolean;
}

/** A term in the model's words, and how its bytes are to be read. */
export interface Described extends Typed {
  readonly node: Expression;
  /** The register holds the value shifted left by so many bits: a field that is narrower than its bytes. */
  readonly shift?: number | undefined;
  /** How many bytes of registers it takes, where these are more than its bits need. */
  readonly width?: number | undefined;
  /** The header field that it is, where it is one. */
  readonly field?: FieldName | undefined;
  /** The meta key that it is, where it is one. */
  readonly meta?: string | undefined;
  /** The conntrack key that it is, where it is one. */
  readonly ct?: string | undefined;
  /** The tunnel that it looks into. */
  readonly tunnel?: Tunnel | undefined;
  /** The model has no words for it: it must be implied by what follows. */
  readonly unsayable?: boolean | undefined;
  /** Several values side by side. */
  readonly parts?: readonly Described[] | undefined;
}
