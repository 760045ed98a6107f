import type { Expression } from '../src/index.ts';

const hex = (byte: number) => byte.toString(16).padStart(2, '0');
const byte = (i: number, n: number) => (i >>> (n * 8)) & 0xff;

/** The i-th of many IPv4 addresses. */
export function ipv4(i: number): string {
  return `10.${byte(i, 2)}.${byte(i, 1)}.${byte(i, 0)}`;
}

/** The i-th of many IPv6 addresses, as an address made from a MAC address looks. */
export function ipv6(i: number): string {
  return `2a0a:e5c1:111:${(i >>> 16).toString(16)}:0:f0ff:fe${hex(byte(i, 2))}:${(i & 0xffff).toString(16)}`;
}

/** The i-th of many MAC addresses. */
export function mac(i: number): string {
  return `02:00:${hex(byte(i, 3))}:${hex(byte(i, 2))}:${hex(byte(i, 1))}:${hex(byte(i, 0))}`;
}

/** The name of the i-th interface. */
export function ifname(i: number): string {
  return `v${i.toString(16)}-0`;
}

/** One kind of key: its type, and the i-th of many keys. */
export interface KeyKind {
  readonly type: string | readonly string[];
  readonly key: (i: number) => Expression;
  /** In nft's syntax. */
  readonly text: (i: number) => string;
}

/** The kinds of key that sets are measured with. */
export const keyKinds = {
  ipv4_addr: { type: 'ipv4_addr', key: ipv4, text: ipv4 },
  'ifname . ether_addr . ipv6_addr': {
    type: ['ifname', 'ether_addr', 'ipv6_addr'],
    key: (i) => ({ concat: [ifname(i), mac(i), ipv6(i)] }),
    text: (i) => `"${ifname(i)}" . ${mac(i)} . ${ipv6(i)}`,
  },
} as const satisfies Record<string, KeyKind>;

/** The numbers from 0 on. */
export function count<T>(size: number, item: (i: number) => T): T[] {
  return Array.from({ length: size }, (_, i) => item(i));
}
