import ipaddr from 'ipaddr.js';
import { toBytes } from './byteorder.ts';
import { type Datatype, DatatypeError, type Literal } from './datatype.ts';
import { parseNumber } from './number.ts';

const octet = '(0|[1-9][0-9]{0,2})';
const ipv4Pattern = new RegExp(`^${octet}\\.${octet}\\.${octet}\\.${octet}$`);
const ipv6Letters = /^[0-9a-fA-F:]+$/;
const llPattern = /^[0-9a-fA-F]{1,2}(?::[0-9a-fA-F]{1,2})*$/;

/** The number of an IPv4 address in four decimal parts; undefined for anything else, short forms too. */
function readIpv4(text: string): number | undefined {
  const parts = ipv4Pattern.exec(text);
  if (parts === null) return undefined;
  let value = 0;
  for (let i = 1; i <= 4; i++) {
    const part = Number(parts[i]);
    if (part > 255) return undefined;
    value = value * 256 + part;
  }
  return value;
}

function writeIpv4(value: bigint): string {
  return toBytes(value, 4, 'network').join('.');
}

/**
 * The number of an IPv6 address; undefined for anything else, addresses with a zone too. A dotted last part
 * is turned into two groups first, because ipaddr.js takes the compatible `::192.0.2.1` for a mapped one.
 */
function readIpv6(text: string): bigint | undefined {
  const dotted = text.slice(text.lastIndexOf(':') + 1);
  let groups = text;
  if (dotted.includes('.')) {
    const last = readIpv4(dotted);
    if (last === undefined) return undefined;
    groups = `${text.slice(0, -dotted.length)}${(last >>> 16).toString(16)}:${(last & 0xffff).toString(16)}`;
  }
  if (!ipv6Letters.test(groups)) return undefined;
  try {
    return fromGroups(ipaddr.IPv6.parse(groups).parts);
  } catch {
    return undefined;
  }
}

function fromGroups(groups: readonly number[]): bigint {
  return BigInt(`0x${groups.map((group) => group.toString(16).padStart(4, '0')).join('')}`);
}

function toGroups(value: bigint): number[] {
  const digits = value.toString(16).padStart(32, '0');
  return Array.from({ length: 8 }, (_, i) => Number.parseInt(digits.slice(i * 4, i * 4 + 4), 16));
}

/** RFC 5952 text; the mapped and the compatible IPv4 addresses have their last part dotted, as inet_ntop(3). */
function writeIpv6(value: bigint): string {
  const high = value >> 32n;
  if (high === 0xffffn) return `::ffff:${writeIpv4(value)}`;
  if (high === 0n && value > 0xffffn) return `::${writeIpv4(value)}`;
  return new ipaddr.IPv6(toGroups(value)).toRFC5952String();
}

/** An IPv4 address: four decimal parts, no short or octal forms. A number is the address itself. */
export const ipv4Addr: Datatype = Object.freeze({
  name: 'ipv4_addr',
  id: 7,
  bits: 32,
  byteorder: 'network',
  base: 'integer',
  parse(literal: Literal) {
    const expected = 'an IPv4 address such as 192.0.2.1';
    if (typeof literal !== 'string') return parseNumber('ipv4_addr', literal, 32, expected);
    const value = readIpv4(literal);
    if (value === undefined) throw new DatatypeError('ipv4_addr', literal, expected);
    return BigInt(value);
  },
  format: writeIpv4,
});

/** An IPv6 address, without a zone. A number is the address itself. */
export const ipv6Addr: Datatype = Object.freeze({
  name: 'ipv6_addr',
  id: 8,
  bits: 128,
  byteorder: 'network',
  base: 'integer',
  parse(literal: Literal) {
    const expected = 'an IPv6 address such as 2001:db8::1';
    if (typeof literal !== 'string') return parseNumber('ipv6_addr', literal, 128, expected);
    const value = readIpv6(literal);
    if (value === undefined) throw new DatatypeError('ipv6_addr', literal, expected);
    return value;
  },
  format: writeIpv6,
});

function parseLinkLayer(type: string, literal: Literal, bits: number, expected: string): bigint {
  if (typeof literal !== 'string') return parseNumber(type, literal, bits, expected);
  const parts = llPattern.test(literal) ? literal.split(':') : [];
  if (parts.length === 0 || (bits > 0 && parts.length * 8 !== bits)) {
    throw new DatatypeError(type, literal, expected);
  }
  return BigInt(`0x${parts.map((part) => part.padStart(2, '0')).join('')}`);
}

function formatLinkLayer(value: bigint, bits: number): string {
  const digits = value.toString(16);
  const length = bits > 0 ? bits / 8 : Math.ceil(digits.length / 2);
  return (digits.padStart(length * 2, '0').match(/../g) as string[]).join(':');
}

/** A link layer address of as many bytes as the place it stands in has. */
export const llAddr: Datatype = Object.freeze({
  name: 'll_addr',
  id: 6,
  bits: 0,
  byteorder: 'network',
  base: 'integer',
  parse: (literal: Literal, bits = 0) =>
    parseLinkLayer(
      'll_addr',
      literal,
      bits,
      bits > 0
        ? `${bits / 8} bytes in hexadecimal with colons between them`
        : 'bytes in hexadecimal with colons between them',
    ),
  format: (value: bigint, bits = 0) => formatLinkLayer(value, bits),
});

/** An Ethernet address: six bytes of one or two hexadecimal digits. A number is the address itself. */
export const etherAddr: Datatype = Object.freeze({
  name: 'ether_addr',
  id: 9,
  bits: 48,
  byteorder: 'network',
  base: 'integer',
  parse: (literal: Literal) =>
    parseLinkLayer('ether_addr', literal, 48, 'an Ethernet address such as 52:54:00:12:34:56'),
  format: (value: bigint) => formatLinkLayer(value, 48),
});
