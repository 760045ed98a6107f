import ipaddr from 'ipaddr.js';
import { type Packet, packetOf } from './packet.ts';
import { type NicRecord, number, ownBlocks } from './port.ts';
import { accept, drop, either, type Verdict } from './verdict.ts';

export type PeerRecord = string | { group: string } | { vm: string } | { mac: string };
type Action = 'accept' | 'drop' | 'reject';
type Direction = 'in' | 'out';

export interface GroupRuleRecord {
  readonly direction: Direction;
  readonly action: Action;
  readonly protocol?: string;
  readonly ports?: readonly (number | string)[];
  readonly sourcePorts?: readonly (number | string)[];
  readonly types?: readonly number[];
  readonly family?: 'ip' | 'ip6';
  readonly from?: readonly PeerRecord[];
  readonly to?: readonly PeerRecord[];
}

export interface GroupRecord {
  readonly rules?: readonly GroupRuleRecord[];
  readonly members?: readonly PeerRecord[];
  readonly default?: Partial<Record<Direction, Action>>;
}

/** The JSON of a policy, as far as groups depend on it. */
export interface Membership {
  readonly groups: Readonly<Record<string, GroupRecord>>;
  readonly vms: Readonly<
    Record<
      string,
      {
        readonly ipv4?: readonly string[];
        readonly ipv6?: readonly string[];
        readonly nics?: readonly NicRecord[];
      }
    >
  >;
}

const PROTOCOLS: Readonly<Record<string, number>> = { icmp: 1, tcp: 6, udp: 17, icmpv6: 58 };
const ARP = 0x0806;
const RARP = 0x8035;
/** Neighbour discovery, router solicitation and advertisement, redirect; MLD. A VM's redirects are no matter of groups. */
const NEIGHBOURHOOD = [130, 131, 132, 133, 134, 135, 136, 143];

interface Peers {
  readonly blocks: readonly string[];
  readonly macs: readonly string[];
}

const nobody: Peers = { blocks: [], macs: [] };
const both = (all: readonly Peers[]): Peers => ({
  blocks: all.flatMap(({ blocks }) => blocks),
  macs: all.flatMap(({ macs }) => macs),
});

function nicPeers(nic: NicRecord): Peers {
  return { blocks: ownBlocks(nic), macs: [nic.mac] };
}

/** Everybody that a peer names. */
function everybody(peer: PeerRecord, policy: Membership): Peers {
  if (typeof peer === 'string') return { blocks: [peer], macs: [] };
  if ('mac' in peer) return { blocks: [], macs: [peer.mac] };
  if ('vm' in peer) {
    const vm = policy.vms[peer.vm];
    if (!vm) return nobody;
    const routed = { blocks: [...(vm.ipv4 ?? []), ...(vm.ipv6 ?? [])], macs: [] };
    return both([routed, ...(vm.nics ?? []).map(nicPeers)]);
  }
  const listing = Object.values(policy.vms).flatMap(({ nics = [] }) =>
    nics.filter(({ groups = [] }) => groups.includes(peer.group)),
  );
  const members = policy.groups[peer.group]?.members ?? [];
  return both([...listing.map(nicPeers), ...members.map((member) => everybody(member, policy))]);
}

function isIn(address: bigint, family: 'ip' | 'ip6', block: string): boolean {
  const [head = '', length] = block.split('/');
  if (head.includes(':') !== (family === 'ip6')) return false;
  const width = family === 'ip6' ? 128 : 32;
  const rest = BigInt(width - Number(length ?? width));
  return address >> rest === number(Buffer.from(ipaddr.parse(head).toByteArray())) >> rest;
}

const isAmong = (port: number, ranges: readonly (number | string)[]): boolean =>
  ranges.some((range) => {
    const [first = 0, last = first] = String(range).split('-').map(Number);
    return port >= first && port <= last;
  });

/** Whether a packet is what a rule says; as its answer, with both ends the other way round. */
function matches(
  rule: GroupRuleRecord,
  packet: Packet,
  policy: Membership,
  isAnswer: boolean,
): boolean | 'unknown' {
  const family = rule.family ?? { icmp: 'ip', icmpv6: 'ip6' }[rule.protocol ?? ''];
  if (family !== undefined && packet.family !== family) return false;
  const peers = rule.direction === 'in' ? rule.from : rule.to;
  if (peers) {
    // No receiver takes what has no whole header.
    if (packet.family !== undefined && packet.saddr === undefined) return 'unknown';
    const isSource = (rule.direction === 'in') !== isAnswer;
    const [mac, address] = isSource ? [packet.source, packet.saddr] : [packet.destination, packet.daddr];
    const { blocks, macs } = both(peers.map((peer) => everybody(peer, policy)));
    const byAddress =
      packet.family !== undefined &&
      address !== undefined &&
      blocks.some((block) => isIn(address, packet.family as 'ip', block));
    if (!byAddress && !macs.includes(mac)) return false;
  }
  if (rule.protocol === undefined) return true;
  if (packet.protocol !== PROTOCOLS[rule.protocol]) return false;
  const upper = packet.upper as Buffer;
  if (rule.types) {
    const types = isAnswer
      ? rule.types.flatMap((type) => ANSWERS[rule.protocol ?? '']?.[type] ?? [])
      : rule.types;
    if (types.length === 0) return false;
    return upper.length < 1 ? 'unknown' : types.includes(upper.readUInt8(0));
  }
  const [sources, destinations] = isAnswer ? [rule.ports, rule.sourcePorts] : [rule.sourcePorts, rule.ports];
  if (!sources && !destinations) return true;
  if (upper.length < 4) return 'unknown';
  return (
    (!sources || isAmong(upper.readUInt16BE(0), sources)) &&
    (!destinations || isAmong(upper.readUInt16BE(2), destinations))
  );
}

