import type { Chain, Rule, Ruleset, Statement, Table } from '../index.ts';
import type { Observation } from './doctor-observe.ts';
import type { Host } from './host.ts';
import type { Nic, Policy } from './policy.ts';
import { TABLE } from './render.ts';

/**
 * - `defeats`: something passes that the policy forbids
 * - `loses`: something is lost that the policy allows, or may be
 * - `weakens`: the kernel lacks something, and the policy holds less finely
 */
export type Severity = 'defeats' | 'loses' | 'weakens';

/** Something about a host that stands against the policy. */
export interface Finding {
  readonly severity: Severity;
  /** What it is about: an interface, a chain, a setting. */
  readonly where: string;
  readonly what: string;
  readonly remedy: string;
}

interface Patient extends Observation {
  readonly host: Host;
  readonly nics: readonly Nic[];
}

/** Our chains' priorities in family bridge (see `render`): what comes before sees frames unjudged. */
const PREROUTING = -300;

/** What on a host stands against a policy that is, or is to be, in force there. */
export function examine(observation: Observation, host: Host, policy: Policy): Finding[] {
  const nics = Object.values(policy.vms)
    .flatMap((vm) => vm.nics)
    .filter(({ bridge }) => Object.hasOwn(host.bridges, bridge));
  const patient: Patient = { ...observation, host, nics };
  return [missing, features, brNetfilter, legacyTables, bridges, ports, foreignChains].flatMap((look) => [
    ...look(patient),
  ]);
}

type Findings = Generator<Finding>;

function* missing({ ruleset, host }: Patient): Findings {
  const tables = elements<Table>(ruleset, 'table').filter(({ name }) => name === TABLE);
  if (!tables.some(({ family }) => family === 'bridge') && Object.keys(host.bridges).length > 0) {
    yield {
      severity: 'defeats',
      where: `table bridge ${TABLE}`,
      what: 'it is not there: no policy is in force',
      remedy: 'nftjs uncloud apply',
    };
  }
  for (const { family, flags } of tables) {
    if (flags === undefined || ![flags].flat().includes('dormant')) continue;
    yield {
      severity: 'defeats',
      where: `table ${family} ${TABLE}`,
      what: 'it is dormant: its rules see no frame',
      remedy: 'nftjs uncloud apply',
    };
  }
}

function* features({ facts, nics }: Patient): Findings {
  if (!facts.ibrname) {
    yield {
      severity: 'weakens',
      where: 'kernel: meta ibrname (NFT_BRIDGE_META)',
      what: 'a port that comes to a bridge after apply is closed to listed ports only; two such ports reach each other until the next apply',
      remedy: 'a kernel with CONFIG_NFT_BRIDGE_META, or apply whenever a port appears',
    };
  }
  const inGroups = nics.some(({ groups }) => groups.length > 0);
  if (inGroups && facts.conntrack === false) {
    yield {
      severity: 'weakens',
      where: 'kernel: connection tracking on bridges (NF_CONNTRACK_BRIDGE)',
      what: 'security groups are stateless: answers are told by their ports alone',
      remedy: 'a kernel with CONFIG_NF_CONNTRACK_BRIDGE',
    };
  }
  if (inGroups && facts.reject === false) {
    yield {
      severity: 'weakens',
      where: 'kernel: reject on bridges (NFT_BRIDGE_REJECT)',
      what: 'reject drops: who asks waits until it gives up',
      remedy: 'a kernel with CONFIG_NFT_BRIDGE_REJECT',
    };
  }
}

/** With br_netfilter, bridged IP packets pass the chains of families ip, ip6, inet and arp as well. */
function* brNetfilter({ files, links, host }: Patient): Findings {
  for (const tables of ['iptables', 'ip6tables', 'arptables']) {
    const setting = `sys/net/bridge/bridge-nf-call-${tables}`;
    if ((files[setting] ?? '0') === '0') continue;
    yield {
      severity: 'loses',
      where: setting.replaceAll('/', '.').replace(/^sys\./, ''),
      what: 'bridged packets pass this host’s own rules and its connection tracking: they may drop there, and fragments are put together before the bridge’s rules see them',
      remedy: `sysctl -w net.bridge.bridge-nf-call-${tables}=0`,
    };
  }
  for (const name of Object.keys(host.bridges)) {
    const data = links.find(({ ifname }) => ifname === name)?.linkinfo?.info_data ?? {};
    const on = ['nf_call_iptables', 'nf_call_ip6tables', 'nf_call_arptables'].filter(
      (key) => data[key] === 1,
    );
    if (on.length === 0 || !('sys/net/bridge/bridge-nf-call-iptables' in files)) continue;
    yield {
      severity: 'loses',
      where: name,
      what: `${on.join(', ')}: its packets pass this host’s own rules`,
      remedy: `ip link set ${name} type bridge ${on.map((key) => `${key} 0`).join(' ')}`,
    };
  }
}

