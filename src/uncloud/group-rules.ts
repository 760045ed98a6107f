import {
  accept,
  and,
  ct,
  dccp,
  drop,
  ether,
  exthdr,
  goto,
  icmp,
  icmpv6,
  ip,
  jump,
  meta,
  type Operand,
  reject,
  return_,
  type Statement,
  sctp,
  set,
  tcp,
  udp,
  udplite,
} from '../index.ts';
import { identifier } from './check.ts';
import { type Context, profileName } from './context.ts';
import { wholeFirstFragment } from './first-fragment.ts';
import { type Action, type Direction, defaultOf, type Group, type GroupRule, judges } from './group.ts';
import { logging } from './log.ts';
import { anyOf, ofFamily, rangeSet, type Side } from './peer.ts';
import { ICMP_ANSWERS, PROTOCOLS } from './protocol.ts';
import type { TableWriter } from './table.ts';

type Body = readonly Statement[];

/** What a chain of groups is for, where it depends on more than the groups. */
interface Setting {
  readonly context: Context;
  readonly table: TableWriter;
  /** Whether the kernel knows connections here. */
  readonly stateful: boolean;
  /**
   * Whether the kernel can reject where the chain is. `alone`: it can, and only here: whatever else is to
   * happen to the packet happens further on.
   */
  readonly rejects: boolean | 'alone';
}

const other = (direction: Direction): Direction => (direction === 'in' ? 'out' : 'in');

/** The headers that have ports, by protocol. */
const TRANSPORT: Readonly<Record<number, { readonly sport: Operand; readonly dport: Operand }>> = {
  6: tcp,
  17: udp,
  33: dccp,
  132: sctp,
  136: udplite,
};
const ICMP: Readonly<Record<number, { readonly type: Operand }>> = { 1: icmp, 58: icmpv6 };

/** TCP flags. */
const SYN = 0x02;
const RST = 0x04;
const ACK = 0x10;

/** What an action does to a packet; a reject answers TCP with a reset. */
function verdicts(action: Action, rejects: Setting['rejects'], protocol?: number): Body[] {
  if (action === 'accept' || (action === 'drop' && rejects === 'alone')) return [[accept()]];
  if (action === 'drop' || !rejects) return [[drop()]];
  const other: Body = [reject({ type: 'icmpx', expr: 'admin-prohibited' })];
  const reset: Body = [meta.l4proto.eq(PROTOCOLS.tcp as number), reject({ type: 'tcp reset' })];
  if (protocol === PROTOCOLS.tcp) return [reset];
  return protocol === undefined ? [reset, other] : [other];
}

/** What a rule says of a packet's upper header; undefined where an answer to it cannot be told. */
function upper({ protocol, ports, sourcePorts, types }: GroupRule, isAnswer: boolean): Body | undefined {
  if (protocol === undefined) return [];
  const [source, destination] = isAnswer ? [ports, sourcePorts] : [sourcePorts, ports];
  const answers = ICMP_ANSWERS[protocol];
  const wanted = isAnswer && answers ? types?.flatMap((type) => answers[type] ?? []) : types;
  if (wanted?.length === 0) return undefined;
  const header = TRANSPORT[protocol];
  const fields = [
    ...(header && source ? [header.sport.eq(rangeSet(source))] : []),
    ...(header && destination ? [header.dport.eq(rangeSet(destination))] : []),
    ...(wanted
      ? [ICMP[protocol]?.type.eq(wanted.length === 1 ? (wanted[0] as number) : set(...wanted))]
      : []),
  ].filter((field) => field !== undefined);
  return fields.length > 0 ? fields : [meta.l4proto.eq(protocol)];
}

/** The rules of a group in one direction, or those that match the answers to what they let through. */
function rulesOf(
  setting: Setting,
  name: string,
  group: Group,
  direction: Direction,
  isAnswer: boolean,
): Body[] {
  const { table, rejects } = setting;
  const side: Side = (direction === 'in') === isAnswer ? 'daddr' : 'saddr';
  return group.rules
    .filter((rule) => rule.direction === direction)
    .flatMap((rule) => {
      const header = upper(rule, isAnswer);
      if (!header) return [];
      return anyOf(table, rule.peers, side, rule.family).flatMap((peer) => {
        const match = [...peer, ...header];
        const isLogged = !isAnswer && (rejects !== 'alone' || rule.action === 'reject');
        const logs = rule.log && isLogged ? [[...match, ...logging(rule.log, `uncloud ${name}: `)]] : [];
        const ends = verdicts(rule.action, isAnswer ? false : rejects, rule.protocol);
        return [...logs, ...ends.map((end) => [...match, ...end])];
      });
    });
}

