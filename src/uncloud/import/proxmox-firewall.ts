import { cidr, prefixText } from '../address.ts';
import {
  blocksBetween,
  blocksWithout,
  type ImportedGroup,
  type ImportedRule,
  icmpType,
  type Omission,
  single,
  whyNoRule,
} from './imported.ts';

type Peer = NonNullable<ImportedRule['from']>[number];
type Target = ImportedRule['action'];

/** A line of [RULES] or [group …]: a rule, or the name of a group. */
type Line = { readonly nic: string | undefined } & ({ readonly rule: RawRule } | { readonly group: string });

interface RawRule {
  readonly where: string;
  readonly direction: 'in' | 'out';
  readonly target: string;
  readonly options: ReadonlyMap<string, string>;
}

/** What a firewall file says. */
export interface GuestFirewall {
  readonly options: ReadonlyMap<string, string>;
  readonly aliases: ReadonlyMap<string, string>;
  /** Members of IP sets; with `!` in front, what they do not match. */
  readonly sets: ReadonlyMap<string, readonly string[]>;
  readonly rules: readonly Line[];
  readonly groups: ReadonlyMap<string, readonly Line[]>;
}

const RULE_OPTIONS = 'i iface p proto source dest sport dport icmp-type log'.split(' ');

const TARGETS: Readonly<Record<string, Target>> = { ACCEPT: 'accept', DROP: 'drop', REJECT: 'reject' };

/** Options that are taken, or say what holds here anyway; the values, where only some do. */
const OPTIONS: Readonly<Record<string, RegExp>> = {
  enable: /./,
  policy_in: /^(ACCEPT|DROP|REJECT)$/,
  policy_out: /^(ACCEPT|DROP|REJECT)$/,
  ipfilter: /./,
  ndp: /^1$/,
  dhcp: /^1$/,
  radv: /^0$/,
  macfilter: /^1$/,
  log_level_in: /^nolog$/,
  log_level_out: /^nolog$/,
  // Of the cluster and its hosts.
  ebtables: /^1$/,
  log_ratelimit: /./,
  policy_forward: /^ACCEPT$/,
};

/** Levels that are called otherwise here. */
const LEVELS: Readonly<Record<string, string>> = { warning: 'warn' };

/** The macros of the firewall's documentation that stand for ports or types alone. */
const MACROS: Readonly<Record<string, readonly Pick<ImportedRule, 'protocol' | 'ports' | 'types'>[]>> = {
  DNS: [
    { protocol: 'udp', ports: ['53'] },
    { protocol: 'tcp', ports: ['53'] },
  ],
  FTP: [{ protocol: 'tcp', ports: ['21'] }],
  HTTP: [{ protocol: 'tcp', ports: ['80'] }],
  HTTPS: [{ protocol: 'tcp', ports: ['443'] }],
  IMAP: [{ protocol: 'tcp', ports: ['143'] }],
  IMAPS: [{ protocol: 'tcp', ports: ['993'] }],
  LDAP: [{ protocol: 'tcp', ports: ['389'] }],
  LDAPS: [{ protocol: 'tcp', ports: ['636'] }],
  MySQL: [{ protocol: 'tcp', ports: ['3306'] }],
  NTP: [{ protocol: 'udp', ports: ['123'] }],
  Ping: [{ protocol: 'icmp', types: ['echo-request'] }],
  PostgreSQL: [{ protocol: 'tcp', ports: ['5432'] }],
  RDP: [{ protocol: 'tcp', ports: ['3389'] }],
  SMTP: [{ protocol: 'tcp', ports: ['25'] }],
  SMTPS: [{ protocol: 'tcp', ports: ['465'] }],
  SNMP: [{ protocol: 'udp', ports: ['161-162'] }],
  SSH: [{ protocol: 'tcp', ports: ['22'] }],
  Submission: [{ protocol: 'tcp', ports: ['587'] }],
  Syslog: [
    { protocol: 'udp', ports: ['514'] },
    { protocol: 'tcp', ports: ['514'] },
  ],
  Web: [{ protocol: 'tcp', ports: ['80', '443'] }],
};

