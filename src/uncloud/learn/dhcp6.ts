import type { Block } from '../address.ts';
import { addressAt, number } from './packet.ts';

/** Ports of RFC 8415. */
export const DHCP6_CLIENT = 546;
export const DHCP6_SERVER = 547;

const TYPES = {
  1: 'solicit',
  2: 'advertise',
  3: 'request',
  5: 'renew',
  6: 'rebind',
  7: 'reply',
  8: 'release',
  9: 'decline',
} as const;

export type Dhcp6Type = (typeof TYPES)[keyof typeof TYPES];

/** An address with the seconds that it may be used for; Infinity for ever. */
export interface Dhcp6Lease {
  readonly address: Block;
  readonly lease: number;
}

/** A DHCPv6 message between client and server (RFC 8415), as far as learning goes. */
export interface Dhcp6Message {
  readonly type: Dhcp6Type;
  readonly transaction: number;
  /** Addresses that it names, temporary ones included; what a status refuses is left out. */
  readonly addresses: readonly Dhcp6Lease[];
}

const [IA_NA, IA_TA, IA_ADDRESS, STATUS] = [3, 4, 5, 13] as const;
const FOREVER = 0xffffffff;
/** Bytes before the options: of a message, of IA_NA and IA_TA, of an address. */
const [MESSAGE, NA, TA, ADDRESS] = [4, 12, 4, 24] as const;
/** Far more than a client has any use for; of a message that has more the rest is not looked at. */
const MOST = 64;

interface Option {
  readonly code: number;
  readonly data: Uint8Array;
}

/** The options in some bytes, up to the first that is cut off. */
function* optionsIn(bytes: Uint8Array): Generator<Option> {
  for (let at = 0; at + 4 <= bytes.length; ) {
    const [code, length] = [number(bytes, at, 2) as number, number(bytes, at + 2, 2) as number];
    if (at + 4 + length > bytes.length) return;
    yield { code, data: bytes.subarray(at + 4, at + 4 + length) };
    at += 4 + length;
  }
}

/** Whether a status says anything but success. */
function isRefused(options: Uint8Array): boolean {
  for (const { code, data } of optionsIn(options)) {
    if (code === STATUS && number(data, 0, 2) !== 0) return true;
  }
  return false;
}

/** Reads a message of a client or server; undefined where it is neither. */
export function parseDhcp6(data: Uint8Array): Dhcp6Message | undefined {
  const type = TYPES[(data[0] ?? 0) as keyof typeof TYPES] as Dhcp6Type | undefined;
  const transaction = number(data, 1, 3);
  if (type === undefined || transaction === undefined) return undefined;
  const addresses: Dhcp6Lease[] = [];
  if (!isRefused(data.subarray(MESSAGE))) {
    for (const { code, data: association } of optionsIn(data.subarray(MESSAGE))) {
      const size = code === IA_NA ? NA : code === IA_TA ? TA : undefined;
      if (size === undefined || association.length < size || isRefused(association.subarray(size))) continue;
      for (const { code, data } of optionsIn(association.subarray(size))) {
        const address = code === IA_ADDRESS ? addressAt(data, 0, 'ip6') : undefined;
        const valid = number(data, 20, 4);
        if (!address || valid === undefined || isRefused(data.subarray(ADDRESS))) continue;
        addresses.push({ address, lease: valid === FOREVER ? Number.POSITIVE_INFINITY : valid });
        if (addresses.length === MOST) return { type, transaction, addresses };
      }
    }
  }
  return { type, transaction, addresses };
}
