import {
  arp,
  type Expression,
  ether,
  icmp,
  icmpv6,
  ip,
  ip6,
  type Operand,
  payload,
  type SetType,
  tcp,
  udp,
} from '../index.ts';
import { block, type Prefix, prefixText, WIDTH } from './address.ts';
import { identifier, mac } from './check.ts';
import { icmpType, type PortRange, portRange, protocolNumber } from './group.ts';
import { Refused } from './problem.ts';

/** What a filter can compare, and what its values are. */
export type FieldKind = 'mac' | 'ip' | 'ip6' | 'number' | 'port';

export interface FilterField {
  readonly kind: FieldKind;
  readonly operand: Operand;
  /** Bare bits take numbers, and no type of their own. */
  readonly bare?: true;
  /** The datatype of what is not bare. */
  readonly type?: SetType;
  /** Reads a number by its name. */
  readonly number?: (value: unknown, path: string) => number;
}

/** A value that a field is compared with: plain data, as the policy that it is part of. */
export type FieldValue =
  | { readonly kind: 'mac'; readonly text: string }
  | { readonly kind: 'block'; readonly cidr: string }
  | { readonly kind: 'range'; readonly range: PortRange };

const ETHERTYPES: Readonly<Record<string, number>> = {
  ip: 0x0800,
  arp: 0x0806,
  rarp: 0x8035,
  vlan: 0x8100,
  ip6: 0x86dd,
};

function integer(most: number, names: Readonly<Record<string, number>> = {}) {
  return (value: unknown, path: string): number => {
    const number = typeof value === 'string' ? names[value] : value;
    if (typeof number === 'number' && Number.isInteger(number) && number >= 0 && number <= most)
      return number;
    throw new Refused(
      path,
      `not a number to ${most}${Object.keys(names)
        .map((name) => `, ${name}`)
        .join('')}`,
    );
  };
}

const operation = integer(65535, { request: 1, reply: 2, 'request-reverse': 3, 'reply-reverse': 4 });
const bits = (at: number, length: number): Operand => payload.raw('nh', at, length);
const types = (protocol: 'icmp' | 'icmpv6') => (value: unknown, path: string) =>
  icmpType(protocol, value, path);

/** By the names that filters have for them. */
export const FILTER_FIELDS: Readonly<Record<string, FilterField>> = {
  'ether.saddr': { kind: 'mac', operand: ether.saddr, type: 'ether_addr' },
  'ether.daddr': { kind: 'mac', operand: ether.daddr, type: 'ether_addr' },
  'ether.type': {
    kind: 'number',
    operand: ether.type,
    type: 'ether_type',
    number: integer(65535, ETHERTYPES),
  },
  'arp.operation': { kind: 'number', operand: arp.operation, type: 'arp_op', number: operation },
  'arp.saddr.ether': { kind: 'mac', operand: arp['saddr ether'], type: 'ether_addr' },
  'arp.saddr.ip': { kind: 'ip', operand: arp['saddr ip'], type: 'ipv4_addr' },
  'arp.daddr.ether': { kind: 'mac', operand: arp['daddr ether'], type: 'ether_addr' },
  'arp.daddr.ip': { kind: 'ip', operand: arp['daddr ip'], type: 'ipv4_addr' },
  // Bare bits: nft has no words for RARP, which is as long as ARP.
  'rarp.operation': { kind: 'number', operand: bits(48, 16), bare: true, number: operation },
  'rarp.saddr.ether': { kind: 'mac', operand: bits(64, 48), bare: true },
  'rarp.saddr.ip': { kind: 'ip', operand: bits(112, 32), bare: true },
  'rarp.daddr.ether': { kind: 'mac', operand: bits(144, 48), bare: true },
  'rarp.daddr.ip': { kind: 'ip', operand: bits(192, 32), bare: true },
  'ip.saddr': { kind: 'ip', operand: ip.saddr, type: 'ipv4_addr' },
  'ip.daddr': { kind: 'ip', operand: ip.daddr, type: 'ipv4_addr' },
  'ip.protocol': { kind: 'number', operand: ip.protocol, type: 'inet_proto', number: protocolNumber },
  'ip6.saddr': { kind: 'ip6', operand: ip6.saddr, type: 'ipv6_addr' },
  'ip6.daddr': { kind: 'ip6', operand: ip6.daddr, type: 'ipv6_addr' },
  'ip6.nexthdr': { kind: 'number', operand: ip6.nexthdr, type: 'inet_proto', number: protocolNumber },
  'tcp.sport': { kind: 'port', operand: tcp.sport, type: 'inet_service' },
  'tcp.dport': { kind: 'port', operand: tcp.dport, type: 'inet_service' },
  'udp.sport': { kind: 'port', operand: udp.sport, type: 'inet_service' },
  'udp.dport': { kind: 'port', operand: udp.dport, type: 'inet_service' },
  'icmp.type': { kind: 'number', operand: icmp.type, type: 'icmp_type', number: types('icmp') },
  'icmpv6.type': { kind: 'number', operand: icmpv6.type, type: 'icmpv6_type', number: types('icmpv6') },
};

/** Reads a value for a field. */
export function fieldValue(field: FilterField, value: unknown, path: string): FieldValue {
  switch (field.kind) {
    case 'mac':
      return { kind: 'mac', text: anyMac(value, path) };
    case 'ip':
    case 'ip6':
      return { kind: 'block', cidr: blockOf(field.kind, value, path) };
    case 'port':
      return { kind: 'range', range: portRange(value, path) };
    case 'number': {
      const number = (field.number as NonNullable<FilterField['number']>)(value, path);
      return { kind: 'range', range: [number, number] };
    }
  }
}

/** A MAC, of a group or of one. */
function anyMac(value: unknown, path: string): string {
  if (typeof value === 'string' && /^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/i.test(value)) return value.toLowerCase();
  return mac(value, path);
}

function blockOf(family: Prefix['family'], value: unknown, path: string): string {
  try {
    const text = String(value);
    const prefix = block(text.includes('/') ? text : `${text}/${WIDTH[family]}`);
    if (prefix.family === family) return prefixText(prefix);
  } catch (error) {
    throw new Refused(path, (error as Error).message);
  }
  throw new Refused(path, family === 'ip' ? 'not IPv4' : 'not IPv6');
}

/** The set of the values that ports have for a variable in a field; networks are in one for each length. */
export function fieldSet(variable: string, field: string, length?: number): string {
  const name = `var_${identifier(variable)}_${field.replaceAll('.', '_')}`;
  return length === undefined ? name : `${name}_${length}`;
}

/** A value as an element of a set. */
export function fieldElement({ bare }: FilterField, value: FieldValue): Expression {
  switch (value.kind) {
    case 'mac':
      return bare ? Number.parseInt(value.text.replaceAll(':', ''), 16) : value.text;
    case 'range':
      return value.range[0];
    case 'block': {
      const { value: address, text } = block(value.cidr);
      return bare ? Number(address) : text;
    }
  }
}
