/**
 * The layout of the program buffer, which carries a whole transaction to the addon in one crossing.
 *
 * `scripts/generate-layout.ts` writes `native/generated/program_layout.h` from this file, so that the
 * two sides cannot drift. Integers are in host byte order: the buffer never leaves the process.
 *
 * ```
 * header | record | record | ...
 *
 * header    magic u32 | version u16 | flags u16 | length u32 | records u32 | generation u32
 * record    length u32 | kind u8 | type u8 | family u8 | 0 u8 | flags u16 | 0 u16 | operation u32 | body
 *
 * body of a message     attributes, encoded
 * body of elements      prefix length u32 | count u32 | ... | prefix attributes | element | element ...
 *   an encoded element  glue and length u32 | attributes, encoded
 *   a packed element    flags u32 | key | key's end | data | padding to 4
 * body of rows          prefix length u32 | count u32 | ... | prefix attributes | choice | choice ... | row | row ...
 *   a choice            NFTA_SET_ELEM_DATA, encoded
 *   a row               key | data, or the number of a choice u32 | timeout in seconds u32; each padded to 4
 * ```
 *
 * Lengths count bytes and include the header they stand in. Every length is a multiple of 4.
 */
export const layout = {
  MAGIC: 0x3154464e,
  VERSION: 1,

  HEADER_MAGIC: 0,
  HEADER_VERSION: 4,
  HEADER_FLAGS: 6,
  HEADER_LENGTH: 8,
  HEADER_RECORDS: 12,
  HEADER_GENERATION: 16,
  HEADER_SIZE: 20,

  /** Header flag: the kernel validates the transaction and commits nothing. */
  FLAG_CHECK: 1,
  /** Header flag: the kernel sends back what it made, handles included. */
  FLAG_ECHO: 2,

  RECORD_LENGTH: 0,
  RECORD_KIND: 4,
  RECORD_TYPE: 5,
  RECORD_FAMILY: 6,
  RECORD_FLAGS: 8,
  RECORD_OPERATION: 12,
  RECORD_SIZE: 16,

  KIND_MESSAGE: 1,
  KIND_ENCODED_ELEMENTS: 2,
  KIND_PACKED_ELEMENTS: 3,
  KIND_ROWS: 4,

  ELEMENTS_PREFIX_LENGTH: 16,
  ELEMENTS_COUNT: 20,
  ELEMENTS_SIZE: 24,

  PACKED_KEY_LENGTH: 24,
  PACKED_END_LENGTH: 26,
  PACKED_DATA_LENGTH: 28,
  PACKED_SIZE: 32,

  ROWS_KEY_LENGTH: 24,
  /** Bytes of data in each row; 0 where it has none, or the number of a choice. */
  ROWS_DATA_LENGTH: 26,
  /** How many choices there are; with any, each row has the number of one. */
  ROWS_CHOICES: 28,
  ROWS_FLAGS: 30,
  ROWS_SIZE: 32,

  /** Flag of rows: each ends with a timeout; 0 is none of its own. */
  ROWS_TIMEOUTS: 1,

  /** Bit of an element's first word: stays in one message with the element before it. */
  ELEMENT_TOGETHER: 0x80000000,
  /** The other bits of an encoded element's first word: the length of its attributes. */
  ELEMENT_LENGTH_MASK: 0x7fffffff,
} as const;
