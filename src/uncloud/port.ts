import { anyLinkLocal, cidr, comparePrefixes, eui64, type Prefix } from './address.ts';
import type { Host } from './host.ts';
import type { Nic, Policy } from './policy.ts';

/** A VM's port on a bridge of this host, with its addresses parsed. */
export interface Port {
  readonly ifname: string;
  readonly bridge: string;
  readonly mac: string;
  /** On a private network: its router advertisements and DHCP answers pass. */
  readonly private: boolean;
  readonly ip: readonly Prefix[];
  readonly ip6: readonly Prefix[];
}

function linkLocals(nic: Nic): Prefix[] {
  if (nic.linkLocal === 'any') return [anyLinkLocal];
  return nic.linkLocal === 'eui64' ? [eui64(nic.mac)] : nic.linkLocal.map(cidr);
}

function unique(prefixes: readonly Prefix[]): Prefix[] {
  const byText = new Map(prefixes.map((prefix) => [`${prefix.value}/${prefix.length}`, prefix]));
  return [...byText.values()].sort(comparePrefixes);
}

/** The VM ports on bridges that this host manages, by interface name. */
export function portsOf(host: Host, policy: Policy): Port[] {
  return Object.values(policy.vms)
    .flatMap((vm) => vm.nics)
    .flatMap((nic) => {
      const bridge = Object.hasOwn(host.bridges, nic.bridge) ? host.bridges[nic.bridge] : undefined;
      if (!bridge) return [];
      return [
        {
          ifname: nic.ifname,
          bridge: nic.bridge,
          mac: nic.mac,
          private: !bridge.shared,
          ip: unique(nic.ipv4.map(cidr)),
          ip6: unique([...nic.ipv6.map(cidr), ...linkLocals(nic)]),
        },
      ];
    })
    .sort((a, b) => (a.ifname < b.ifname ? -1 : 1));
}
