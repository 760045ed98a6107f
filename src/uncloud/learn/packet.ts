import { addressText, type Block, WIDTH } from '../address.ts';

/**
 * What packets say, read from bytes that anybody may have made: whatever is not there, or not as it should be, is
 * undefined. Nothing is read past the end, and nothing throws.
 */

const IPV4 = 0x0800;
const ARP = 0x0806;
const IPV6 = 0x86dd;
const UDP = 17;
const IPV4_HEADER = 20;
const IPV6_HEADER = 40;
const UDP_HEADER = 8;
const ARP_PACKET = 28;
/** Hardware Ethernet, protocol IPv4, of 6 and 4 bytes. */
const ARP_HEAD = '000108000604';

/** A big-endian number of at most 6 bytes; undefined where they are not all there. */
export function number(bytes: Uint8Array, at: number, length: number): number | undefined {
  if (at < 0 || at + length > bytes.length) return undefined;
  let value = 0;
  for (let i = at; i < at + length; i++) value = value * 256 + (bytes[i] as number);
  return value;
}

/** A MAC as text. */
export function macAt(bytes: Uint8Array, at: number): string | undefined {
  const value = number(bytes, at, 6);
  return value
    ?.toString(16)
    .padStart(12, '0')
    .replace(/..(?!$)/g, '$&:');
}

/** An address of 4 or 16 bytes. */
export function addressAt(bytes: Uint8Array, at: number, family: Block['family']): Block | undefined {
  const length = WIDTH[family];
  const size = length / 8;
  if (at < 0 || at + size > bytes.length) return undefined;
  let value = 0n;
  for (let i = at; i < at + size; i++) value = (value << 8n) | BigInt(bytes[i] as number);
  return { family, value, length, text: addressText(family, value) };
}

/** A UDP datagram with the address that it comes from. */
export interface Datagram {
  readonly family: Block['family'];
  readonly source: Block;
  readonly sourcePort: number;
  readonly port: number;
  /** As many bytes as were captured. */
  readonly data: Uint8Array;
}

/** The datagram in a packet that is no fragment and has no extension headers. */
export function datagramIn(protocol: number | undefined, packet: Uint8Array): Datagram | undefined {
  const header = protocol === IPV4 ? ipv4(packet) : protocol === IPV6 ? ipv6(packet) : undefined;
  if (header === undefined || header.protocol !== UDP) return undefined;
  const { family, source, length } = header;
  const [sourcePort, port, size] = [0, 2, 4].map((at) => number(packet, length + at, 2));
  if (sourcePort === undefined || port === undefined || size === undefined || size < UDP_HEADER)
    return undefined;
  return { family, source, sourcePort, port, data: packet.subarray(length + UDP_HEADER, length + size) };
}

interface Header {
  readonly family: Block['family'];
  readonly source: Block;
  readonly protocol: number;
  readonly length: number;
}

function ipv4(packet: Uint8Array): Header | undefined {
  const [first, fragment, protocol] = [number(packet, 0, 1), number(packet, 6, 2), number(packet, 9, 1)];
  const source = addressAt(packet, 12, 'ip');
  if (first === undefined || fragment === undefined || protocol === undefined || !source) return undefined;
  const length = (first & 15) * 4;
  if (first >> 4 !== 4 || length < IPV4_HEADER || (fragment & 0x3fff) !== 0) return undefined;
  return { family: 'ip', source, protocol, length };
}

function ipv6(packet: Uint8Array): Header | undefined {
  const [first, protocol] = [number(packet, 0, 1), number(packet, 6, 1)];
  const source = addressAt(packet, 8, 'ip6');
  if (first === undefined || protocol === undefined || !source || first >> 4 !== 6) return undefined;
  return { family: 'ip6', source, protocol, length: IPV6_HEADER };
}

/** The address that a packet's sender says is its own: of ARP, only where it is the sender's MAC that has it. */
export function sourceOf(protocol: number | undefined, packet: Uint8Array, mac: string): Block | undefined {
  if (protocol === IPV4) return versioned(packet, 4);
  if (protocol === IPV6) return versioned(packet, 6);
  if (protocol !== ARP || packet.length < ARP_PACKET) return undefined;
  if (Buffer.from(packet.subarray(0, 6)).toString('hex') !== ARP_HEAD) return undefined;
  return macAt(packet, 8) === mac ? addressAt(packet, 14, 'ip') : undefined;
}

function versioned(packet: Uint8Array, version: 4 | 6): Block | undefined {
  const first = number(packet, 0, 1);
  if (first === undefined || first >> 4 !== version) return undefined;
  return version === 4 ? addressAt(packet, 12, 'ip') : addressAt(packet, 8, 'ip6');
}