function* legacyTables({ files }: Patient): Findings {
  for (const [family, program] of [
    ['ip', 'iptables-legacy'],
    ['ip6', 'ip6tables-legacy'],
    ['arp', 'arptables-legacy'],
  ] as const) {
    const names = files[`net/${family}_tables_names`]?.trim();
    if (!names) continue;
    yield {
      severity: 'loses',
      where: `${program}: ${names}`,
      what: 'tables of xtables, which no listing of nftables shows, may drop what is routed or, by br_netfilter, bridged',
      remedy: `look with ${program}-save`,
    };
  }
}

function* bridges({ links, host, nics, ruleset }: Patient): Findings {
  const guarded = new Set(
    elements<Chain>(ruleset, 'chain')
      .filter(({ family, table }) => family === 'netdev' && table === TABLE)
      .flatMap(({ dev = [] }) => dev),
  );
  for (const [name, { mac }] of Object.entries(host.bridges)) {
    const link = links.find(({ ifname }) => ifname === name);
    if (!link) {
      yield {
        severity: 'loses',
        where: name,
        what: 'this bridge does not exist',
        remedy: `ip link add ${name} type bridge`,
      };
      continue;
    }
    const data = link.linkinfo?.info_data ?? {};
    if (link.linkinfo?.info_kind !== 'bridge') {
      yield {
        severity: 'defeats',
        where: name,
        what: `it is no bridge of Linux but ${link.linkinfo?.info_kind ?? 'an interface'}: bridge hooks see none of its frames`,
        remedy: 'the backend netdev for it',
      };
      continue;
    }
    const open = nics.filter((nic) => nic.bridge === name && !guarded.has(nic.ifname));
    const present = open.filter(({ ifname }) => links.some((other) => other.ifname === ifname));
    if (data.no_linklocal_learn !== 1 && present.length > 0) {
      yield {
        severity: 'defeats',
        where: name,
        what: `frames to 01:80:c2:00:00:0X from ${some(present)} teach it any source MAC: those ports have no ingress chain`,
        remedy: `ip link set ${name} type bridge no_linklocal_learn 1, or nftjs uncloud apply`,
      };
    }
    if (data.group_fwd_mask !== undefined && Number(data.group_fwd_mask) !== 0 && present.length > 0) {
      yield {
        severity: 'defeats',
        where: name,
        what: `group_fwd_mask ${data.group_fwd_mask}: it forwards frames to reserved groups, which go around its rules`,
        remedy: `ip link set ${name} type bridge group_fwd_mask 0`,
      };
    }
    if (mac !== undefined && link.address !== undefined && mac !== link.address) {
      yield {
        severity: 'weakens',
        where: name,
        what: `its MAC is ${link.address}, the host description says ${mac}: a VM may claim the real one`,
        remedy: `ip link set ${name} address ${mac}`,
      };
    }
    const thief = nics.find((nic) => nic.bridge === name && nic.mac === link.address);
    if (thief) {
      yield {
        severity: 'loses',
        where: name,
        what: `its MAC is that of ${thief.ifname}'s VM: it keeps the VM's frames for itself`,
        remedy: `ip link set ${name} address …`,
      };
    }
  }
}

function* ports({ links, host, nics }: Patient): Findings {
  const byName = new Map(links.map((link) => [link.ifname, link]));
  for (const { ifname, bridge } of nics) {
    const link = byName.get(ifname);
    if (link && link.master !== bridge && host.bridges[bridge]?.backend !== 'netdev') {
      yield {
        severity: 'defeats',
        where: ifname,
        what: link.master
          ? `it is on ${link.master}, the policy says ${bridge}`
          : `it is on no bridge: bridge hooks see none of its frames`,
        remedy: `ip link set ${ifname} master ${bridge}, or the backend netdev`,
      };
    }
    if (link?.xdp !== undefined) {
      yield {
        severity: 'defeats',
        where: ifname,
        what: 'an XDP program sees its frames before any rule, and may send them on',
        remedy: `look with ip link show ${ifname}`,
      };
    }
    if (link?.linkinfo?.info_slave_data?.neigh_suppress === true) {
      yield {
        severity: 'weakens',
        where: ifname,
        what: 'neigh_suppress: the bridge answers for neighbours by what it overheard',
        remedy: `bridge link set dev ${ifname} neigh_suppress off`,
      };
    }
  }
  for (const [bridge, { uplinks }] of Object.entries(host.bridges)) {
    for (const uplink of uplinks) {
      const link = byName.get(uplink);
      if (link?.master === bridge) continue;
      yield {
        severity: 'loses',
        where: uplink,
        what: link ? `this uplink is not on ${bridge}` : `this uplink of ${bridge} does not exist`,
        remedy: `ip link set ${uplink} master ${bridge}`,
      };
    }
    const listed = new Set([...uplinks, ...nics.map(({ ifname }) => ifname)]);
    const strangers = links.filter(({ ifname, master }) => master === bridge && !listed.has(ifname));
    if (strangers.length > 0) {
      yield {
        severity: 'loses',
        where: bridge,
        what: `nobody lists ${some(strangers)}: nothing passes there`,
        remedy: 'list it in the policy, as an uplink, or take it off the bridge',
      };
    }
  }
}

