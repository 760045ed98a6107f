import { blockTexts, linkLocal, ownable, type Prefix } from './address.ts';
import { ifname, list, mac, name, object, parsed, text, version, word } from './check.ts';
import { type Filter, PORT_SECURITY } from './filter.ts';
import type { Group } from './group.ts';
import type { Host } from './host.ts';
import { type Log, parseLog } from './log.ts';
import type { Network } from './network.ts';
import { type Problem, Refused, UncloudError } from './problem.ts';
import { parseRate, type Rate } from './rate.ts';
import { settle } from './settle.ts';
import { checkReferences, type Vocabulary, vocabulary } from './vocabulary.ts';

/** A network card of a VM: the port of a bridge, and what may be seen there. */
export interface Nic {
  readonly ifname: string;
  readonly bridge: string;
  readonly mac: string;
  /** Own addresses and delegated networks, canonical CIDR. */
  readonly ipv4: readonly string[];
  readonly ipv6: readonly string[];
  /** `eui64`: the one made from the MAC; a list: these; `any`: all of fe80::/10. */
  readonly linkLocal: 'eui64' | 'any' | readonly string[];
  /** 802.1Q ids that it may tag frames with, in order. */
  readonly vlans: readonly number[];
  /** Security groups by name, in the order in which their rules are tried. */
  readonly groups: readonly string[];
  /** How its frames are checked: `port-security`, or the name of a filter. */
  readonly filter: string;
  /** Values of the filter's variables. */
  readonly variables: Readonly<Record<string, readonly string[]>>;
  /**
   * Learns addresses beside those above: `dhcp`, what a server gives it; `any`, that as well, and what its first
   * packets come from. Left out: none.
   */
  readonly learn?: 'dhcp' | 'any';
  /** How many frames to all and to groups it may send; left out: as its bridge says; `any`: without a limit. */
  readonly broadcasts?: Rate | 'any';
  /** Whether and how what its checks drop is logged. */
  readonly log?: Log;
}

/** The value of the key `distributed-firewall/vm/<vmid>`. */
export interface Vm {
  /** Blocks that this host routes for the VM: the forward allow-list. */
  readonly ipv4: readonly string[];
  readonly ipv6: readonly string[];
  readonly nics: readonly Nic[];
}

/** What the VM manager wants, validated: every VM in it is good. */
export interface Policy {
  readonly vms: Readonly<Record<string, Vm>>;
  readonly groups: Readonly<Record<string, Group>>;
  readonly networks: Readonly<Record<string, Network>>;
  readonly filters: Readonly<Record<string, Filter>>;
}

/** What validation makes of a policy. */
export interface PolicyResult {
  readonly policy: Policy;
  /** What was refused, by key and path. */
  readonly problems: readonly Problem[];
  /** Refused VMs (`343a`), groups (`group/web`) and the like whose last good record is in `policy` instead. */
  readonly kept: readonly string[];
  /** Ports of refused VMs that nobody good lists: nothing passes there. */
  readonly blocked: readonly string[];
}

export interface PolicyOptions {
  /** The host, whose own interfaces and MACs no VM may take. */
  readonly host?: Host;
  /** The last good policy: a VM that is refused now keeps its record from there, and its older claims. */
  readonly previous?: Policy;
  /** When each VM's record came into being (the store's creation revision): the lower claim is the older. */
  readonly revisions?: Readonly<Record<string, number>>;
}

const MOST = { vms: 1_000_000, nics: 64, addresses: 1024, groups: 64, vlans: 4094, values: 1024 } as const;

function blocks(value: unknown, path: string, family: Prefix['family']): readonly string[] {
  const each = list(value, path, MOST.addresses).map((entry, i) => {
    const at = `${path}[${i}]`;
    return parsed(at, () => ownable(text(entry, at), family));
  });
  return blockTexts(each);
}

function linkLocals(value: unknown, path: string): Nic['linkLocal'] {
  if (value === undefined || value === 'eui64' || value === 'any') return value ?? 'eui64';
  if (!Array.isArray(value)) throw new Refused(path, 'not eui64, any or a list of addresses');
  const each = list(value, path, MOST.addresses).map((entry, i) => {
    const at = `${path}[${i}]`;
    return parsed(at, () => linkLocal(text(entry, at)));
  });
  return blockTexts(each);
}

