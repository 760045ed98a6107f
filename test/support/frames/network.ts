import { readFileSync } from 'node:fs';
import type { BridgePlan } from './rig.ts';

const POLICIES = new URL('../../../examples/policies/', import.meta.url);

interface Nic {
  readonly ifname: string;
  readonly bridge: string;
  readonly mac: string;
  readonly ipv4: readonly string[];
  readonly ipv6: readonly string[];
  readonly linkLocal?: readonly string[];
}

interface Description {
  readonly host: { readonly bridges: Readonly<Record<string, { readonly mac: string }>> };
  readonly policy: { readonly vms: Readonly<Record<string, { readonly nics: readonly Nic[] }>> };
}

/** The hypervisor and the policy that the catalogue is about: those of `examples/policies`. */
export const { host, policy }: Description = { host: read('host.json'), policy: read('policy.json') };

/** The same policy with so many VMs of other hosts that `sets: auto` names its sets. */
export const crowded: Description['policy'] = {
  vms: {
    ...policy.vms,
    ...Object.fromEntries(
      Array.from({ length: 48 }, (_, n) => {
        const hex = n.toString(16).padStart(2, '0');
        const nic = {
          ifname: `far${n}`,
          bridge: 'br100',
          mac: `02:00:00:0f:00:${hex}`,
          ipv4: [`10.9.0.${n}/32`],
          ipv6: [`2001:db8:9::${hex}/128`],
        };
        return [`far${n}`, { nics: [nic] }];
      }),
    ),
  },
};

/** Someone who sends frames, and what is theirs. */
export interface Machine {
  readonly port: string;
  readonly bridge: string;
  readonly mac: string;
  readonly ipv4: string;
  readonly ipv6: string;
  readonly linkLocal: string;
  /** An address in the network delegated to it. */
  readonly delegated: string;
}

/** Two VMs of customers who do not trust each other, on a shared bridge. */
export const alice = vm('343a');
export const bob = vm('343b');

/** Two VMs of one customer on a private network. */
export const carol = vm('51a0');
export const dave = vm('51a1');

/** Behind the shared bridge's uplink. */
export const router = machine('vxlan100', 'br100', '02:00:00:00:00:01', 254);
/** On a port of the shared bridge that no VM lists. */
export const stranger = machine('vdead-0', 'br100', '02:00:00:00:00:66', 66);
/** On a bridge that the host does not name. */
export const outsiders = [
  machine('p300-0', 'br300', '02:00:00:00:03:01', 31),
  machine('p300-1', 'br300', '02:00:00:00:03:02', 32),
] as const;

const everyone = [alice, bob, router, stranger, carol, dave, ...outsiders];

/** The other machines on the same bridge that a frame for all may reach. */
export function others(sender: Machine): string[] {
  return everyone
    .filter((other) => other.bridge === sender.bridge && other !== sender && other !== stranger)
    .map(({ port }) => port);
}

/** What the rig has to build. */
export const plan: Readonly<Record<string, BridgePlan>> = Object.fromEntries(
  ['br100', 'br200', 'br300'].map((bridge) => {
    const mac = host.bridges[bridge]?.mac;
    const ports = everyone.filter((each) => each.bridge === bridge).map(({ port }) => port);
    return [bridge, { ports, ...(mac && { mac }) }];
  }),
);

function read<T>(name: string): T {
  return JSON.parse(readFileSync(new URL(name, POLICIES), 'utf8'));
}

function vm(id: string): Machine {
  const nic = policy.vms[id]?.nics[0];
  const [ipv4, ipv6, network] = [nic?.ipv4[0], nic?.ipv6[0], nic?.ipv6[1]];
  if (!nic || !ipv4 || !ipv6 || !network) throw new Error(`the catalogue needs more of VM ${id}`);
  return {
    port: nic.ifname,
    bridge: nic.bridge,
    mac: nic.mac,
    ipv4: bare(ipv4),
    ipv6: bare(ipv6),
    linkLocal: nic.linkLocal?.[0] ?? eui64(nic.mac),
    delegated: `${bare(network)}42`,
  };
}

function machine(port: string, bridge: string, mac: string, number: number): Machine {
  const [ipv6, delegated] = [`2a0a:e5c1:111:888::${number}`, `2a0a:e5c1:111:${number}00::42`];
  return { port, bridge, mac, ipv4: `10.0.0.${number}`, ipv6, linkLocal: eui64(mac), delegated };
}

function bare(prefix: string): string {
  return prefix.replace(/\/.*/, '');
}

/** The link-local address that comes of a MAC (RFC 4291, appendix A). */
export function eui64(mac: string): string {
  const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0] = mac.split(':').map((byte) => Number.parseInt(byte, 16));
  const groups = [((a ^ 2) << 8) | b, (c << 8) | 0xff, 0xfe00 | d, (e << 8) | f];
  return `fe80::${groups.map((group) => group.toString(16)).join(':')}`;
}
