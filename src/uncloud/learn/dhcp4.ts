import type { Block } from '../address.ts';
import { addressAt, macAt, number } from './packet.ts';

/** Ports of RFC 2131. */
export const DHCP_SERVER = 67;
export const DHCP_CLIENT = 68;

export type DhcpType = 'discover' | 'offer' | 'request' | 'decline' | 'ack' | 'nak' | 'release' | 'inform';

const TYPES: readonly (DhcpType | undefined)[] = [
  undefined,
  'discover',
  'offer',
  'request',
  'decline',
  'ack',
  'nak',
  'release',
  'inform',
];

/** A DHCP message (RFC 2131), as far as learning goes. */
export interface DhcpMessage {
  readonly type: DhcpType;
  /** Whether it says that a server sent it (op 2). */
  readonly isReply: boolean;
  /** What an answer has in common with what it answers. */
  readonly transaction: number;
  /** The client's MAC. */
  readonly mac: string;
  /** The address that the client has (ciaddr), and the one that it is given (yiaddr); absent where 0. */
  readonly has?: Block;
  readonly given?: Block;
  /** The address that it asks for, or declines (option 50). */
  readonly requested?: Block;
  /** For how many seconds it is given (option 51); Infinity for ever. */
  readonly lease?: number;
}

const [OP, HTYPE, HLEN, XID, CIADDR, YIADDR, CHADDR, SNAME, FILE, COOKIE, OPTIONS] = [
  0, 1, 2, 4, 12, 16, 28, 44, 108, 236, 240,
] as const;
const MAGIC = 0x63825363;
const ETHERNET = 1;
const FOREVER = 0xffffffff;
const [PAD, REQUESTED, LEASE, OVERLOAD, TYPE, END] = [0, 50, 51, 52, 53, 255] as const;

/** Options by their number, each as it first came. */
type Options = Map<number, Uint8Array>;

function takeOptions(bytes: Uint8Array, into: Options): void {
  for (let at = 0; at < bytes.length; ) {
    const code = bytes[at++] as number;
    if (code === PAD) continue;
    if (code === END) return;
    const length = bytes[at++];
    if (length === undefined || at + length > bytes.length) return;
    if (!into.has(code)) into.set(code, bytes.subarray(at, at + length));
    at += length;
  }
}

function optionsIn(data: Uint8Array): Options {
  const options: Options = new Map();
  takeOptions(data.subarray(OPTIONS), options);
  const overload = single(options, OVERLOAD, 1) ?? 0;
  if (overload & 1) takeOptions(data.subarray(FILE, COOKIE), options);
  if (overload & 2) takeOptions(data.subarray(SNAME, FILE), options);
  return options;
}

function single(options: Options, code: number, size: number): number | undefined {
  const value = options.get(code);
  return value?.length === size ? number(value, 0, size) : undefined;
}

const unlessNone = (address: Block | undefined) => (address?.value === 0n ? undefined : address);

/** Reads a DHCP message for an Ethernet client; undefined where it is none, or cut off. */
export function parseDhcp(data: Uint8Array): DhcpMessage | undefined {
  if (data.length < OPTIONS || number(data, COOKIE, 4) !== MAGIC) return undefined;
  if (data[HTYPE] !== ETHERNET || data[HLEN] !== 6 || (data[OP] !== 1 && data[OP] !== 2)) return undefined;
  const options = optionsIn(data);
  const type = TYPES[single(options, TYPE, 1) ?? 0];
  const transaction = number(data, XID, 4);
  const mac = macAt(data, CHADDR);
  if (type === undefined || transaction === undefined || mac === undefined) return undefined;
  const has = unlessNone(addressAt(data, CIADDR, 'ip'));
  const given = unlessNone(addressAt(data, YIADDR, 'ip'));
  const asked = options.get(REQUESTED);
  const requested = asked?.length === 4 ? unlessNone(addressAt(asked, 0, 'ip')) : undefined;
  const seconds = single(options, LEASE, 4);
  return {
    type,
    isReply: data[OP] === 2,
    transaction,
    mac,
    ...(has && { has }),
    ...(given && { given }),
    ...(requested && { requested }),
    ...(seconds !== undefined && { lease: seconds === FOREVER ? Number.POSITIVE_INFINITY : seconds }),
  };
}