function vlans(value: unknown, path: string): number[] {
  const ids = list(value, path, MOST.vlans).flatMap((entry, i) => {
    const [, from, to] = /^(\d{1,4})(?:-(\d{1,4}))?$/.exec(String(entry)) ?? [];
    const [first, last] = [Number(from), Number(to ?? from)];
    if (from === undefined || first < 1 || last > 4094 || first > last) {
      throw new Refused(`${path}[${i}]`, 'not a VLAN id or a range of them (1 to 4094)');
    }
    return Array.from({ length: last - first + 1 }, (_, step) => first + step);
  });
  return [...new Set(ids)].sort((a, b) => a - b);
}

function variables(value: unknown, path: string): Nic['variables'] {
  const fields = Object.entries(object(value ?? {}, path));
  return Object.fromEntries(
    fields.map(([key, values]) => {
      const at = `${path}.${key}`;
      name(key, at);
      if (key === 'MAC' || key === 'IP' || key === 'IPV6')
        throw new Refused(at, 'the NIC says this one itself');
      return [key, list(values, at, MOST.values).map((entry, i) => text(entry, `${at}[${i}]`))];
    }),
  );
}

const NIC_KEYS =
  'ifname bridge mac ipv4 ipv6 linkLocal vlans groups filter variables learn broadcasts log'.split(' ');

function nic(value: unknown, path: string): Nic {
  const fields = object(value, path, NIC_KEYS);
  const groups = list(fields.groups, `${path}.groups`, MOST.groups);
  return {
    ifname: ifname(fields.ifname, `${path}.ifname`),
    bridge: ifname(fields.bridge, `${path}.bridge`),
    mac: mac(fields.mac, `${path}.mac`),
    ipv4: blocks(fields.ipv4, `${path}.ipv4`, 'ip'),
    ipv6: blocks(fields.ipv6, `${path}.ipv6`, 'ip6'),
    linkLocal: linkLocals(fields.linkLocal, `${path}.linkLocal`),
    vlans: vlans(fields.vlans, `${path}.vlans`),
    groups: [...new Set(groups.map((entry, i) => name(entry, `${path}.groups[${i}]`)))],
    filter: fields.filter === undefined ? PORT_SECURITY : name(fields.filter, `${path}.filter`),
    variables: variables(fields.variables, `${path}.variables`),
    ...(fields.learn !== undefined &&
      fields.learn !== 'none' && { learn: word(fields.learn, `${path}.learn`, ['dhcp', 'any'] as const) }),
    ...(fields.broadcasts !== undefined && {
      broadcasts: fields.broadcasts === 'any' ? 'any' : parseRate(fields.broadcasts, `${path}.broadcasts`),
    }),
    ...(fields.log !== undefined && fields.log !== false && { log: parseLog(fields.log, `${path}.log`) }),
  };
}

/** Reads the value of the key `distributed-firewall/vm/<vmid>`. */
export function parseVm(value: unknown): Vm {
  const fields = object(value, '', ['version', 'ipv4', 'ipv6', 'nics']);
  version(fields.version, '.version');
  return {
    ipv4: blocks(fields.ipv4, '.ipv4', 'ip'),
    ipv6: blocks(fields.ipv6, '.ipv6', 'ip6'),
    nics: list(fields.nics, '.nics', MOST.nics).map((entry, i) => nic(entry, `.nics[${i}]`)),
  };
}

/** The ports that a refused record names legibly, but for those that say they are on a bridge of no concern. */
export function legiblePorts(value: unknown, host: Host | undefined): string[] {
  const nics = (value as { nics?: unknown } | null)?.nics;
  if (!Array.isArray(nics)) return [];
  return nics.slice(0, MOST.nics).flatMap((entry: { ifname?: unknown; bridge?: unknown } | null) => {
    const bridge = entry?.bridge;
    if (host && typeof bridge === 'string' && !Object.hasOwn(host.bridges, bridge)) return [];
    try {
      return [ifname(entry?.ifname, '')];
    } catch {
      return [];
    }
  });
}

