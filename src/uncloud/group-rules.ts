import {
  accept,
  and,
  ct,
  drop,
  exthdr,
  goto,
  icmp,
  icmpv6,
  ip,
  jump,
  meta,
  payload,
  reject,
  type Statement,
  set,
  tcp,
  udp,
  type Verdict,
} from '../index.ts';
import { identifier } from './check.ts';
import { type Context, profileName } from './context.ts';
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
  /** Whether the kernel can reject where the chain is. */
  readonly rejects: boolean;
}

const other = (direction: Direction): Direction => (direction === 'in' ? 'out' : 'in');

/** Source and destination port; the header that has them is known by its protocol. */
const sport = payload.raw('th', 0, 16);
const dport = payload.raw('th', 16, 16);
const icmpType = payload.raw('th', 0, 8);

/** What an action does to a packet; a reject answers TCP with a reset. */
function verdicts(action: Action, rejects: boolean, protocol?: number): Body[] {
  if (action === 'accept') return [[accept()]];
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
  return [
    meta.l4proto.eq(protocol),
    ...(source ? [sport.eq(rangeSet(source))] : []),
    ...(destination ? [dport.eq(rangeSet(destination))] : []),
    ...(wanted ? [icmpType.eq(wanted.length === 1 ? (wanted[0] as number) : set(...wanted))] : []),
  ];
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
        const logs = rule.log && !isAnswer ? [[...match, ...logging(rule.log, `uncloud ${name}: `)]] : [];
        const ends = verdicts(rule.action, rejects && !isAnswer, rule.protocol);
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
function exempt(table: TableWriter, direction: Direction): string {
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
  const name = `${direction}_exempt`;
  table.chain(name, [
    [meta.protocol.in(set('arp', 0x8035)), accept()],
    [icmpv6.type.in(NEIGHBOURHOOD[direction]), accept()],
    [ofFamily('ip'), ...(dhcp as Body), accept()],
    [ofFamily('ip6'), ...(dhcp6 as Body), accept()],
  ]);
  return name;
}

/** What a combination of groups does in one direction. */
function profile(
  setting: Setting,
  groups: readonly string[],
  direction: Direction,
  chain: string,
  prefix: string,
): void {
  const { context, table, stateful, rejects } = setting;
  const own = groups.map((name) => context.policy.groups[name] as Group);
  const opposite = other(direction);
  const fallback = defaultOf(own, direction);
  const answersPass = defaultOf(own, opposite) === 'accept';
  const answersJudged = judges(own, opposite);
  const answers = `${direction}_answers_${profileName(groups)}`;
  const rules: Body[] = [];
  if (stateful) {
    rules.push([ct.state.in('invalid'), drop()], [ct.state.in('related'), accept()]);
    rules.push([ct.direction.eq('reply'), answersJudged ? goto(answers) : accept()]);
  }
  rules.push([jump(`${direction}_exempt`)]);
  if (!stateful) {
    // Without its first fragment a packet comes to nothing, and only that one has ports.
    rules.push([ofFamily('ip'), and(ip['frag-off'], 0x1fff).ne(0), accept()]);
    rules.push([exthdr('frag', 'frag-off').ne(0), accept()]);
    rules.push([icmp.type.in(ICMP_ERRORS), accept()], [icmpv6.type.in(ICMPV6_ERRORS), accept()]);
  }
  for (const name of groups) rules.push([jump(`${prefix}rules_${identifier(name)}`)]);
  const end: Body[] = [];
  if (fallback !== 'accept' && table.size('logs') > 0) {
    end.push([
      table.verdicts('logs', { operand: direction === 'out' ? meta.iifname : meta.oifname, type: 'ifname' }),
    ]);
  }
  end.push(...verdicts(fallback, rejects));
  const guessed = !stateful && fallback !== 'accept' && answersJudged && !answersPass;
  if (!guessed) {
    table.chain(chain, [...rules, ...end]);
    return;
  }
  // An answer opens no connection.
  const closing = `${chain}/closed`;
  table.chain(closing, end);
  rules.push([and(tcp.flags, 0x12).eq(0x02), goto(closing)]);
  table.chain(chain, [...rules, [jump(answers)], [goto(closing)]]);
}

/** The answers to what came in the other direction, by the rules of that one as they are now. */
function answers(
  { context, table, stateful }: Setting,
  groups: readonly string[],
  direction: Direction,
): void {
  const own = groups.map((name) => context.policy.groups[name] as Group);
  const opposite = other(direction);
  if (!judges(own, opposite)) return;
  const rules: Body[] = groups.map((name) => [jump(`${direction}_answers_to_${identifier(name)}`)]);
  const end: Verdict[] = stateful ? [defaultOf(own, opposite) === 'accept' ? accept() : drop()] : [];
  table.chain(`${direction}_answers_${profileName(groups)}`, [...rules, ...end.map((verdict) => [verdict])]);
}

/**
 * The chains of all groups in use here. A VM's port goes to `out_GROUPS` with what comes from it, to
 * `in_GROUPS` with what goes to it: chains of every combination of groups in use, which jump to the rules of
 * each group in turn.
 *
 * @returns the combinations in use
 */
export function groupChains(table: TableWriter, context: Context): (readonly string[])[] {
  const combinations = table.uses('profile').map(({ data }) => data as readonly string[]);
  if (combinations.length === 0) return [];
  const stateful = context.stateful && table.family === 'bridge';
  const rejects = context.facts.reject === true && table.family === 'bridge';
  const toVm: Setting = { context, table, stateful, rejects: false };
  const fromVm: Setting = { context, table, stateful, rejects };
  const names = [...new Set(combinations.flat())].sort();
  for (const direction of ['out', 'in'] as const) {
    const setting = direction === 'out' ? fromVm : toVm;
    exempt(table, direction);
    for (const name of names) {
      const group = context.policy.groups[name] as Group;
      const key = identifier(name);
      table.chain(`${direction}_rules_${key}`, rulesOf(setting, name, group, direction, false));
      table.chain(`${direction}_answers_to_${key}`, rulesOf(setting, name, group, other(direction), true));
    }
    for (const groups of combinations) {
      answers(setting, groups, direction);
      profile(setting, groups, direction, `${direction}_${profileName(groups)}`, `${direction}_`);
    }
  }
  return combinations;
}