/** What answers to requests: echo, timestamp; in IPv6 echo. */
const ANSWERS: Readonly<Record<string, Readonly<Record<number, readonly number[]>>>> = {
  icmp: { 8: [0], 13: [14], 15: [16], 17: [18] },
  icmpv6: { 128: [129] },
};

const STRICTNESS = ['accept', 'reject', 'drop'] as const;

/** What becomes of what no rule matches: the strictest of the groups' defaults; accept rules alone make an allow-list. */
function fallback(groups: readonly GroupRecord[], direction: Direction): Action {
  const each = groups.map(({ rules = [], default: said }) => {
    const allows = rules.some((rule) => rule.direction === direction && rule.action === 'accept');
    return STRICTNESS.indexOf(said?.[direction] ?? (allows ? 'drop' : 'accept'));
  });
  return STRICTNESS[Math.max(0, ...each)] as Action;
}

function isExempt(packet: Packet, direction: Direction): boolean | 'unknown' {
  const { ethertype, family, protocol, upper, isLater } = packet;
  if (ethertype === ARP || ethertype === RARP) return true;
  if (family === undefined || protocol === undefined || isLater) return false;
  if (family === 'ip6' && protocol === PROTOCOLS.icmpv6) {
    if ((upper as Buffer).length < 1) return 'unknown';
    const type = (upper as Buffer).readUInt8(0);
    return NEIGHBOURHOOD.includes(type) || (type === 137 && direction === 'in');
  }
  if (protocol !== PROTOCOLS.udp) return false;
  if ((upper as Buffer).length < 4) return 'unknown';
  const [client, server] = family === 'ip' ? [68, 67] : [546, 547];
  const [from, to] = direction === 'out' ? [client, server] : [server, client];
  return (upper as Buffer).readUInt16BE(0) === from && (upper as Buffer).readUInt16BE(2) === to;
}

/** Errors about other packets (RFC 792, RFC 4443): they answer to anything. */
const ERRORS = { ip: [3, 11, 12], ip6: [1, 2, 3, 4] } as const;

/**
 * What a NIC's groups say to a frame that port security let through, where nobody knows connections: every frame is
 * judged by itself.
 */
export function byGroups(nic: NicRecord, policy: Membership, direction: Direction, frame: Buffer): Verdict {
  const groups = (nic.groups ?? []).flatMap((name) => policy.groups[name] ?? []);
  const opposite = direction === 'in' ? 'out' : 'in';
  const end = fallback(groups, direction);
  const packet = packetOf(frame);
  const first = (side: Direction, isAnswer: boolean): Action | 'unknown' | undefined => {
    for (const rule of groups.flatMap(({ rules = [] }) => rules)) {
      if (rule.direction !== side) continue;
      const is = matches(rule, packet, policy, isAnswer);
      if (is === 'unknown') return is;
      if (is) return rule.action;
    }
    return undefined;
  };
  const verdict = (action: Action, reason: string) => (action === 'accept' ? accept(reason) : drop(reason));

  if (
    !groups.some(({ rules = [] }) => rules.some((rule) => rule.direction === direction)) &&
    end === 'accept'
  )
    return accept('no group minds');
  if (packet.isNested) return either('a fragment of a fragment');
  if (packet.isCut) return either('longer than its frame, or cut off in its header');
  if (packet.mayHide) return drop('first fragment that may hide its upper layer');
  const exempt = isExempt(packet, direction);
  if (exempt === 'unknown') return either('cut off');
  if (exempt) return accept('no matter of groups');
  if (packet.isLater) return accept('later fragment');
  const isError =
    packet.family !== undefined &&
    packet.protocol === PROTOCOLS[packet.family === 'ip' ? 'icmp' : 'icmpv6'] &&
    (ERRORS[packet.family] as readonly number[]).includes(packet.upper?.[0] ?? -1);
  if (isError) return accept('an error about another packet');
  const ruled = first(direction, false);
  if (ruled === 'unknown') return either('cut off');
  if (ruled !== undefined) return verdict(ruled, 'a rule of a group');
  if (end === 'accept' || fallback(groups, opposite) === 'accept') return verdict(end, "the groups' default");
  const flags = packet.protocol === PROTOCOLS.tcp ? packet.upper?.[13] : 0;
  if (flags === undefined) return either('TCP cut off before its flags');
  if ((flags & 0x12) === 0x02) return verdict(end, 'opens a connection');
  const answered = first(opposite, true);
  if (answered === 'unknown') return either('cut off');
  return verdict(answered ?? end, 'an answer');
}
