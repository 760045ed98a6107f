import { type Datatype, DatatypeError, type Literal } from './datatype.ts';
import { nearest } from './nearest.ts';
import { describeNumbers, readNumber } from './number.ts';
import { protocolAliases, protocols } from './protocols.ts';
import { services } from './services.ts';
import { symbolic } from './symbolic.ts';

const protocol = symbolic({
  name: 'inet_proto',
  id: 12,
  bits: 8,
  byteorder: 'network',
  symbols: protocols,
  aliases: protocolAliases,
});

/** The protocol inside an IP packet: `tcp`, `ipv6-icmp` (`icmpv6` is understood too); any letter case. */
export const inetProto: Datatype = Object.freeze({
  ...protocol,
  parse: (literal: Literal) => protocol.parse(typeof literal === 'string' ? literal.toLowerCase() : literal),
});

/** Made when somebody asks for them: they are many, and a start is short without them. */
let serviceSymbols: ReadonlyMap<string, bigint> | undefined;

/** A port. Names are understood, numbers are what is listed. */
export const inetService: Datatype = Object.freeze({
  name: 'inet_service',
  id: 13,
  bits: 16,
  byteorder: 'network',
  base: 'integer',
  get symbols() {
    serviceSymbols ??= new Map(Object.entries(services).map(([name, port]) => [name, BigInt(port)]));
    return serviceSymbols;
  },
  parse(literal: Literal) {
    const value = readNumber(literal);
    if (value !== undefined && value <= 0xffffn) return value;
    if (typeof literal === 'string' && Object.hasOwn(services, literal)) {
      return BigInt(services[literal] as number);
    }
    const near =
      typeof literal === 'string' && value === undefined ? nearest(literal, Object.keys(services)) : [];
    const names = near.length > 0 ? ` or the name of a service (nearest: ${near.join(', ')})` : '';
    throw new DatatypeError('inet_service', literal, `${describeNumbers(16)}${names}`);
  },
  packNumber(literal: number, into: Uint8Array, at: number) {
    if (!(literal >= 0 && literal <= 0xffff && Number.isInteger(literal))) return false;
    into[at] = literal >> 8;
    into[at + 1] = literal;
    return true;
  },
  format: Number,
});

/** The address family of a packet. */
export const nfProto: Datatype = symbolic({
  name: 'nf_proto',
  id: 2,
  bits: 8,
  byteorder: 'host',
  symbols: { ipv4: 2, ipv6: 10 },
});

/** The differentiated services code point of an IP packet (RFC 2474, RFC 2597, RFC 3246, RFC 8622). */
export const dscp: Datatype = symbolic({
  name: 'dscp',
  id: 36,
  bits: 6,
  byteorder: 'network',
  hexDigits: 2,
  symbols: {
    cs0: 0x00,
    cs1: 0x08,
    cs2: 0x10,
    cs3: 0x18,
    cs4: 0x20,
    cs5: 0x28,
    cs6: 0x30,
    cs7: 0x38,
    df: 0x00,
    be: 0x00,
    lephb: 0x01,
    af11: 0x0a,
    af12: 0x0c,
    af13: 0x0e,
    af21: 0x12,
    af22: 0x14,
    af23: 0x16,
    af31: 0x1a,
    af32: 0x1c,
    af33: 0x1e,
    af41: 0x22,
    af42: 0x24,
    af43: 0x26,
    va: 0x2c,
    ef: 0x2e,
  },
  aliases: { le: 0x01 },
});

/** Explicit congestion notification (RFC 3168). */
export const ecn: Datatype = symbolic({
  name: 'ecn',
  id: 37,
  bits: 2,
  byteorder: 'network',
  hexDigits: 1,
  symbols: { 'not-ect': 0, ect1: 1, ect0: 2, ce: 3 },
});

/** What the routing tables say of an address (`RTN_*`). */
export const fibAddrtype: Datatype = symbolic({
  name: 'fib_addrtype',
  id: 38,
  bits: 32,
  byteorder: 'host',
  symbols: {
    unspec: 0,
    unicast: 1,
    local: 2,
    broadcast: 3,
    anycast: 4,
    multicast: 5,
    blackhole: 6,
    unreachable: 7,
    prohibit: 8,
  },
});