/** What other tables do where our frames pass: their drops hold beside our accepts, and some ways go around us. */
function* foreignChains({ ruleset, host, nics }: Patient): Findings {
  const devices = new Set([
    ...nics.map(({ ifname }) => ifname),
    ...Object.values(host.bridges).flatMap(({ uplinks }) => uplinks),
  ]);
  const chains = elements<Chain>(ruleset, 'chain');
  const rules = elements<Rule>(ruleset, 'rule');
  for (const chain of chains) {
    const { family, table, name, hook, policy, dev } = chain;
    if (table === TABLE || hook === undefined || !concerns(chain, devices)) continue;
    const where = `chain ${family} ${table} ${name} (${hook}${dev ? ` of ${[dev].flat().join(', ')}` : ''})`;
    const statements = reachable(chain, rules).flatMap(({ expr = [] }) => expr);
    const does = (...kinds: string[]) =>
      kinds.filter((kind) => statements.some((statement) => holds(statement, kind)));
    const around = family === 'netdev' || family === 'bridge' ? does('fwd', 'dup') : [];
    if (around.length > 0) {
      yield {
        severity: 'defeats',
        where,
        what: `its rules have ${around.join(' and ')}: frames go out elsewhere without passing ours`,
        remedy: 'take those rules away, or keep them off VM ports',
      };
    }
    if (family === 'bridge' && statements.some(isBroute)) {
      yield {
        severity: 'defeats',
        where,
        what: 'its rules set meta broute: such frames are routed, not bridged',
        remedy: 'take those rules away, or keep them off VM ports',
      };
    }
    if (
      family === 'bridge' &&
      hook === 'prerouting' &&
      Number(chain.prio) < PREROUTING &&
      statements.some(rewrites)
    ) {
      yield {
        severity: 'defeats',
        where,
        what: 'its rules rewrite frames before ours judge them',
        remedy: `a priority above ${PREROUTING}`,
      };
    }
    const drops = [...(policy === 'drop' ? ['policy drop'] : []), ...does('drop', 'reject', 'queue')];
    if (drops.length > 0) {
      yield {
        severity: 'loses',
        where,
        what: `it has ${drops.join(', ')}: that holds whatever ours accept`,
        remedy: 'look whether it means VM traffic',
      };
    }
  }
}

const HOOKS: Readonly<Record<string, readonly string[]>> = {
  bridge: ['prerouting', 'forward', 'postrouting'],
  netdev: ['ingress', 'egress'],
  inet: ['ingress', 'prerouting', 'forward', 'postrouting'],
  ip: ['prerouting', 'forward', 'postrouting'],
  ip6: ['prerouting', 'forward', 'postrouting'],
};

function concerns({ family, hook, dev }: Chain, devices: ReadonlySet<string>): boolean {
  if (!HOOKS[family]?.includes(hook as string)) return false;
  return dev === undefined || [dev].flat().some((device) => devices.has(device));
}

/** The rules of a chain and of those that it leads to. */
function reachable({ family, table, name }: Chain, rules: readonly Rule[]): Rule[] {
  const seen = new Set([name]);
  const found: Rule[] = [];
  for (const chain of seen) {
    for (const rule of rules) {
      if (rule.family !== family || rule.table !== table || rule.chain !== chain) continue;
      found.push(rule);
      for (const [, target] of JSON.stringify(rule.expr ?? []).matchAll(
        /"(?:goto|jump)":\{"target":("[^"]*")/g,
      ))
        seen.add(JSON.parse(target as string));
    }
  }
  return found;
}

/** Whether a statement is of the kind, or a verdict map has one. Names in a rule cannot look like that. */
const holds = (statement: Statement, kind: string): boolean =>
  kind in statement ||
  ('vmap' in statement && new RegExp(`"${kind}":null`).test(JSON.stringify(statement.vmap)));

function mangled(statement: Statement): object | undefined {
  return 'mangle' in statement ? (statement.mangle.key as object) : undefined;
}

const isBroute = (statement: Statement): boolean =>
  JSON.stringify(mangled(statement) ?? null).includes('"broute"');

const rewrites = (statement: Statement): boolean => 'payload' in (mangled(statement) ?? {});

function some(named: readonly { readonly ifname: string }[]): string {
  const names = named.map(({ ifname }) => ifname);
  return names.length > 5 ? `${names.slice(0, 5).join(', ')} and ${names.length - 5} more` : names.join(', ');
}

function elements<T>({ nftables }: Ruleset, kind: string): T[] {
  return nftables.flatMap((element) => {
    const node = (element as unknown as Record<string, T>)[kind];
    return node === undefined ? [] : [node];
  });
}