/** ICMPv6 that neighbours and routers cannot do without: MLD, neighbour discovery. */
const NEIGHBOURHOOD = {
  in: set(130, 131, 132, 133, 134, 135, 136, 137, 143),
  out: set(130, 131, 132, 133, 134, 135, 136, 143),
};
/** Errors about other packets. */
const ICMP_ERRORS = set(3, 11, 12);
const ICMPV6_ERRORS = set(1, 2, 3, 4);

/** What no group judges: port security has. */
function exempt(table: TableWriter, direction: Direction): void {
  const [dhcp, dhcp6] =
    direction === 'out'
      ? [
          [udp.sport.eq(68), udp.dport.eq(67)],
          [udp.sport.eq(546), udp.dport.eq(547)],
        ]
      : [
          [udp.sport.eq(67), udp.dport.eq(68)],
          [udp.sport.eq(547), udp.dport.eq(546)],
        ];
  table.chain(`exempt_${direction}`, [
    [meta.protocol.in(set('arp', 0x8035)), accept()],
    [ofFamily('ip6'), icmpv6.type.in(NEIGHBOURHOOD[direction]), accept()],
    [ofFamily('ip'), ...(dhcp as Body), accept()],
    [ofFamily('ip6'), ...(dhcp6 as Body), accept()],
  ]);
}

/** Later fragments pass; a first one has to show what it is, or the next ones could be anything. */
function fragments(table: TableWriter): void {
  const rules: Body[] = [
    [exthdr('frag', 'frag-off').ne(0), accept()],
    ...wholeFirstFragment(return_()),
    [drop()],
  ];
  table.chain(
    'fragment',
    rules.map((rule) => [ofFamily('ip6'), ...rule]),
  );
}

/** Names of chains. What is before the first slash tells them apart: names of groups have none. */
const chainOf = {
  /** What a combination of groups does. */
  profile: (direction: Direction, groups: readonly string[]) => `${direction}/${profileName(groups)}`,
  /** What becomes of the answers that pass through a combination of groups. */
  answers: (direction: Direction, groups: readonly string[]) => `answers_${direction}/${profileName(groups)}`,
  /** What happens to what no rule matched. */
  end: (direction: Direction, groups: readonly string[]) => `end_${direction}/${profileName(groups)}`,
  rules: (direction: Direction, group: string) => `rules_${direction}/${identifier(group)}`,
  /** The rules of the other direction, as the answers see them. */
  mirror: (direction: Direction, group: string) => `mirror_${direction}/${identifier(group)}`,
  /** The same as profile and rules, where a reject can be one. */
  rejecting: (groups: readonly string[]) => `rejecting/${profileName(groups)}`,
  rejectingEnd: (groups: readonly string[]) => `rejecting_end/${profileName(groups)}`,
  rejectingRules: (group: string) => `rejecting_rules/${identifier(group)}`,
} as const;

const hasRules = (setting: Setting, group: string, direction: Direction) =>
  setting.context.policy.groups[group]?.rules.some((rule) => rule.direction === direction) === true;

/** The chains of a combination of groups. */
interface Names {
  readonly chain: string;
  rules(group: string): string;
}

/** What a combination of groups does in one direction. */
function profile(setting: Setting, groups: readonly string[], direction: Direction, names: Names): void {
  const { context, table, stateful, rejects } = setting;
  const own = groups.map((name) => context.policy.groups[name] as Group);
  const opposite = other(direction);
  const fallback = defaultOf(own, direction);
  const answers = chainOf.answers(direction, groups);
  const rules: Body[] = [[jump(`exempt_${direction}`)]];
  // Before anything is read from behind the headers.
  if (!stateful) rules.unshift([ofFamily('ip6'), exthdr('frag').exists(), jump('fragment')]);
  if (stateful) {
    if (direction === 'in') rules.push(...rejections(context));
    rules.push([ct.state.in('invalid'), drop()], [ct.state.in('related'), accept()]);
    rules.push([ct.direction.eq('reply'), judges(own, opposite) ? goto(answers) : accept()]);
  } else {
    // Without its first fragment a packet comes to nothing, and only that one has ports.
    rules.push([ofFamily('ip'), and(ip['frag-off'], 0x1fff).ne(0), accept()]);
    rules.push([ofFamily('ip'), icmp.type.in(ICMP_ERRORS), accept()]);
    rules.push([ofFamily('ip6'), icmpv6.type.in(ICMPV6_ERRORS), accept()]);
  }
  for (const name of groups) if (hasRules(setting, name, direction)) rules.push([jump(names.rules(name))]);
  const end: Body[] = [];
  if (rejects === 'alone') {
    if (fallback === 'reject') {
      end.push([table.verdicts('logs_of_macs', { operand: ether.daddr, type: 'ether_addr' })]);
    }
  } else if (fallback !== 'accept') {
    const port = direction === 'out' ? meta.iifname : meta.oifname;
    end.push([table.verdicts('logs', { operand: port, type: 'ifname' })]);
  }
  end.push(...verdicts(fallback, rejects));
  const guesses = !stateful && fallback !== 'accept' && defaultOf(own, opposite) !== 'accept';
  if (!guesses) {
    table.chain(names.chain, [...rules, ...end]);
    return;
  }
  const closing = rejects === 'alone' ? chainOf.rejectingEnd(groups) : chainOf.end(direction, groups);
  table.chain(closing, end);
  // An answer opens no connection.
  rules.push([and(tcp.flags, SYN | ACK).eq(SYN), goto(closing)], [jump(answers)], [goto(closing)]);
  table.chain(names.chain, rules);
}

