import { symbolsOf } from '../index.ts';
import { prefixText } from './address.ts';
import { list, mac, name, object, parsed, peerBlock, text, version, word } from './check.ts';
import { type Log, parseLog } from './log.ts';
import { Refused } from './problem.ts';
import { PROTOCOLS, WITH_PORTS } from './protocol.ts';

/** Whose traffic a rule is about: a block, all of a group, all of a VM, a MAC. */
export type Peer = string | { readonly group: string } | { readonly vm: string } | { readonly mac: string };

/** `in`: to the VM. `out`: from the VM. */
export type Direction = 'in' | 'out';
export type Action = 'accept' | 'drop' | 'reject';

/** First and last port. */
export type PortRange = readonly [first: number, last: number];

/** A rule of a security group: all that it says has to hold. */
export interface GroupRule {
  readonly direction: Direction;
  readonly action: Action;
  /** Its number; any where absent. */
  readonly protocol?: number;
  readonly ports?: readonly PortRange[];
  readonly sourcePorts?: readonly PortRange[];
  /** ICMP types. */
  readonly types?: readonly number[];
  readonly family?: 'ip' | 'ip6';
  /** The other end; anybody where absent. */
  readonly peers?: readonly Peer[];
  readonly log?: Log;
}

/** A security group. */
export interface Group {
  readonly rules: readonly GroupRule[];
  /** Who is in it beside the NICs that list it. */
  readonly members: readonly Peer[];
  /** What happens where no rule matches; see {@link defaultOf}. */
  readonly default: Readonly<Partial<Record<Direction, Action>>>;
}

const MOST = { rules: 1024, peers: 1024, members: 65_536, ports: 1024, types: 64 } as const;
const RULE_KEYS = 'direction action protocol ports sourcePorts types family from to log comment'.split(' ');

function peer(value: unknown, path: string): Peer {
  if (typeof value === 'string') return parsed(path, () => prefixText(peerBlock(value)));
  const fields = object(value, path, ['group', 'vm', 'mac']);
  const [key, ...more] = Object.keys(fields);
  if (key === undefined || more.length > 0) throw new Refused(path, 'not one of group, vm, mac');
  const at = `${path}.${key}`;
  if (key === 'group') return { group: name(fields.group, at) };
  return key === 'vm' ? { vm: text(fields.vm, at) } : { mac: mac(fields.mac, at) };
}

/** Ranges in order, without overlap: the kernel refuses those. */
function merged(ranges: readonly PortRange[]): PortRange[] {
  const result: PortRange[] = [];
  for (const range of [...ranges].sort(([a], [b]) => a - b)) {
    const last = result.at(-1);
    if (last && range[0] <= last[1] + 1) result[result.length - 1] = [last[0], Math.max(last[1], range[1])];
    else result.push(range);
  }
  return result;
}

export function portRange(value: unknown, path: string): PortRange {
  const [, from, to] = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(String(value)) ?? [];
  const range: PortRange = [Number(from), Number(to ?? from)];
  if (from === undefined || (typeof value !== 'string' && typeof value !== 'number') || range[1] > 65535) {
    throw new Refused(path, 'not a port or a range of ports (0 to 65535)');
  }
  if (range[0] > range[1]) throw new Refused(path, 'a range that ends before it begins');
  return range;
}

/** A list that must not be empty: nothing would ever match. */
function some<T>(value: unknown, path: string, most: number, one: (value: unknown, path: string) => T): T[] {
  const values = list(value, path, most);
  if (values.length === 0) throw new Refused(path, 'an empty list matches nothing');
  return values.map((entry, i) => one(entry, `${path}[${i}]`));
}

export function protocolNumber(value: unknown, path: string): number {
  const number = typeof value === 'string' ? PROTOCOLS[value] : value;
  if (typeof number !== 'number' || !Number.isInteger(number) || number < 0 || number > 255) {
    throw new Refused(path, `not a protocol (${Object.keys(PROTOCOLS).join(', ')}, or a number to 255)`);
  }
  return number;
}

export function icmpType(protocol: 'icmp' | 'icmpv6', value: unknown, path: string): number {
  const symbols = symbolsOf(`${protocol}_type`);
  const named = typeof value === 'string' ? symbols.get(value) : undefined;
  const number = named === undefined ? value : Number(named);
  if (typeof number !== 'number' || !Number.isInteger(number) || number < 0 || number > 255) {
    throw new Refused(
      path,
      `not a type of ${protocol} (${[...symbols.keys()].join(', ')}, or a number to 255)`,
    );
  }
  return number;
}

