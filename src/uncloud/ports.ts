import type { Facts } from './facts.ts';
import type { Host } from './host.ts';
import type { Vm } from './policy.ts';

/** The ports that VMs list, with the family that guards each. */
export type PortFamilies = ReadonlyMap<string, 'bridge' | 'netdev'>;

/** The devices that netdev chains are hooked to: those that there are. */
export interface Devices {
  /** Ports of bridges that have rules of their own: only frames that go around them are looked at. */
  readonly bridged: readonly string[];
  /** Ports with backend netdev, which all of their rules hang on. */
  readonly direct: readonly string[];
  /** Ports with backend netdev of VMs that were refused. */
  readonly closed: readonly string[];
}

/** What belongs to the host: bridges, and what leads out of them. */
export function uplinksOf({ bridges }: Host): Set<string> {
  return new Set(Object.entries(bridges).flatMap(([name, { uplinks }]) => [name, ...uplinks]));
}

/** The ports that VMs have on this host. */
export function portsOf(host: Host, vms: Iterable<Vm>): Map<string, 'bridge' | 'netdev'> {
  const ports = new Map<string, 'bridge' | 'netdev'>();
  for (const { nics } of vms) {
    for (const { ifname, bridge } of nics) {
      const known = Object.hasOwn(host.bridges, bridge) ? host.bridges[bridge] : undefined;
      if (known) ports.set(ifname, known.backend);
    }
  }
  return ports;
}

/** What is on a bridge where only listed ports may be: those that VMs list, and those that nobody does. */
export function portsThatMustBeListed(host: Host, { interfaces = [] }: Facts): string[] {
  return interfaces.flatMap(({ ifname, bridge }) =>
    bridge !== undefined && Object.hasOwn(host.bridges, bridge) && host.bridges[bridge]?.unlisted === 'deny'
      ? [ifname]
      : [],
  );
}

/** Ports that are nobody's: those of refused VMs, and those that would have to be listed and are not. */
export function closedPorts(
  host: Host,
  facts: Facts,
  blocked: readonly string[],
  isListed: (ifname: string) => boolean,
): string[] {
  const uplinks = uplinksOf(host);
  return [...new Set([...blocked, ...portsThatMustBeListed(host, facts)])]
    .filter((name) => !uplinks.has(name) && !isListed(name))
    .sort();
}

/** Which devices netdev chains can be hooked to. */
export function devicesOf(
  host: Host,
  { interfaces = [] }: Facts,
  ports: PortFamilies,
  closed: ReadonlySet<string>,
): Devices {
  const [bridged, direct, shut]: [string[], string[], string[]] = [[], [], []];
  for (const { ifname, bridge } of interfaces) {
    const family = ports.get(ifname);
    if (family === undefined && !closed.has(ifname)) continue;
    const isOnBridge = bridge === undefined || host.bridges[bridge]?.backend !== 'netdev';
    if (family === 'bridge' || (family === undefined && isOnBridge)) bridged.push(ifname);
    else if (family === 'netdev') direct.push(ifname);
    else shut.push(ifname);
  }
  return { bridged: bridged.sort(), direct: direct.sort(), closed: shut.sort() };
}

/** Ports that no netdev chain can be hooked to, because they are not there. */
export function uncoveredOf(
  { interfaces = [] }: Facts,
  ports: PortFamilies,
  closed: ReadonlySet<string>,
): string[] {
  const present = new Set(interfaces.map(({ ifname }) => ifname));
  return [...ports.keys(), ...closed].filter((name) => !present.has(name)).sort();
}
