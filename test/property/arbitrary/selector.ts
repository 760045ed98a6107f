import fc from 'fast-check';
import type { Expression } from '../../../src/model/index.ts';
import {
  ctKeys,
  exthdrs,
  type FamilyName,
  headers,
  ipOptions,
  metaKeys,
  sctpChunks,
  tcpOptions,
} from '../../../src/protocol/index.ts';
import type { Place } from './value.ts';

/** A part of the packet or its metadata that a rule can ask for, and what it needs of the packet. */
export interface Selector extends Place {
  readonly expr: Expression;
  readonly network?: 'ip' | 'ip6' | 'arp';
  readonly transport?: string;
  /** ICMP: the message types that have the field. Two such fields must share one. */
  readonly icmp?: string;
  readonly settable?: boolean;
  /** nft 1.0.6 reads it in JSON only as the left side of a match. */
  readonly matchOnly?: boolean;
}

/** What a rule's packets are, so that its statements do not exclude each other. */
export interface Packet {
  readonly family: FamilyName;
  readonly hook: string;
  readonly network: 'ip' | 'ip6' | 'arp' | undefined;
  readonly transport: string | undefined;
}

/** Not in nft 1.0.6, or not in its JSON. */
const unknown = new Set(['gre', 'gretap', 'vxlan', 'geneve', 'inner']);
const unknownFields = new Set(['icmpv6 taddr', 'icmpv6 daddr', 'vlan cfi']);
const link = new Set(['ether', 'vlan']);
const network: Readonly<Record<string, Selector['network']>> = {
  ip: 'ip',
  ip6: 'ip6',
  arp: 'arp',
};
const over: Readonly<Record<string, Selector['network']>> = { icmp: 'ip', igmp: 'ip', icmpv6: 'ip6' };

const payloads: readonly Selector[] = Object.values(headers)
  .filter(({ name }) => !unknown.has(name))
  .flatMap((header) =>
    Object.values(header.fields)
      .filter(({ name }) => !unknownFields.has(`${header.name} ${name}`))
      .map(({ name, type, bits, icmp }) => ({
        expr: { payload: { protocol: header.name, field: name } } as Expression,
        type,
        bits,
        settable: true,
        ...(header.name in network && { network: network[header.name] }),
        ...(header.name in over && { network: over[header.name] }),
        ...(!(header.name in network) && !link.has(header.name) && { transport: header.name }),
        ...(icmp && { icmp: String(icmp) }),
      })),
  );

const isLink = ({ expr }: Selector) =>
  typeof expr === 'object' &&
  'payload' in expr &&
  'protocol' in expr.payload &&
  link.has(expr.payload.protocol);

type Named = 'exthdr' | 'tcp option' | 'ip option' | 'sctp chunk';

function extensions(key: Named, table: typeof exthdrs, needs: Partial<Selector>): readonly Selector[] {
  return Object.values(table)
    .filter(({ name }) => !['rt2', 'rt0'].includes(name))
    .flatMap(({ name, fields }) => [
      ...(key === 'exthdr' && name === 'srh'
        ? []
        : [
            {
              expr: { [key]: { name } } as unknown as Expression,
              type: 'boolean' as const,
              bits: 1,
              matchOnly: true,
              ...needs,
            },
          ]),
      ...Object.values(fields)
        .filter(({ name: field }) => field !== 'kind')
        .map(({ name: field, type, bits }) => ({
          expr: { [key]: { name, field } } as unknown as Expression,
          type,
          bits,
          matchOnly: true,
          ...needs,
        })),
    ]);
}

const inputOnly = new Set(['skuid', 'skgid']);
const unreadable = new Set(['nftrace', 'broute', 'secmark', 'ibrhwaddr', 'sdif']);
const metas: readonly Selector[] = Object.values(metaKeys)
  .filter(({ name }) => !unreadable.has(name) && !inputOnly.has(name))
  .map(({ name, type, bits, settable }) => ({
    expr: { meta: { key: name } } as Expression,
    type,
    bits,
    settable,
  }));

const cts: readonly Selector[] = Object.values(ctKeys)
  .filter(({ name, depends }) => !depends && !['event', 'secmark'].includes(name))
  .flatMap(({ name, type, bits, direction, settable, family }) => {
    const needs = { type, bits, ...(family && { network: family }) };
    const plain = { expr: { ct: { key: name } } as Expression, settable, ...needs };
    const directed = (['original', 'reply'] as const).map((dir) => ({
      expr: { ct: { key: name, dir } } as Expression,
      ...needs,
    }));
    return [...(direction === 'required' ? [] : [plain]), ...(direction === 'none' ? [] : directed)];
  });