/** Reads a firewall file; what it does not understand it reports. */
export function parseFirewall(name: string, text: string, omissions: Omission[]): GuestFirewall {
  const options = new Map<string, string>();
  const aliases = new Map<string, string>();
  const sets = new Map<string, string[]>();
  const rules: Line[] = [];
  const groups = new Map<string, Line[]>();
  let section = '';
  let members: string[] = [];
  let lines = rules;
  for (const [i, whole] of text.split('\n').entries()) {
    const where = `${name} line ${i + 1}`;
    const line = whole.replace(/#.*$/, '').trim();
    const [, kind, argument = ''] = /^\[\s*(\w+)\s*([^\]]*?)\s*\]$/.exec(line) ?? [];
    if (kind !== undefined) {
      section = kind.toLowerCase();
      if (section === 'ipset') sets.set(argument.toLowerCase(), (members = []));
      if (section === 'group') groups.set(argument.toLowerCase(), (lines = []));
      if (section === 'rules') lines = rules;
    } else if (line === '' || line.startsWith('|')) {
      // Nothing, or a rule that is switched off.
    } else if (section === 'options') {
      const [, key = line, value = ''] = /^(\w+)\s*:\s*(.*)$/.exec(line) ?? [];
      options.set(key, value);
      if (!Object.hasOwn(OPTIONS, key) || !OPTIONS[key]?.test(value))
        omissions.push({ where, what: `option ${line} is not taken` });
    } else if (section === 'aliases') {
      const [alias = '', address = ''] = line.split(/\s+/);
      aliases.set(alias.toLowerCase(), address);
    } else if (section === 'ipset') {
      members.push(line.replace(/^!\s*/, '!'));
    } else if (section === 'rules' || section === 'group') {
      const parsed = lineOf(line, where);
      if (parsed === undefined) omissions.push({ where, what: `not understood: ${line}` });
      else lines.push(parsed);
    } else omissions.push({ where, what: `not understood: ${line}` });
  }
  return { options, aliases, sets, rules, groups };
}

function lineOf(line: string, where: string): Line | undefined {
  const words = line.split(/\s+/);
  const [first = '', second = ''] = words;
  const options = new Map<string, string>();
  for (let i = 2; i < words.length; i += 2) {
    const [key = '', value] = words.slice(i, i + 2);
    if (!key.startsWith('-') || value === undefined) return undefined;
    options.set(key.replace(/^-+/, ''), value);
  }
  const nic = options.get('i') ?? options.get('iface');
  if (first === 'GROUP') return { nic, group: second.toLowerCase() };
  if (first !== 'IN' && first !== 'OUT') return undefined;
  return { nic, rule: { where, direction: first === 'IN' ? 'in' : 'out', target: second, options } };
}

/** The groups that a guest's firewall comes to, and which of them each NIC has, in their order. */
export function firewallGroups(
  id: string,
  guest: GuestFirewall | undefined,
  cluster: GuestFirewall | undefined,
  omissions: Omission[],
): { groups: Record<string, ImportedGroup>; groupsOf: (nic: string) => string[] } {
  const groups: Record<string, ImportedGroup> = {};
  const off = { groups, groupsOf: () => [] };
  if (guest === undefined || guest.options.get('enable') !== '1') return off;
  if (cluster !== undefined && cluster.options.get('enable') !== '1') {
    omissions.push({
      where: `${id}.fw`,
      what: 'the firewall of the cluster is off: so is that of the guest',
    });
    return off;
  }
  const context: Context = { id, guest, cluster, groups, omissions };
  const policy = (direction: string, otherwise: Target) =>
    TARGETS[guest.options.get(`policy_${direction}`) ?? ''] ?? otherwise;
  const closing = { in: policy('in', 'drop'), out: policy('out', 'accept') };

  const groupsOf = (nic: string): string[] => {
    const names: string[] = [];
    let run: ImportedRule[] = [];
    let runs = 0;
    const closeRun = () => {
      if (run.length === 0) return;
      const name = `pve-${id}-${nic}${runs++ === 0 ? '' : `.${runs}`}`;
      groups[name] = { rules: run };
      names.push(name);
      run = [];
    };
    for (const line of guest.rules) {
      if (line.nic !== undefined && line.nic !== nic) continue;
      if ('rule' in line) run.push(...rulesOf(line.rule, context));
      else {
        closeRun();
        const name = sharedGroup(line.group, context);
        if (name !== undefined) names.push(name);
      }
    }
    closeRun();
    const policies = `pve-${id}-policy`;
    groups[policies] = { default: closing };
    return [...names, policies];
  };
  return { groups, groupsOf };
}

/** Where names of aliases are looked up. */
export interface SetContext {
  readonly guest: GuestFirewall;
  readonly cluster: GuestFirewall | undefined;
}

interface Context extends SetContext {
  readonly id: string;
  readonly groups: Record<string, ImportedGroup>;
  readonly omissions: Omission[];
}

function sharedGroup(group: string, context: Context): string | undefined {
  const name = `pve-group-${group}`;
  const lines = context.cluster?.groups.get(group);
  if (lines === undefined) {
    context.omissions.push({ where: `${context.id}.fw`, what: `cluster.fw has no group ${group}` });
    return undefined;
  }
  context.groups[name] ??= {
    rules: lines.flatMap((line) => ('rule' in line ? rulesOf(line.rule, context) : [])),
  };
  return name;
}

