import type { ByteOrder } from '../datatype/byteorder.ts';
import type { DatatypeName } from '../datatype/index.ts';

/** Where a field lies and what its bits mean; shared by headers, extension headers, options and chunks. */
export interface FieldLayout {
  /** nft's and libnftables JSON's name. */
  readonly name: string;
  /**
   * nft's number of the field in its header, counted from 1, or from 0 in options and chunks, whose field
   * 0 is their type. Set declarations with `typeof` carry it in their user data.
   */
  readonly index: number;
  readonly type: DatatypeName;
  /** Bits from the start of the header; bit 0 is the most significant bit of the first byte. */
  readonly offset: number;
  /** Width in bits. */
  readonly bits: number;
  readonly byteorder: ByteOrder;
}
