import type { Table } from '../index.ts';
import { foreignChains } from './doctor-chains.ts';
import { elements, type Finding, type Findings, type Patient } from './doctor-finding.ts';
import { bridges, ports } from './doctor-links.ts';
import type { Observation } from './doctor-observe.ts';
import type { Host } from './host.ts';
import type { Policy } from './policy.ts';
import { TABLE } from './render.ts';

export type { Finding, Severity } from './doctor-finding.ts';

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