function vmid(id: string): void {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused here
  if (Buffer.byteLength(id) > 128 || !/^[^/\s\u0000-\u001f\u007f]+$/u.test(id)) {
    throw new Refused('', 'a VM id has 1 to 128 bytes without space, / or control characters');
  }
}

/**
 * Validates a policy. A VM that is wrong is left out, alone, and reported; it keeps its last good record
 * where `previous` has one. No address, MAC or interface belongs to two VMs: the older
 * claim stands, which is the one already in `previous`, then that of the lower revision, then of the lower id.
 *
 * Addresses on private networks and link-local addresses are claimed on their own bridge only: two
 * customers may both use 10.0.0.1 there.
 *
 * @param value - parsed JSON: `{ "vms": {…}, "groups": {…}, "networks": {…} }`
 * @throws UncloudError when the policy as a whole cannot be read
 */
export function parsePolicy(value: unknown, options: PolicyOptions = {}): PolicyResult {
  const { host, previous, revisions = {} } = options;
  let records: Readonly<Record<string, unknown>>;
  let words: Vocabulary;
  try {
    const fields = object(value, '', ['version', 'vms', 'groups', 'networks', 'filters']);
    version(fields.version, '.version');
    records = object(fields.vms ?? {}, '.vms');
    if (Object.keys(records).length > MOST.vms) throw new Refused('.vms', `more than ${MOST.vms}`);
    words = vocabulary(fields, previous);
  } catch (error) {
    if (error instanceof Refused) throw new UncloudError('policy', error.path, error.message);
    throw error;
  }

  const age = (id: string) => (Object.hasOwn(revisions, id) ? (revisions[id] as number) : Number.MAX_VALUE);
  const order = Object.keys(records).sort((a, b) => age(a) - age(b) || (a < b ? -1 : 1));
  const valid = new Map(order.map((id) => [id, validVm(id, records[id], words)]));
  const last = new Map(order.flatMap((id) => lastGood(id, previous, words)));
  const { vms, refused } = settle(order, valid, last, host);
  const { groups, networks, filters } = words;
  const policy = {
    vms: Object.fromEntries([...vms].sort(([a], [b]) => (a < b ? -1 : 1))),
    groups,
    networks,
    filters,
  };
  const ports = new Set([...vms.values()].flatMap(({ nics }) => nics.map((nic) => nic.ifname)));
  const ours = new Set(
    host && Object.entries(host.bridges).flatMap(([name, { uplinks }]) => [name, ...uplinks]),
  );
  const named = [...refused.keys()].flatMap((id) => legiblePorts(records[id], host));
  return {
    policy,
    problems: [...words.problems, ...[...refused].map(([id, refusal]) => problemOf(id, refusal))].sort(
      (a, b) => (a.key < b.key ? -1 : 1),
    ),
    kept: [...[...refused.keys()].filter((id) => vms.has(id)), ...words.kept].sort(),
    blocked: [...new Set(named)].filter((name) => !ports.has(name) && !ours.has(name)).sort(),
  };
}

export function problemOf(id: string, { path, message }: Refused): Problem {
  return { key: `distributed-firewall/vm/${id}`, path, why: message };
}

/** The record of a VM, or why it is none. */
export function validVm(
  id: string,
  value: unknown,
  words: Pick<Vocabulary, 'groups' | 'filters'>,
): Vm | Refused {
  try {
    vmid(id);
    const vm = parseVm(value);
    checkReferences(vm, words);
    return vm;
  } catch (error) {
    if (error instanceof Refused) return error;
    throw error;
  }
}

/** The record that a VM had, if what it names is still there. */
function lastGood(id: string, previous: Policy | undefined, words: Vocabulary): [string, Vm][] {
  const vm = previous && Object.hasOwn(previous.vms, id) ? previous.vms[id] : undefined;
  if (!vm) return [];
  try {
    checkReferences(vm, words);
    return [[id, vm]];
  } catch (error) {
    if (error instanceof Refused) return [];
    throw error;
  }
}
