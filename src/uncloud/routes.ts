import type { NetworkInterface, Route } from '../index.ts';
import { addressText, type Block, blocksIn, eui64, WIDTH } from './address.ts';
import type { Host } from './host.ts';
import type { Nic, Vm } from './policy.ts';
import type { Problem } from './problem.ts';

/**
 * The number that our routes carry (`proto 117` in iproute2, `rtm_protocol`): outside of those that
 * linux/rtnetlink.h and iproute2's rt_protos name. What carries it is ours, in every table.
 */
export const ROUTE_PROTOCOL = 117;

/** How delegated prefixes are routed. */
export interface RouteOptions {
  /** The table that they stand in; default 254, `main`. Of another one, rules (`ip rule`) have to speak. */
  readonly table?: number;
  /** Whether prefixes of VMs that are not on this host end here, unless any other route leads to them. */
  readonly blackhole?: boolean;
}

/** A route, and the record that asks for it. */
export interface WantedRoute {
  readonly route: Route;
  readonly key: string;
  readonly path: string;
}

/** Routes by {@link routeKey}. */
export type WantedRoutes = ReadonlyMap<string, WantedRoute>;

/** What {@link wantedRoutes} works from. */
export interface RouteInput extends RouteOptions {
  readonly host: Host;
  /** The records in force. */
  readonly vms: Iterable<readonly [id: string, vm: Vm]>;
  readonly interfaces: readonly NetworkInterface[];
}

const MAIN = 254;
/** Those that routes get where nobody says (`ip route add`). */
const METRIC = { ip: 0, ip6: 1024 } as const;
/** Any other route to the same block goes before. */
const LAST_METRIC = 0xffffffff;
const FAMILIES = [
  ['ip', 'ipv4', 'IPv4'],
  ['ip6', 'ipv6', 'IPv6'],
] as const;

type Family = 'ip' | 'ip6';

/** What tells routes of a namespace apart for the kernel. */
export function routeKey({ family, table, dst, metric }: Route): string {
  return `${family} ${table} ${dst} ${metric}`;
}

/**
 * The routes that delegated prefixes ask for: what a NIC has beside single addresses, and the blocks of the VM as a
 * whole. The next hop is the VM's own address on its bridge: of IPv6 its link-local one where it has no other. A VM
 * is on this host where its port is, on its bridge. Addresses on private bridges are their customer's own, and not
 * routed; a record without NICs says nothing of where its blocks are.
 */
export function wantedRoutes({ host, vms, interfaces, table = MAIN, blackhole = false }: RouteInput): {
  routes: WantedRoutes;
  problems: readonly Problem[];
} {
  const present = presence(host, interfaces);
  const routes = new Map<string, WantedRoute>();
  const problems: Problem[] = [];
  const names = new Set(interfaces.map(({ name }) => name));
  for (const [id, vm] of vms) {
    // Of many VMs few are here.
    if (!blackhole && !vm.nics.some(({ ifname }) => names.has(ifname))) continue;
    const nics = vm.nics.filter(
      ({ bridge }) => Object.hasOwn(host.bridges, bridge) && host.bridges[bridge]?.shared,
    );
    const here = nics.filter((nic) => present(nic) !== undefined);
    if (nics.length === 0 || (here.length === 0 && !blackhole)) continue;
    const key = `distributed-firewall/vm/${id}`;
    const want = (path: string, family: Family, block: Block, hops: readonly Nic[], words: string) => {
      const put = (more: Pick<Route, 'type' | 'metric' | 'gateway' | 'oif' | 'onlink'>) => {
        const dst = `${block.text}/${block.length}`;
        const route: Route = { family, dst, table, protocol: ROUTE_PROTOCOL, ...more };
        const name = routeKey(route);
        if (!routes.has(name)) routes.set(name, { route, key, path });
      };
      if (hops.length === 0) {
        if (blackhole) put({ type: 'blackhole', metric: LAST_METRIC });
        return;
      }
      for (const nic of hops) {
        const gateway = nextHop(nic, family);
        if (gateway === undefined) continue;
        put({ type: 'unicast', metric: METRIC[family], gateway, oif: present(nic) as number, onlink: true });
        return;
      }
      const why = `${block.text}/${block.length} is not routed: there is no ${words} address to be its next hop`;
      problems.push({ key, path, why });
    };
    for (const [family, field, words] of FAMILIES) {
      for (const block of blocksIn(vm[field])) want(`.${field}`, family, block, here, words);
      for (const [i, nic] of vm.nics.entries()) {
        if (!nics.includes(nic)) continue;
        for (const block of blocksIn(nic[field])) {
          if (block.length === WIDTH[family]) continue;
          want(`.nics[${i}].${field}`, family, block, here.includes(nic) ? [nic] : [], words);
        }
      }
    }
  }
  return { routes, problems };
}

/** Tells the index of the bridge that a NIC's port is on; nothing where it is not on this host. */
function presence(host: Host, interfaces: readonly NetworkInterface[]): (nic: Nic) => number | undefined {
  const byName = new Map(interfaces.map((each) => [each.name, each]));
  return ({ ifname, bridge }) => {
    const port = byName.get(ifname);
    const index = byName.get(bridge)?.index;
    if (port === undefined || index === undefined) return undefined;
    // Ports of another switch have no master, or one that is not the switch itself.
    return host.bridges[bridge]?.backend === 'netdev' || port.master === index ? index : undefined;
  };
}

/** The NIC's own address that packets for its prefixes are handed to. */
function nextHop(nic: Nic, family: Family): string | undefined {
  const [first] = blocksIn(family === 'ip' ? nic.ipv4 : nic.ipv6);
  if (first?.length === WIDTH[family]) return first.text;
  if (family === 'ip' || nic.linkLocal === 'any') return undefined;
  return nic.linkLocal === 'eui64'
    ? addressText('ip6', eui64(nic.mac).value)
    : blocksIn(nic.linkLocal)[0]?.text;
}