const others: readonly Selector[] = [
  { expr: { rt: { key: 'classid' } }, type: 'realm', bits: 32 },
  { expr: { rt: { key: 'nexthop', family: 'ip' } }, type: 'ipv4_addr', bits: 32, network: 'ip' },
  { expr: { rt: { key: 'nexthop', family: 'ip6' } }, type: 'ipv6_addr', bits: 128, network: 'ip6' },
  { expr: { fib: { result: 'type', flags: ['daddr'] } }, type: 'fib_addrtype', bits: 32, matchOnly: true },
  {
    expr: { fib: { result: 'type', flags: ['saddr', 'iif'] } },
    type: 'fib_addrtype',
    bits: 32,
    matchOnly: true,
  },
  { expr: { fib: { result: 'oifname', flags: ['saddr'] } }, type: 'ifname', bits: 128, matchOnly: true },
  { expr: { socket: { key: 'mark' } }, type: 'mark', bits: 32, matchOnly: true },
  { expr: { socket: { key: 'transparent' } }, type: 'integer', bits: 1, matchOnly: true },
  { expr: { ipsec: { key: 'reqid', dir: 'in', spnum: 0 } }, type: 'integer', bits: 32, matchOnly: true },
  { expr: { ipsec: { key: 'spi', dir: 'in', spnum: 1 } }, type: 'integer', bits: 32, matchOnly: true },
  { expr: { numgen: { mode: 'inc', mod: 10, offset: 0 } }, type: 'integer', bits: 3 },
  { expr: { numgen: { mode: 'random', mod: 64, offset: 5 } }, type: 'integer', bits: 5 },
  { expr: { symhash: { mod: 16, offset: 0 } }, type: 'integer', bits: 4 },
  {
    expr: { jhash: { mod: 16, expr: { payload: { protocol: 'ip', field: 'saddr' } }, seed: 7 } },
    type: 'integer',
    bits: 4,
    network: 'ip',
  },
];

const layer3 = new Set<FamilyName>(['ip', 'ip6', 'inet']);

/** Everything that a rule about such packets can ask for. */
export function selectorsOf(packet: Packet): readonly Selector[] {
  const { family } = packet;
  const fits = (selector: Selector) =>
    (selector.network === undefined || selector.network === packet.network) &&
    (selector.transport === undefined || selector.transport === packet.transport);
  return [
    ...payloads.filter((one) => fits(one) && (!isLink(one) || family === 'bridge' || family === 'netdev')),
    ...(packet.network === 'ip6' ? extensions('exthdr', exthdrs, { network: 'ip6' }) : []),
    ...(packet.network === 'ip' ? extensions('ip option', ipOptions, { network: 'ip' }) : []),
    ...(packet.transport === 'tcp' ? extensions('tcp option', tcpOptions, { transport: 'tcp' }) : []),
    ...(packet.transport === 'sctp' ? extensions('sctp chunk', sctpChunks, { transport: 'sctp' }) : []),
    ...metas.filter(({ expr }) => {
      const { key } = (expr as { meta: { key: string } }).meta;
      if (key.startsWith('ibr') || key.startsWith('obr')) return family === 'bridge';
      if (key === 'nfproto') return family === 'inet' && packet.network === undefined;
      if (key === 'protocol') return packet.network === undefined && family !== 'arp';
      if (key === 'l4proto') return packet.transport === undefined && family !== 'arp';
      return true;
    }),
    ...(layer3.has(family) ? [...cts, ...others].filter(fits) : []),
  ];
}

const networks: Readonly<Record<FamilyName, readonly Packet['network'][]>> = {
  ip: ['ip'],
  ip6: ['ip6'],
  inet: ['ip', 'ip6', undefined],
  bridge: ['ip', 'ip6', 'arp', undefined],
  netdev: ['ip', 'ip6', 'arp', undefined],
  arp: ['arp'],
};
const transports: readonly (string | undefined)[] = [
  undefined,
  'tcp',
  'udp',
  'tcp',
  'udp',
  'udplite',
  'sctp',
  'dccp',
  'th',
  'ah',
  'esp',
  'comp',
];
const hooks: Readonly<Record<FamilyName, readonly string[]>> = {
  ip: ['input', 'prerouting', 'forward', 'output'],
  ip6: ['input', 'prerouting', 'forward', 'output'],
  inet: ['input', 'prerouting', 'forward', 'output'],
  bridge: ['input', 'prerouting', 'forward'],
  netdev: ['ingress'],
  arp: ['input', 'output'],
};

export const packet: fc.Arbitrary<Packet> = fc
  .constantFrom<FamilyName>('inet', 'ip', 'ip6', 'bridge', 'netdev', 'arp')
  .chain((family) =>
    fc.record({
      family: fc.constant(family),
      hook: fc.constantFrom(...hooks[family]),
      network: fc.constantFrom(...networks[family]),
      transport: fc.constantFrom(...transports, 'icmp', 'icmpv6', 'igmp'),
    }),
  )
  .map((one): Packet => {
    const carrier = one.transport === undefined ? undefined : over[one.transport];
    if (one.network === 'arp' || (carrier && one.network && carrier !== one.network))
      return { ...one, transport: undefined };
    return carrier ? { ...one, network: carrier } : one;
  });