function rule(value: unknown, path: string): GroupRule {
  const fields = object(value, path, RULE_KEYS);
  if (fields.direction === undefined) throw new Refused(`${path}.direction`, 'not one of in, out');
  if (fields.action === undefined) throw new Refused(`${path}.action`, 'not one of accept, drop, reject');
  const direction = word(fields.direction, `${path}.direction`, ['in', 'out']);
  const protocol =
    fields.protocol === undefined ? undefined : protocolNumber(fields.protocol, `${path}.protocol`);
  const [mine, other] = direction === 'in' ? (['from', 'to'] as const) : (['to', 'from'] as const);
  if (fields[other] !== undefined) {
    throw new Refused(`${path}.${other}`, `the other end of direction ${direction} is said with ${mine}`);
  }
  for (const key of ['ports', 'sourcePorts'] as const) {
    if (fields[key] !== undefined && (protocol === undefined || !WITH_PORTS.includes(protocol))) {
      throw new Refused(`${path}.${key}`, 'ports need a protocol that has them');
    }
  }
  const icmp = protocol === PROTOCOLS.icmp ? 'icmp' : protocol === PROTOCOLS.icmpv6 ? 'icmpv6' : undefined;
  if (fields.types !== undefined && !icmp) throw new Refused(`${path}.types`, 'types need icmp or icmpv6');
  const ports = (key: 'ports' | 'sourcePorts') =>
    fields[key] === undefined
      ? undefined
      : merged(some(fields[key], `${path}.${key}`, MOST.ports, portRange));
  const implied = icmp === 'icmp' ? 'ip' : icmp === 'icmpv6' ? 'ip6' : undefined;
  const family = fields.family === undefined ? implied : word(fields.family, `${path}.family`, ['ip', 'ip6']);
  if (implied && family !== implied) throw new Refused(`${path}.family`, `${icmp} is of family ${implied}`);
  if (fields.comment !== undefined) text(fields.comment, `${path}.comment`);
  return {
    direction,
    action: word(fields.action, `${path}.action`, ['accept', 'drop', 'reject']),
    ...(protocol !== undefined && { protocol }),
    ...(fields.ports !== undefined && { ports: ports('ports') as PortRange[] }),
    ...(fields.sourcePorts !== undefined && { sourcePorts: ports('sourcePorts') as PortRange[] }),
    ...(fields.types !== undefined && {
      types: some(fields.types, `${path}.types`, MOST.types, (type, at) =>
        icmpType(icmp as 'icmp', type, at),
      ),
    }),
    ...(family !== undefined && { family }),
    ...(fields[mine] !== undefined && { peers: some(fields[mine], `${path}.${mine}`, MOST.peers, peer) }),
    ...(fields.log !== undefined && fields.log !== false && { log: parseLog(fields.log, `${path}.log`) }),
  };
}

/** Reads the value of the key `distributed-firewall/group/<name>`. */
export function parseGroup(value: unknown): Group {
  const fields = object(value, '', ['version', 'rules', 'members', 'default', 'comment']);
  version(fields.version, '.version');
  const defaults = object(fields.default ?? {}, '.default', ['in', 'out']);
  const fallback = (direction: Direction) =>
    defaults[direction] === undefined
      ? {}
      : { [direction]: word(defaults[direction], `.default.${direction}`, ['accept', 'drop', 'reject']) };
  return {
    rules: list(fields.rules, '.rules', MOST.rules).map((entry, i) => rule(entry, `.rules[${i}]`)),
    members: list(fields.members, '.members', MOST.members).map((entry, i) => peer(entry, `.members[${i}]`)),
    default: { ...fallback('in'), ...fallback('out') },
  };
}

/** The groups that a group names, as members or as peers, with the place. */
export function groupsNamedBy({ rules, members }: Group): { name: string; path: string; member: boolean }[] {
  const named = (peers: readonly Peer[], path: string, member: boolean) =>
    peers.flatMap((peer, i) =>
      typeof peer === 'object' && 'group' in peer
        ? [{ name: peer.group, path: `${path}[${i}]`, member }]
        : [],
    );
  return [
    ...named(members, '.members', true),
    ...rules.flatMap(({ peers = [], direction }, i) =>
      named(peers, `.rules[${i}].${direction === 'in' ? 'from' : 'to'}`, false),
    ),
  ];
}

const STRICTNESS = { accept: 0, reject: 1, drop: 2 } as const;

/**
 * What happens in one direction to what no rule of these groups matches: the strictest that any of them
 * says, where one that says nothing closes a direction in which it accepts something.
 */
export function defaultOf(groups: readonly Group[], direction: Direction): Action {
  const each = groups.map(({ rules, default: said }): Action => {
    const accepts = rules.some((rule) => rule.direction === direction && rule.action === 'accept');
    return said[direction] ?? (accepts ? 'drop' : 'accept');
  });
  return each.reduce((a, b) => (STRICTNESS[b] > STRICTNESS[a] ? b : a), 'accept' as Action);
}

/** Whether these groups have anything to say about a direction. */
export function judges(groups: readonly Group[], direction: Direction): boolean {
  return (
    defaultOf(groups, direction) !== 'accept' ||
    groups.some(({ rules }) => rules.some((rule) => rule.direction === direction))
  );
}
