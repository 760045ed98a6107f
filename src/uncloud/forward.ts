import { accept, concat, ip, ip6, meta, type Statement, set } from '../index.ts';
import { addressText, byLength, cidr, comparePrefixes, type Prefix } from './address.ts';
import type { Host } from './host.ts';
import { truncated } from './key.ts';
import type { Policy } from './policy.ts';
import type { TableWriter } from './table.ts';

const FIELDS = {
  ip: { saddr: ip.saddr, daddr: ip.daddr, type: 'ipv4_addr' },
  ip6: { saddr: ip6.saddr, daddr: ip6.daddr, type: 'ipv6_addr' },
} as const;

/** What this host may route: all that the VMs own, private networks apart. */
function allowed(host: Host, policy: Policy): Prefix[] {
  const texts = Object.values(policy.vms).flatMap((vm) => [
    ...vm.ipv4,
    ...vm.ipv6,
    ...vm.nics
      .filter(({ bridge }) => host.bridges[bridge]?.shared !== false)
      .flatMap((nic) => [...nic.ipv4, ...nic.ipv6]),
  ]);
  return [...new Set(texts)].map(cidr).sort(comparePrefixes);
}

/** Routed packets: dropped, unless a VM owns the source or the destination. */
export function forwardDeny(table: TableWriter, host: Host, policy: Policy): void {
  const prefixes = allowed(host, policy);
  const rules: Statement[][] = [];
  const bridges = Object.keys(host.bridges).sort();
  if (bridges.length > 0) {
    // With br_netfilter bridged packets come by here as well; the bridge's own chains have judged them.
    const pairs = bridges.map((name) => [name, name]);
    rules.push([concat(meta.iifname, meta.oifname).in(set(...pairs)), accept()]);
  }
  for (const family of ['ip', 'ip6'] as const) {
    const texts = prefixes
      .filter((prefix) => prefix.family === family)
      .map((prefix) => [prefix, addressText(family, prefix.value)] as const);
    for (const [length, elements] of byLength(texts)) {
      for (const side of ['saddr', 'daddr'] as const) {
        const { [side]: field, type } = FIELDS[family];
        const key = { operand: truncated(family, field, length), type };
        rules.push([table.among(`${family}_${length}`, key, elements), accept()]);
      }
    }
  }
  table.chain('forward', rules, { hook: 'forward', prio: 0, policy: 'drop' });
}
