import { checksum, concat, u8, u16, u32 } from './bytes.ts';

/** What an IP packet says of itself to the checksums inside it. */
export interface Addresses {
  readonly saddr: Buffer;
  readonly daddr: Buffer;
}

/** What goes into an IP packet: a transport, or an extension header with what follows it. */
export interface Layer {
  readonly protocol: number;
  bytes(addresses: Addresses): Buffer;
}

/** What goes into an Ethernet frame. */
export interface Packet {
  readonly ethertype: number;
  readonly bytes: Buffer;
}

/** `message` with the checksum over it and its pseudo-header written at `offset` (RFC 768, RFC 8200 8.1). */
export function withChecksum(
  message: Buffer,
  offset: number,
  protocol: number,
  { saddr, daddr }: Addresses,
): Buffer {
  const pseudo = concat(saddr, daddr, u32(message.length), u8(0, 0, 0, protocol));
  const sum = checksum(concat(pseudo, message));
  message.set(u16(protocol === 17 && sum === 0 ? 0xffff : sum), offset);
  return message;
}

/** Part of a layer's bytes, for fragments: checksums are those of the whole. */
export function slice(layer: Layer, start: number, end?: number): Layer {
  return { protocol: layer.protocol, bytes: (addresses) => layer.bytes(addresses).subarray(start, end) };
}

/** Bytes as they are, behind a protocol number that promises something. */
export function raw(protocol: number, bytes: Uint8Array): Layer {
  return { protocol, bytes: () => Buffer.from(bytes) };
}
