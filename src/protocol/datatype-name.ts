/** The name of a data type: an `nft describe` name such as `ipv4_addr`. */
export type DatatypeName = string;
