import {
  addressText,
  anyLinkLocal,
  type Block,
  blocksIn,
  comparePrefixes,
  eui64,
  type Prefix,
} from './address.ts';
import type { Host } from './host.ts';
import type { Nic } from './policy.ts';

/** A VM's port on a bridge of this host, with its addresses parsed. */
export interface Port {
  readonly ifname: string;
  readonly bridge: string;
  readonly mac: string;
  /** The family whose table guards it. */
  readonly family: 'bridge' | 'netdev';
  /** On a private network: its router advertisements and DHCP answers pass. */
  readonly private: boolean;
  readonly ip: readonly Block[];
  readonly ip6: readonly Block[];
}

const withText = (prefix: Prefix): Block => ({ ...prefix, text: addressText(prefix.family, prefix.value) });
const ANY_LINK_LOCAL = withText(anyLinkLocal);

function linkLocals(nic: Nic): Block[] {
  if (nic.linkLocal === 'any') return [ANY_LINK_LOCAL];
  return nic.linkLocal === 'eui64' ? [withText(eui64(nic.mac))] : [...blocksIn(nic.linkLocal)];
}

/** What a NIC may call its own: addresses and networks, each once, longest prefix first. */
export function blocksOf(nic: Nic): { ip: readonly Block[]; ip6: readonly Block[] } {
  const ip6 = [...blocksIn(nic.ipv6), ...linkLocals(nic)].sort(comparePrefixes);
  return {
    ip: blocksIn(nic.ipv4),
    ip6: ip6.filter(
      ({ value, length }, i) => i === 0 || ip6[i - 1]?.value !== value || ip6[i - 1]?.length !== length,
    ),
  };
}

/** The port of a NIC, if it is on a bridge that this host manages. */
export function portOf(host: Host, nic: Nic, blocks = blocksOf(nic)): Port | undefined {
  const bridge = Object.hasOwn(host.bridges, nic.bridge) ? host.bridges[nic.bridge] : undefined;
  if (!bridge) return undefined;
  const { ifname, mac } = nic;
  return { ifname, bridge: nic.bridge, mac, family: bridge.backend, private: !bridge.shared, ...blocks };
}
