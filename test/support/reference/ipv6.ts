import { number, type PortModel } from './port.ts';
import { accept, drop, either, type Verdict } from './verdict.ts';

const HOP_BY_HOP = 0;
const TCP = 6;
const UDP = 17;
const ROUTING = 43;
const FRAGMENT = 44;
const AUTHENTICATION = 51;
const ICMPV6 = 58;
const DESTINATION = 60;
/** Headers that have others behind them (RFC 8200; RFC 4302 for authentication). */
const EXTENSIONS = [HOP_BY_HOP, ROUTING, FRAGMENT, AUTHENTICATION, DESTINATION];

/** A server may answer from any port; its clients all listen on one. */
const DHCPV6_SERVER = 547;
const DHCPV6_CLIENT = 546;
/** Multicast listener query, redirect, renumbering, certification path, multicast router discovery. */
const NEVER = [130, 137, 138, 148, 149, 150, 151];
const ROUTER_SOLICITATION = 133;
const ROUTER_ADVERTISEMENT = 134;
const SOLICITATION = 135;
const ADVERTISEMENT = 136;
const MLD2_REPORT = 143;

interface Header {
  readonly type: number;
  readonly at: number;
  readonly length: number;
}

/** The headers behind the IPv6 header, and what they lead to. */
interface Chain {
  readonly headers: readonly Header[];
  readonly upper: number;
  /** Where the upper layer begins. */
  readonly at: number;
  /** The chain ends in the middle of a header. */
  readonly isCut: boolean;
  /** The first fragment header's offset. */
  readonly offset?: number;
}

function chainOf(first: number, payload: Buffer): Chain {
  const headers: Header[] = [];
  let upper = first;
  let at = 0;
  let offset: number | undefined;
  while (EXTENSIONS.includes(upper)) {
    const head = { headers, upper, at, ...(offset !== undefined && { offset }) };
    if (payload.length < at + 8) return { ...head, isCut: true };
    const next = payload.readUInt8(at);
    const count = payload.readUInt8(at + 1);
    const length = upper === FRAGMENT ? 8 : upper === AUTHENTICATION ? (count + 2) * 4 : (count + 1) * 8;
    headers.push({ type: upper, at, length });
    if (upper === FRAGMENT && offset === undefined) {
      offset = payload.readUInt16BE(at + 2) >> 3;
      if (offset !== 0) return { headers, upper: next, at: at + 8, isCut: false, offset };
    }
    upper = next;
    at += length;
  }
  return { headers, upper, at, isCut: payload.length < at, ...(offset !== undefined && { offset }) };
}

export function ipv6(port: PortModel, packet: Buffer): Verdict {
  if (packet.length < 40 || (packet[0] ?? 0) >> 4 !== 6) return drop('no IPv6 header');
  const length = packet.readUInt16BE(4);
  const next = packet.readUInt8(6);
  const source = number(packet.subarray(8, 24));
  const payload = packet.subarray(40, 40 + length);

  if (source !== 0n && !port.owns6(source)) return drop("IPv6 source is not the port's");
  if (payload.length < length) return either('IPv6 cut off before its end');
  if (source === 0n) return unspecified(port, next, payload);
  const chain = chainOf(next, payload);
  if (chain.headers.length === 0 && !chain.isCut) return upper(port, next, payload);
  if (chain.offset !== undefined && chain.offset !== 0) return accept('later IPv6 fragment, own source');
  if (chain.headers.some(({ type }) => type === FRAGMENT)) return firstFragment(port, chain, payload);
  if (chain.isCut) return either('IPv6 cut off within its headers');
  return extended(port, chain, payload);
}

/** `::` is for those who have no address yet: whole messages, recognized by their exact size. */
function unspecified(port: PortModel, next: number, payload: Buffer): Verdict {
  if (next === HOP_BY_HOP) {
    const isReport =
      payload.length > 8 && payload[0] === ICMPV6 && payload[1] === 0 && payload[8] === MLD2_REPORT;
    if (isReport) return accept('MLDv2 report from ::');
    return payload.length > 8 || payload[0] !== ICMPV6 ? drop(':: for something else') : either('cut off');
  }
  if (next !== ICMPV6) return drop(':: for something else');
  if (payload.length === 8 && payload[0] === ROUTER_SOLICITATION)
    return accept('router solicitation from ::');
  const hasNonce = payload.length === 32 && payload.readUInt16BE(24) === 0x0e01;
  if (payload[0] !== SOLICITATION || !(payload.length === 24 || hasNonce))
    return drop(':: for something else');
  return port.owns6(number(payload.subarray(8, 24)))
    ? accept('duplicate address detection')
    : drop('duplicate address detection of a foreign target');
}

