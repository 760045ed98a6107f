/**
 * An instruction that nftjs does not know, or knows less of than the kernel sent: its name and the
 * bytes of NFTA_EXPR_DATA. It is written back unchanged.
 */
export interface Opaque {
  readonly name: 'opaque';
  /** The kernel's expression name. */
  readonly expression: string;
  /** NFTA_EXPR_DATA; undefined where the kernel sent none. */
  readonly data: Uint8Array | undefined;
}
