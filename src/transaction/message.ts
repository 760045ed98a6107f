import type { PackedElements, SetElement } from '../linearize/index.ts';
import type { Schema, ValueOf } from '../wire/schema.ts';

/** One nf_tables message that is to be sent, or a list of elements that becomes as many as it takes. */
export type OutgoingMessage = SchemaMessage | ElementsMessage;

interface Head {
  /** NFT_MSG_* */
  readonly type: number;
  /** NLM_F_* beside NLM_F_REQUEST. */
  readonly flags: number;
  /** NFPROTO_* */
  readonly family: number;
  /** The command that it comes from. */
  readonly operation: number;
}

export interface SchemaMessage extends Head {
  readonly kind: 'message';
  readonly schema: Schema;
  readonly value: ValueOf<Schema>;
}

export interface ElementsMessage extends Head {
  readonly kind: 'elements';
  readonly table: string;
  readonly set: string;
  readonly setId?: number | undefined;
  readonly elements: readonly SetElement[] | PackedElements;
}
