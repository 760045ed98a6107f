/** Lets an asynchronous call be given up. */
export interface Abortable {
  readonly signal?: AbortSignal | undefined;
}

/** A program that comes in pieces: whole records, the last of which may lack its rows, or rows of that one. */
export interface LargeProgram {
  /** Keeps nothing of the piece. */
  append(piece: Uint8Array): void;
}

/** A question about nf_tables objects. */
export interface DumpRequest extends Abortable {
  /** `NFT_MSG_GET*` of linux/netfilter/nf_tables.h. */
  readonly type: number;
  /** `NFPROTO_*`; 0 asks for all families. */
  readonly family: number;
  /** Attributes, encoded: which objects. */
  readonly attributes?: Uint8Array;
}

/** Messages of the kernel. */
export interface DumpResult {
  /** Whole netlink messages, one behind the other; `readMessages` takes them apart. */
  readonly messages: Uint8Array;
  /** The ruleset changed meanwhile: the picture may be torn, and is worth another try. */
  readonly interrupted: boolean;
}

/** How a stream hands out messages. */
export interface StreamRequest extends DumpRequest {
  /** About how many bytes to hand out at once; 256 KiB by default. */
  readonly chunk?: number;
}