function rulesOf({ where, direction, target, options }: RawRule, context: Context): ImportedRule[] {
  const [, macro, inner] = /^(\w+)\((\w+)\)$/.exec(target) ?? [];
  const action = TARGETS[inner ?? target];
  const parts = macro === undefined ? [protocolOf(options)] : MACROS[macro];
  const omit = (what: string): ImportedRule[] => {
    context.omissions.push({ where, what: `${what}: the rule is left out` });
    return [];
  };
  if (action === undefined) return omit(`action ${target}`);
  if (parts === undefined) return omit(`macro ${macro}`);
  if (macro !== undefined && ['p', 'proto', 'sport', 'dport', 'icmp-type'].some((key) => options.has(key)))
    return omit('a macro with a protocol or ports of its own');
  const near = direction === 'in' ? 'dest' : 'source';
  if (options.has(near)) return omit(`-${near}, which is the guest itself,`);
  const text = options.get(direction === 'in' ? 'source' : 'dest');
  const peers: Peer[] = [];
  for (const word of text?.split(',') ?? []) {
    const found = peersOf(word, context);
    if (found === undefined) return omit(word);
    peers.push(...found);
  }
  const log = options.get('log');
  const stranger = [...options.keys()].find((key) => !RULE_OPTIONS.includes(key));
  if (stranger !== undefined) return omit(`-${stranger}`);
  const rules = parts.map(
    (part): ImportedRule => ({
      direction,
      action,
      ...part,
      ...(peers.length > 0 && { [direction === 'in' ? 'from' : 'to']: peers }),
      ...(log !== undefined && log !== 'nolog' && { log: { level: LEVELS[log] ?? log } }),
    }),
  );
  const why = rules.map(whyNoRule).find((reason) => reason !== undefined);
  return why === undefined ? rules : omit(why);
}

function protocolOf(
  options: ReadonlyMap<string, string>,
): Pick<ImportedRule, 'protocol' | 'ports' | 'sourcePorts' | 'types'> {
  const protocol = options.get('p') ?? options.get('proto');
  const ports = (name: string) =>
    options
      .get(name)
      ?.split(',')
      .map((port) => port.replace(':', '-'));
  const isIcmp = protocol === 'icmp' || protocol === 'icmpv6' || protocol === 'ipv6-icmp';
  const types = options.get('icmp-type') ?? (isIcmp ? options.get('dport') : undefined);
  const [dport, sport] = [isIcmp ? undefined : ports('dport'), ports('sport')];
  return {
    ...(protocol !== undefined && { protocol: protocol === 'ipv6-icmp' ? 'icmpv6' : protocol }),
    ...(dport !== undefined && { ports: dport }),
    ...(sport !== undefined && { sourcePorts: sport }),
    ...(types !== undefined && { types: [icmpType(types)] }),
  };
}

/** What a word of `-source` or `-dest` means: a set, an alias, a range, a block or an address. */
function peersOf(word: string, context: Context): Peer[] | undefined {
  const [, scope, name = ''] = /^\+?(?:(dc|guest)\/)?(.*)$/.exec(word.toLowerCase()) ?? [];
  const sources = [
    ...(scope === 'dc' ? [] : [context.guest]),
    ...(scope === 'guest' || context.cluster === undefined ? [] : [context.cluster]),
  ];
  if (word.startsWith('+')) {
    const home = sources.find(({ sets }) => sets.has(name));
    if (home === undefined) return undefined;
    const group = home === context.guest ? `pve-set-${context.id}-${name}` : `pve-set-${name}`;
    const members = membersOf(home.sets.get(name) ?? [], context);
    if (members === undefined) return undefined;
    context.groups[group] ??= { members };
    return [{ group }];
  }
  return addressesOf(word, context);
}

/** What an alias, a range, a block or an address means. */
function addressesOf(word: string, { guest, cluster }: SetContext): string[] | undefined {
  const [, scope, name = ''] = /^(?:(dc|guest)\/)?(.*)$/.exec(word.toLowerCase()) ?? [];
  const alias = [scope === 'dc' ? undefined : guest, scope === 'guest' ? undefined : cluster]
    .map((source) => source?.aliases.get(name))
    .find((address) => address !== undefined);
  const address = alias ?? word;
  const [first = '', last] = address.split('-');
  try {
    return last === undefined ? [prefixText(cidr(single(first)))] : blocksBetween(first, last);
  } catch (error) {
    if (error instanceof TypeError) return undefined;
    throw error;
  }
}

/** The members of an IP set without its exceptions; nothing where one is not known. */
export function membersOf(members: readonly string[], context: SetContext): string[] | undefined {
  const blocks: string[] = [];
  const exceptions: string[] = [];
  for (const member of members) {
    const found = addressesOf(member.replace('!', ''), context);
    if (found === undefined) return undefined;
    (member.startsWith('!') ? exceptions : blocks).push(...found);
  }
  return blocksWithout(blocks, exceptions);
}
