import { mayHide } from './ipv6.ts';
import { number } from './port.ts';

/** What groups look at in a frame, tagged or not. */
export interface Packet {
  readonly source: string;
  readonly destination: string;
  /** Behind one tag, where there is one. */
  readonly ethertype: number;
  readonly family?: 'ip' | 'ip6';
  readonly saddr?: bigint;
  readonly daddr?: bigint;
  /** The upper layer; absent where its headers cannot be read. */
  readonly protocol?: number;
  /** A fragment that is not the first. */
  readonly isLater?: boolean;
  /** Ends in its own header, or is IPv6 longer than its frame with extension headers: no receiver takes it. */
  readonly isCut?: true;
  /** A first fragment that may not have all headers: its upper layer is not known. */
  readonly mayHide?: true;
  /** A fragment of a fragment: nobody's business. */
  readonly isNested?: true;
  /** The upper layer's own bytes. */
  readonly upper?: Buffer;
}

const FRAGMENT = 44;
const AUTHENTICATION = 51;
/** Headers with others behind them: hop by hop, routing, fragment, authentication, destination (RFC 8200). */
const EXTENSIONS = [0, 43, FRAGMENT, AUTHENTICATION, 60];
/** What is behind the header is for the receiver alone; but for whether it is a later fragment. */
const AUTHENTICATED = { protocol: AUTHENTICATION, upper: Buffer.alloc(0) };

const mac = (bytes: Buffer): string => bytes.toString('hex').replace(/(..)(?=.)/g, '$1:');

export function packetOf(frame: Buffer): Packet {
  const isTagged = frame.length >= 18 && [0x8100, 0x88a8].includes(frame.readUInt16BE(12));
  const at = isTagged ? 16 : 12;
  const ethertype = frame.readUInt16BE(at);
  const packet = frame.subarray(at + 2);
  const ends = { destination: mac(frame.subarray(0, 6)), source: mac(frame.subarray(6, 12)), ethertype };
  if (ethertype === 0x0800) return { ...ends, ...ipv4(packet) };
  if (ethertype === 0x86dd) return { ...ends, ...ipv6(packet) };
  return ends;
}

function ipv4(packet: Buffer): Partial<Packet> {
  const family = 'ip';
  if (packet.length < 20) return { family, isCut: true };
  const ends = { saddr: number(packet.subarray(12, 16)), daddr: number(packet.subarray(16, 20)) };
  const header = (packet.readUInt8(0) & 15) * 4;
  const length = packet.readUInt16BE(2);
  const isLater = (packet.readUInt16BE(6) & 0x1fff) !== 0;
  if (packet.readUInt8(0) >> 4 !== 4 || header < 20 || length < header || length > packet.length)
    return { family, ...ends, isLater };
  return {
    family,
    ...ends,
    isLater,
    protocol: packet.readUInt8(9),
    upper: packet.subarray(header, length),
  };
}

function ipv6(packet: Buffer): Partial<Packet> {
  const family = 'ip6';
  if (packet.length < 40) return { family, isCut: true };
  const ends = { saddr: number(packet.subarray(8, 24)), daddr: number(packet.subarray(24, 40)) };
  const length = packet.readUInt16BE(4);
  if (packet.readUInt8(0) >> 4 !== 6 || 40 + length > packet.length) {
    return { family, ...ends, ...(EXTENSIONS.includes(packet.readUInt8(6)) && { isCut: true as const }) };
  }
  if (mayHide(packet)) return { family, ...ends, mayHide: true };
  const payload = packet.subarray(40, 40 + length);
  let next = packet.readUInt8(6);
  let at = 0;
  let [isAuthenticated, isFragment] = [false, false];
  while (EXTENSIONS.includes(next)) {
    if (payload.length < at + 8) return { family, ...ends, ...(isAuthenticated && AUTHENTICATED) };
    const header = next;
    if (header === FRAGMENT && isFragment) return { family, ...ends, isNested: true };
    isFragment ||= header === FRAGMENT;
    const count = payload.readUInt8(at + 1);
    const offset = header === FRAGMENT ? payload.readUInt16BE(at + 2) >> 3 : 0;
    next = payload.readUInt8(at);
    if (offset !== 0) return { family, ...ends, isLater: true };
    isAuthenticated ||= header === AUTHENTICATION;
    at += header === FRAGMENT ? 8 : header === AUTHENTICATION ? (count + 2) * 4 : (count + 1) * 8;
  }
  if (isAuthenticated) return { family, ...ends, ...AUTHENTICATED };
  return at > payload.length
    ? { family, ...ends }
    : { family, ...ends, protocol: next, upper: payload.subarray(at) };
}
