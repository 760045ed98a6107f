import ipaddr from 'ipaddr.js';
import type { BridgePlan } from '../../support/frames/rig.ts';
import type {
  FilterRecord,
  FilterRuleRecord,
  GroupRecord,
  HostRecord,
  NicRecord,
  PeerRecord,
} from '../../support/reference/index.ts';
import type { Random } from './random.ts';

export const bridgeMacs = { br100: '02:00:00:00:01:00', br200: '02:00:00:00:02:00' } as const;

/** The bridges that every scene has; who is behind their ports differs. */
export const plan: Readonly<Record<string, BridgePlan>> = {
  br100: { ports: ['up0', 'p0', 'p1', 'p2'], mac: bridgeMacs.br100 },
  br200: { ports: ['up1', 'q0', 'q1', 'q2'], mac: bridgeMacs.br200 },
  br300: { ports: ['o0', 'o1'] },
};

/** A policy that a scene has, and those who live in it. */
export interface Scene {
  readonly host: HostRecord & { readonly sets: string };
  readonly policy: {
    readonly vms: Record<string, { readonly nics: readonly NicRecord[] }>;
    readonly groups: Readonly<Record<string, GroupRecord>>;
    readonly filters: Readonly<Record<string, FilterRecord>>;
  };
}

const text4 = (value: number): string => [24, 16, 8, 0].map((shift) => (value >>> shift) & 255).join('.');

function block4(random: Random, lengths: readonly number[]): string {
  const length = random.pick(lengths);
  const value = (10 << 24) | random.below(1 << 24);
  return `${text4(length === 32 ? value : (value >>> (32 - length)) << (32 - length))}/${length}`;
}

function block6(random: Random, lengths: readonly number[]): string {
  const length = random.pick(lengths);
  const bytes = Buffer.concat([Buffer.from('20010db8', 'hex'), random.bytes(12)]);
  for (let bit = length; bit < 128; bit++) bytes[bit >> 3]! &= ~(0x80 >> (bit & 7));
  return `${ipaddr.fromByteArray([...bytes]).toString()}/${length}`;
}

const some = <T>(random: Random, most: number, make: () => T): T[] =>
  Array.from({ length: random.below(most + 1) }, make);

function nic(random: Random, ifname: string, bridge: string, index: number): NicRecord {
  const mac = `02:00:${random.bytes(3).toString('hex').replace(/(..)/g, '$1:')}0${index}`;
  const linkLocal = random.weighted<NicRecord['linkLocal'] | undefined>([
    [5, undefined],
    [1, 'eui64'],
    [1, 'any'],
    [1, []],
    [2, [`fe80::${index + 1}`, `fe80::${(index + 1) * 0x1111}`]],
  ]);
  // Equal lengths in one policy share a rule, different ones a chain: few lengths give both.
  const [lengths4, lengths6] = [
    random.pick([[32], [32, 24], [32, 30, 17, 24]]),
    random.pick([[128], [128, 64], [128, 64, 61, 127, 48]]),
  ];
  return {
    ifname,
    bridge,
    mac,
    ipv4: some(random, 3, () => block4(random, lengths4)),
    ipv6: some(random, 3, () => block6(random, lengths6)),
    ...(linkLocal !== undefined && { linkLocal }),
    ...(random.percent(25) && { vlans: random.pick([[5], [1, '4-6'], ['4000-4094']]) }),
    // More than is sent.
    ...(random.percent(20) && { broadcasts: random.pick(['999999/second', '100000/day', 'any']) }),
  };
}

const GROUPS = ['g0', 'g1', 'g2'] as const;

function group(random: Random, name: string): GroupRecord {
  const peer = (): PeerRecord =>
    random.weighted<PeerRecord>([
      [3, '0.0.0.0/0'],
      [3, '::/0'],
      [4, block4(random, [9, 12, 16])],
      [3, block6(random, [33, 34, 36])],
      [2, { group: random.pick(GROUPS.filter((other) => other !== name)) }],
      [2, { vm: `vm${random.below(6)}` }],
      [1, { mac: bridgeMacs.br100 }],
    ]);
  const rule = () => {
    const direction = random.pick(['in', 'out'] as const);
    const ports = () => random.pick([[53], [5000, '60-70'], ['500-600'], ['1024-65535']]);
    const peers = random.percent(40)
      ? { [direction === 'in' ? 'from' : 'to']: [peer(), ...some(random, 2, peer)] }
      : {};
    return {
      direction,
      action: random.pick(['accept', 'accept', 'drop', 'reject'] as const),
      ...random.weighted([
        [2, {}],
        [2, { family: random.pick(['ip', 'ip6'] as const) }],
        [3, { protocol: random.pick(['tcp', 'udp']), ports: ports() }],
        [2, { protocol: random.pick(['tcp', 'udp']), ports: ports(), sourcePorts: ports() }],
        [1, { protocol: random.pick(['tcp', 'udp', 'icmp', 'icmpv6']) }],
        [1, { protocol: 'icmp', types: [8, 13] }],
        [1, { protocol: 'icmpv6', types: [128, 144] }],
      ] as [number, object][]),
      ...peers,
    };
  };
  return {
    rules: some(random, 4, rule),
    ...(random.percent(30) && {
      members: [block4(random, [9, 12]), ...some(random, 1, () => ({ vm: 'vm0' }))],
    }),
    ...(random.percent(20) && { default: { [random.pick(['in', 'out'])]: random.pick(['accept', 'drop']) } }),
  };
}

