import ipaddr from 'ipaddr.js';

/** The bytes of a MAC, colons between. */
export function mac(text: string): Buffer {
  const bytes = Buffer.from(text.replaceAll(':', ''), 'hex');
  if (bytes.length !== 6) throw new Error(`${text} is not a MAC`);
  return bytes;
}

/** The bytes of an IPv4 or IPv6 address. */
export function address(text: string): Buffer {
  return Buffer.from(ipaddr.parse(text).toByteArray());
}

export function u8(...values: number[]): Buffer {
  return Buffer.from(values);
}

/** Big-endian, as everything in a packet is. */
export function u16(...values: number[]): Buffer {
  return Buffer.from(values.flatMap((value) => [value >>> 8, value & 0xff]));
}

export function u32(value: number): Buffer {
  return Buffer.concat([u16(value >>> 16), u16(value & 0xffff)]);
}

export function zeros(length: number): Buffer {
  return Buffer.alloc(length);
}

export const concat = (...parts: Uint8Array[]): Buffer => Buffer.concat(parts);

/** The Internet checksum (RFC 1071). */
export function checksum(bytes: Uint8Array): number {
  let sum = 0;
  for (const [at, byte] of bytes.entries()) sum += at % 2 === 0 ? byte << 8 : byte;
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}