/** The upper layer right behind the IPv6 header. */
function upper(port: PortModel, protocol: number, payload: Buffer): Verdict {
  if (protocol === UDP) return udp(port, payload);
  if (protocol !== ICMPV6) return accept('IPv6 from an own address');
  const type = payload[0];
  if (type === undefined) return either('ICMPv6 without a type');
  if (NEVER.includes(type)) return drop(`ICMPv6 type ${type}`);
  if (type === ROUTER_ADVERTISEMENT)
    return port.isPrivate
      ? accept('router advertisement on a private network')
      : drop('router advertisement');
  if (type === SOLICITATION || type === ADVERTISEMENT) return discovery(port, type, payload);
  return accept('ICMPv6 from an own address');
}

function udp(port: PortModel, payload: Buffer): Verdict {
  if (payload.length < 4) return either('UDP cut off before its ports');
  const isServer = payload.readUInt16BE(0) === DHCPV6_SERVER || payload.readUInt16BE(2) === DHCPV6_CLIENT;
  return !isServer || port.isPrivate ? accept('UDP from an own address') : drop('DHCPv6 server');
}

/** RFC 4861 4.3, 4.4: 24 bytes, and one link-layer address option of 8 bytes at most. */
function discovery(port: PortModel, type: number, payload: Buffer): Verdict {
  if (payload.length !== 24 && payload.length !== 32) return drop('ND with other options');
  if (payload.length === 32) {
    if (payload.readUInt16BE(24) !== (type === SOLICITATION ? 0x0101 : 0x0201))
      return drop('ND with another option');
    if (payload.toString('hex', 26, 32) !== port.mac.replaceAll(':', ''))
      return drop('ND with a foreign MAC');
  }
  if (type === SOLICITATION) return accept('neighbour solicitation');
  if ((payload.readUInt8(4) & 0x80) !== 0 && !port.isPrivate) return drop('ND that says it is a router');
  return port.owns6(number(payload.subarray(8, 24)))
    ? accept('neighbour advertisement of an own target')
    : drop('neighbour advertisement of a foreign target');
}

/** The upper layer behind extension headers: nothing that has to be looked into passes. */
function extended(port: PortModel, { headers, upper, at }: Chain, payload: Buffer): Verdict {
  const authenticated = headers.findIndex(({ type }) => type === AUTHENTICATION);
  if (authenticated !== -1) {
    // The kernel does not look behind it, so nothing may follow that others look into.
    const next = payload.readUInt8(headers[authenticated]?.at ?? 0);
    return [...EXTENSIONS, UDP, ICMPV6].includes(next)
      ? drop('something to check behind an authentication header')
      : accept('behind an authentication header');
  }
  const rest = payload.subarray(at);
  if (upper === UDP) return udp(port, rest);
  if (upper !== ICMPV6) return accept('IPv6 with extension headers from an own address');
  const type = rest[0];
  if (type === undefined) return either('ICMPv6 without a type');
  return [...NEVER, ROUTER_ADVERTISEMENT, SOLICITATION, ADVERTISEMENT].includes(type)
    ? drop(`ICMPv6 type ${type} behind extension headers`)
    : accept('ICMPv6 behind extension headers');
}

/**
 * RFC 7112: a first fragment has the whole chain. That it has must be certain from the lengths alone: no
 * more than one header of 64 bytes beside the fragment header, and room for what may follow it.
 */
function firstFragment(port: PortModel, chain: Chain, payload: Buffer): Verdict {
  return isWhole(chain, payload)
    ? extended(port, chain, payload)
    : drop('first fragment that may hide its upper layer');
}

/** A first fragment of which it is not certain that it has all headers. */
export function mayHide(packet: Buffer): boolean {
  const length = packet.readUInt16BE(4);
  const payload = packet.subarray(40, 40 + length);
  const chain = chainOf(packet.readUInt8(6), payload);
  const isFirst = chain.headers.some(({ type }) => type === FRAGMENT) && !chain.offset;
  return isFirst && !isWhole(chain, payload);
}

function isWhole(chain: Chain, payload: Buffer): boolean {
  const [first, second, ...more] = chain.headers;
  const fragment = chain.headers.find(({ type }) => type === FRAGMENT);
  const beside = chain.headers.filter((header) => header !== fragment && header.type !== AUTHENTICATION);
  if (chain.isCut || !first || !fragment) return false;
  if (chain.headers.some(({ type }) => type === AUTHENTICATION)) return false;
  if (more.length > 0 || beside.some(({ length }) => length > 64)) return false;
  if (second && first === fragment && second.type !== DESTINATION) return false;
  if (payload.length < (second ? 8 + 64 + 20 : 16)) return false;
  if (chain.upper === TCP && payload.length < 28) return false;
  return true;
}
