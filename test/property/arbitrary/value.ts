import fc from 'fast-check';
import { type DatatypeName, datatype } from '../../../src/datatype/index.ts';
import type { Expression } from '../../../src/model/index.ts';

/** A value's place: its type, and its width where the type has none. */
export interface Place {
  readonly type: DatatypeName;
  readonly bits: number;
}

const octet = fc.integer({ min: 0, max: 255 });
const hex = (digits: number) =>
  fc.integer({ min: 0, max: 16 ** digits - 1 }).map((number) => number.toString(16));
const ipv4 = fc.tuple(octet, octet, octet, octet).map((octets) => octets.join('.'));
const ipv6 = fc.oneof(
  fc.tuple(hex(4), hex(4), hex(4)).map(([a, b, c]) => `2001:${a}:${b}::${c}`),
  fc.array(hex(4), { minLength: 8, maxLength: 8 }).map((groups) => groups.join(':')),
);
const ether = fc
  .array(octet, { minLength: 6, maxLength: 6 })
  .map((octets) => octets.map((value) => value.toString(16).padStart(2, '0')).join(':'));
const number = (most: number) => fc.integer({ min: 0, max: most });
const twoDigits = (most: number) => number(most).map((value) => String(value).padStart(2, '0'));
const device = fc.constantFrom('eth0', 'wlan1', 'veth12ab', 'br-lan', 'a', 'fifteencharsxxx');

/** Types whose values are neither numbers nor symbols alone. */
const special: Partial<Record<DatatypeName, fc.Arbitrary<Expression>>> = {
  ipv4_addr: ipv4,
  ipv6_addr: ipv6,
  ether_addr: ether,
  ifname: device,
  iface_index: fc.constantFrom('lo', 7, 12),
  inet_service: number(65535),
  mark: number(0xffffffff),
  uid: number(70000),
  gid: number(70000),
  realm: number(250),
  devgroup: number(1000),
  classid: fc.tuple(hex(4), hex(4)).map(([major, minor]) => `${major}:${minor}`),
  ct_label: number(127),
  time: number(4_000_000),
  hour: fc.tuple(twoDigits(23), twoDigits(59)).map(([hours, minutes]) => `${hours}:${minutes}`),
  date: fc
    .tuple(twoDigits(8), twoDigits(7))
    .map(([month, day]) => `2031-${month.replace(/^0?0$/, '01').padStart(2, '0')}-1${day.slice(1)} 10:00:00`),
  boolean: fc.boolean(),
  string: fc.constantFrom('ftp', 'sip', 'tftp'),
  inet_proto: fc.oneof(fc.constantFrom('tcp', 'udp', 'icmp', 'sctp', 'esp'), number(255)),
  ether_type: fc.constantFrom('ip', 'ip6', 'arp', 'vlan', 0x88cc),
  iface_type: fc.constantFrom('ether', 'ppp', 'loopback'),
  fib_addrtype: fc.constantFrom('unicast', 'local', 'broadcast', 'multicast'),
  nf_proto: fc.constantFrom('ipv4', 'ipv6'),
};

/** A literal of a type that is not a range, a prefix or a list. */
export function value({ type, bits }: Place): fc.Arbitrary<Expression> {
  const known = special[type];
  if (known) return known;
  const symbols = [...(datatype(type).symbols?.keys() ?? [])];
  if (symbols.length > 0) return fc.constantFrom(...symbols);
  return number(bits >= 52 ? 2 ** 52 : 2 ** bits - 1);
}

/** Types that have prefixes, with their width. */
const widths: Partial<Record<DatatypeName, number>> = { ipv4_addr: 32, ipv6_addr: 128 };

/** An address and how many of its leading bits count: the others are zero. */
function prefix({ type }: Place): fc.Arbitrary<Expression> | undefined {
  const width = widths[type];
  if (width === undefined) return undefined;
  const kind = datatype(type);
  return fc
    .tuple(value({ type, bits: width }), fc.integer({ min: 1, max: width - 1 }))
    .map(([address, len]) => {
      const rest = BigInt(width - len);
      return { prefix: { addr: kind.format((kind.parse(address as string) >> rest) << rest), len } };
    });
}

/** Types whose values have an order that a rule can ask for. */
const ordered = new Set<DatatypeName>([
  'ipv4_addr',
  'ipv6_addr',
  'ether_addr',
  'inet_service',
  'integer',
  'mark',
  'uid',
  'gid',
  'time',
  'realm',
  'icmp_type',
  'icmpv6_type',
]);

export const isOrdered = ({ type, bits }: Place): boolean => ordered.has(type) && bits > 1;

/** Two values, the smaller one first. */
function range(place: Place): fc.Arbitrary<Expression> | undefined {
  if (!isOrdered(place)) return undefined;
  const kind = datatype(place.type);
  const number = (literal: Expression) => kind.parse(literal as string, place.bits);
  return fc
    .tuple(value(place), value(place))
    .filter(([a, b]) => number(a) !== number(b))
    .map(([a, b]) => ({ range: number(a) < number(b) ? [a, b] : [b, a] }) as Expression);
}

/** A value, a range or a prefix, whichever the type has. */
export function interval(place: Place): fc.Arbitrary<Expression> {
  return fc.oneof(...[value(place), range(place), prefix(place)].filter((one) => one !== undefined));
}

/** Types whose values are sets of flags. */
export const isBitmask = ({ type }: Place): boolean =>
  ['tcp_flag', 'ct_state', 'ct_status', 'ct_event'].includes(type);
