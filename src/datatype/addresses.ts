import { toBytes } from './byteorder.ts';
import { type Datatype, DatatypeError, type Literal } from './datatype.ts';
import { parseNumber } from './number.ts';
import { scanEther, scanIpv4, scanIpv6, scanned } from './scan.ts';
import { unscanIpv4, unscanIpv6, unscanLinkLayer } from './unscan.ts';

const llPattern = /^[0-9a-fA-F]{1,2}(?::[0-9a-fA-F]{1,2})*$/;

const scratch = new DataView(new ArrayBuffer(16));
const scratchBytes = new Uint8Array(scratch.buffer);

/** The number of an IPv4 address in four decimal parts; undefined for anything else, short forms too. */
function readIpv4(text: string): bigint | undefined {
  return scanned(scanIpv4, text, scratchBytes, 0) ? BigInt(scratch.getUint32(0)) : undefined;
}

function writeIpv4(value: bigint): string {
  return unscanIpv4(toBytes(value, 4, 'network'), 0);
}

/** The number of an IPv6 address; undefined for anything else, addresses with a zone too. */
function readIpv6(text: string): bigint | undefined {
  if (!scanned(scanIpv6, text, scratchBytes, 0)) return undefined;
  return (scratch.getBigUint64(0) << 64n) | scratch.getBigUint64(8);
}

function writeIpv6(value: bigint): string {
  return unscanIpv6(toBytes(value, 16, 'network'), 0);
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
    return value;
  },
  scan: scanIpv4,
  unpack: unscanIpv4,
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
  scan: scanIpv6,
  unpack: unscanIpv6,
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
  const length = bits > 0 ? bits / 8 : Math.max(1, Math.ceil(value.toString(16).length / 2));
  return unscanLinkLayer(toBytes(value, length, 'network'), 0, length);
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
  scan: scanEther,
  unpack: (bytes: Uint8Array, at: number) => unscanLinkLayer(bytes, at, 6),
  format: (value: bigint) => formatLinkLayer(value, 48),
});