/**
 * What the kernel itself says to a VM in the place of what it rejected: the chain `own` leaves it untracked, as
 * nothing else is that comes here but for neighbour discovery.
 */
function rejections({ facts }: Context): Body[] {
  if (facts.reject !== true) return [];
  const untracked = ct.state.in('untracked');
  return [
    [untracked, and(tcp.flags, RST).eq(RST), accept()],
    [ofFamily('ip'), untracked, icmp.type.eq('destination-unreachable'), accept()],
    [ofFamily('ip6'), untracked, icmpv6.type.eq('destination-unreachable'), accept()],
  ];
}

/** The answers to what came in the other direction, by the rules of that one as they are now. */
function answers(setting: Setting, groups: readonly string[], direction: Direction): void {
  const own = groups.map((name) => setting.context.policy.groups[name] as Group);
  const opposite = other(direction);
  if (!judges(own, opposite)) return;
  const rules: Body[] = groups
    .filter((name) => hasRules(setting, name, opposite))
    .map((name) => [jump(chainOf.mirror(direction, name))]);
  if (setting.stateful) rules.push([defaultOf(own, opposite) === 'accept' ? accept() : drop()]);
  setting.table.chain(chainOf.answers(direction, groups), rules);
}

/** Frames to VMs can be rejected only while they come in, by the MAC that they are for. */
function rejectingChains(setting: Setting, combinations: readonly (readonly string[])[]): void {
  const { context, table } = setting;
  const able = combinations.filter((groups) => context.rejects(groups));
  for (const name of [...new Set(able.flat())].sort()) {
    if (!hasRules(setting, name, 'in')) continue;
    const group = context.policy.groups[name] as Group;
    table.chain(chainOf.rejectingRules(name), rulesOf(setting, name, group, 'in', false));
  }
  for (const groups of able) {
    profile(setting, groups, 'in', { chain: chainOf.rejecting(groups), rules: chainOf.rejectingRules });
  }
}

/**
 * The chains of all groups in use here. A VM's port goes to `out/GROUPS` with what comes from it, to
 * `in/GROUPS` with what goes to it: chains of every combination of groups in use, which jump to the rules of
 * each group in turn.
 */
export function groupChains(table: TableWriter, context: Context): void {
  const combinations = table.uses('profile').map(({ data }) => data as readonly string[]);
  if (combinations.length === 0) return;
  const stateful = context.stateful && table.family === 'bridge';
  const rejects = context.facts.reject === true && table.family === 'bridge';
  if (!stateful) fragments(table);
  for (const direction of ['out', 'in'] as const) {
    const setting: Setting = { context, table, stateful, rejects: rejects && direction === 'out' };
    exempt(table, direction);
    for (const name of [...new Set(combinations.flat())].sort()) {
      const group = context.policy.groups[name] as Group;
      if (hasRules(setting, name, direction)) {
        table.chain(chainOf.rules(direction, name), rulesOf(setting, name, group, direction, false));
      }
      if (hasRules(setting, name, other(direction))) {
        table.chain(chainOf.mirror(direction, name), rulesOf(setting, name, group, other(direction), true));
      }
    }
    for (const groups of combinations) {
      answers(setting, groups, direction);
      const chain = chainOf.profile(direction, groups);
      profile(setting, groups, direction, { chain, rules: (name) => chainOf.rules(direction, name) });
    }
  }
  if (rejects) rejectingChains({ context, table, stateful, rejects: 'alone' }, combinations);
}
