import {
  and,
  arp,
  type DatatypeName,
  type Expression,
  ether,
  ip,
  ip6,
  meta,
  Operand,
  payload,
  vlan,
} from '../index.ts';
import { addressText, type Block, mask, type Prefix, WIDTH } from './address.ts';
import type { Port } from './port.ts';
import type { Key } from './table.ts';

const concat = (parts: readonly Operand[]) =>
  new Operand({ concat: parts.map(({ expression }) => expression) });

type Part = readonly [field: Operand, type: DatatypeName];

function typed(...parts: readonly Part[]): Key {
  return { operand: concat(parts.map(([field]) => field)), type: parts.map(([, type]) => type) };
}

/** Bare bits of the packet have a width and no type: a named set takes it from the expression. */
function bare(...parts: readonly Operand[]): Key {
  const operand = concat(parts);
  return { operand, type: { typeof: operand.expression } };
}

const PORT: readonly Part[] = [
  [meta.iifname, 'ifname'],
  [ether.saddr, 'ether_addr'],
];

/** A key with what a port has there. */
export interface PortField {
  readonly name: string;
  readonly key: Key;
  element(port: Port): Expression;
}

const macNumber = (mac: string): number => Number.parseInt(mac.replaceAll(':', ''), 16);

/** The port that a frame came in through. */
export const inPort: PortField = {
  name: 'ports',
  key: { operand: meta.iifname, type: 'ifname' },
  element: ({ ifname }) => ifname,
};

/** The MAC that frames from a port have. */
export const source: PortField = {
  name: 'macs',
  key: typed(...PORT),
  element: ({ ifname, mac }) => ({ concat: [ifname, mac] }),
};

/** The MAC that frames to a port have. */
export const destination: PortField = {
  name: 'macs_out',
  key: typed([meta.oifname, 'ifname'], [ether.daddr, 'ether_addr']),
  element: source.element,
};

/** The MAC in the only option of a neighbour solicitation or advertisement. */
export const ndOption: PortField = {
  name: 'nd_macs',
  key: bare(meta.iifname, ether.saddr, payload.raw('th', 26 * 8, 48)),
  element: ({ ifname, mac }) => ({ concat: [ifname, mac, macNumber(mac)] }),
};

/** The sender's hardware address of a RARP frame. */
export const rarpSender: PortField = {
  name: 'rarp_macs',
  key: bare(meta.iifname, payload.raw('nh', 8 * 8, 48)),
  element: ({ ifname, mac }) => ({ concat: [ifname, macNumber(mac)] }),
};

/** The target's, which is looked up in the same set. */
export const rarpTarget: PortField = {
  ...rarpSender,
  key: bare(meta.iifname, payload.raw('nh', 18 * 8, 48)),
};

/** The client's hardware address of a DHCP message (RFC 2131, chaddr) from a port that learns. */
export const client: PortField = {
  name: 'learn_clients',
  key: bare(meta.iifname, payload.raw('th', 36 * 8, 48)),
  element: rarpSender.element,
};
/** The same of one to a port. */
export const clientOut: Key = bare(meta.oifname, payload.raw('th', 36 * 8, 48));
/** The MAC of a frame to a port that learns. */
export const learner: PortField = {
  name: 'learn_macs',
  key: typed([meta.oifname, 'ifname'], [ether.daddr, 'ether_addr']),
  element: source.element,
};

/** An address in the packet that has to be the port's own, and the key to look it up by. */
export interface AddressField {
  readonly family: Prefix['family'];
  readonly name: string;
  /** The key for blocks of this prefix length. */
  key(length: number): Key;
  element(port: Port, block: Block): Expression;
}

/** The field without the bits behind a prefix length. */
export function truncated(family: Prefix['family'], field: Operand, length: number): Operand {
  return length === WIDTH[family] ? field : and(field, addressText(family, mask(family, length)));
}

export const ipSource: AddressField = {
  family: 'ip',
  name: 'ip',
  key: (length) => typed(...PORT, [truncated('ip', ip.saddr, length), 'ipv4_addr']),
  element: ({ ifname, mac }, { text }) => ({ concat: [ifname, mac, text] }),
};

export const ip6Source: AddressField = {
  family: 'ip6',
  name: 'ip6',
  key: (length) => typed(...PORT, [truncated('ip6', ip6.saddr, length), 'ipv6_addr']),
  element: ipSource.element,
};

const arpField = (name: string, address: Operand): AddressField => ({
  family: 'ip',
  name,
  key: (length) =>
    typed(...PORT, [arp['saddr ether'], 'ether_addr'], [truncated('ip', address, length), 'ipv4_addr']),
  element: ({ ifname, mac }, { text }) => ({ concat: [ifname, mac, mac, text] }),
});

/** The sender's hardware and protocol addresses of an ARP packet. */
export const arpSender = arpField('arp', arp['saddr ip']);
/** The sender's hardware address and the address that an ARP probe asks for. */
export const arpProbe = arpField('arp_probe', arp['daddr ip']);

const hex = (value: bigint) => `0x${value.toString(16).padStart(32, '0')}`;

/** The target of a neighbour solicitation or advertisement: bare bits, as `icmpv6 taddr` would ask for its types again. */
const ndTarget = payload.raw('th', 64, 128);

/** The target has to be the port's own. */
export const ndOwnTarget: AddressField = {
  family: 'ip6',
  name: 'nd_target',
  key: (length) =>
    bare(meta.iifname, ether.saddr, length === 128 ? ndTarget : and(ndTarget, hex(mask('ip6', length)))),
  element: ({ ifname, mac }, { value }) => ({ concat: [ifname, mac, hex(value)] }),
};

/** The set of what ports have learnt for a field: of ARP, sender and target have one in common. */
export function learnedSet({ name }: AddressField): string {
  return `learned_${name === arpProbe.name ? arpSender.name : name}`;
}

/** The ids that a port may tag frames with. */
export const trunk: Key = bare(meta.iifname, vlan.id);
/** The same of a port that a frame goes out through. */
export const trunkOut: Key = bare(meta.oifname, vlan.id);

/** The port that a frame goes out through. */
export const outPort: Key = { operand: meta.oifname, type: 'ifname' };

/** What each port has of its own, apart from addresses. */
export const PORT_FIELDS: readonly PortField[] = [source, ndOption, rarpSender];
/** Where a port's addresses may be. */
export const ADDRESS_FIELDS: readonly AddressField[] = [
  ipSource,
  ip6Source,
  arpSender,
  arpProbe,
  ndOwnTarget,
];