/** Those of libvirt that need no variable of the NIC. */
const NAMED = [
  ...['allow-arp', 'allow-dhcp', 'allow-dhcpv6', 'allow-incoming-ipv4', 'allow-incoming-ipv6', 'allow-ipv4'],
  ...['allow-ipv6', 'clean-traffic', 'no-arp-ip-spoofing', 'no-arp-mac-spoofing', 'no-arp-spoofing'],
  ...['no-ip-multicast', 'no-ip-spoofing', 'no-ipv6-spoofing', 'no-mac-broadcast', 'no-mac-spoofing'],
  ...['no-other-rarp-traffic', 'qemu-announce-self', 'qemu-announce-self-rarp'],
] as const;

/** A filter that may refer to libvirt's, to port security and to some others. */
function filter(random: Random, others: readonly string[]): FilterRecord {
  const value = (field: string): string | number | (string | number)[] => {
    if (field === 'ether.type') return random.pick(['ip', 'ip6', 'arp', 'rarp', 'vlan', 0x88cc]);
    if (field === 'ether.saddr' || field.endsWith('.ether')) return '$MAC';
    if (field === 'ether.daddr') return ['ff:ff:ff:ff:ff:ff', '33:33:00:00:00:01'];
    if (field.endsWith('.operation')) return random.pick(['request', 'reply']);
    if (field === 'ip.protocol' || field === 'ip6.nexthdr') return random.pick(['tcp', 'udp', [6, 17, 58]]);
    if (field.endsWith('port')) return random.pick([53, [67, 68], '1-1023', ['60-70', '540-550']]);
    if (field.startsWith('ip6'))
      return random.pick<string | string[]>(['$IPV6', 'ff02::1', ['fe80::/10', block6(random, [33, 34])]]);
    return random.pick<string | string[]>(['$IP', '0.0.0.0', ['255.255.255.255', block4(random, [9, 10])]]);
  };
  const fields = [
    ...['ether.saddr', 'ether.daddr', 'ether.type', 'arp.operation', 'arp.saddr.ether', 'arp.saddr.ip'],
    ...['arp.daddr.ip', 'rarp.saddr.ether', 'ip.saddr', 'ip.daddr', 'ip.protocol', 'ip6.saddr', 'ip6.daddr'],
    ...['ip6.nexthdr', 'udp.sport', 'udp.dport', 'tcp.sport', 'tcp.dport'],
  ];
  const rule = (): FilterRuleRecord => {
    if (random.percent(35)) {
      const own = random.percent(30) ? ['port-security', ...others] : NAMED;
      return { filter: random.pick<string>(own) };
    }
    const chosen = random.weighted<readonly string[]>([
      [3, [random.pick(fields)]],
      [1, ['ether.type', random.pick(fields)]],
      [1, [random.pick(['ip.saddr', 'ip.daddr']), random.pick(['udp.dport', 'tcp.dport'])]],
    ]);
    const match = Object.fromEntries(
      chosen.map((field) => {
        const wanted = value(field);
        return [field, random.percent(25) ? { not: wanted } : wanted];
      }),
    );
    const hasNegative = Object.values(match).some((each) => typeof each === 'object' && 'not' in each);
    return {
      direction: random.pick(['in', 'out', 'inout'] as const),
      action: random.pick(['accept', 'drop', hasNegative ? 'drop' : 'return', 'continue'] as const),
      match,
    };
  };
  return { rules: [rule(), ...some(random, 4, rule)] };
}

/** A host with a shared and a private bridge, and VMs on some of their ports; now and then two NICs a VM. */
export function scene(random: Random, sets: string): Scene {
  const isGrouped = random.percent(60);
  const groups = isGrouped ? Object.fromEntries(GROUPS.map((name) => [name, group(random, name)])) : {};
  const filters = {
    f0: filter(random, []),
    f1: filter(random, ['f0']),
  };
  const filterOf = () => random.pick<string>([random.pick(NAMED), 'clean-traffic', 'f0', 'f1', 'f1']);
  const places = ['p0', 'p1', 'p2', 'q0', 'q1', 'q2'].filter(() => random.percent(85));
  const nics = places.map((ifname, index) =>
    nic(random, ifname, ifname.startsWith('p') ? 'br100' : 'br200', index),
  );
  const vms: Record<string, { nics: NicRecord[] }> = {};
  for (const [index, each] of nics.entries()) {
    const id = `vm${random.percent(20) ? Math.max(0, index - 1) : index}`;
    const named = isGrouped ? GROUPS.filter(() => random.percent(35)) : [];
    vms[id] = {
      nics: [
        ...(vms[id]?.nics ?? []),
        { ...each, groups: named, ...(random.percent(25) && { filter: filterOf() }) },
      ],
    };
  }
  const shared = random.percent(20);
  const backend = (): string => random.pick(['bridge', 'bridge', 'netdev']);
  return {
    host: {
      bridges: {
        br100: { uplinks: ['up0'], mac: bridgeMacs.br100, backend: backend() },
        br200: { uplinks: ['up1'], shared, mac: bridgeMacs.br200, backend: backend() },
      },
      sets,
    },
    policy: { vms, groups, filters },
  };
}
