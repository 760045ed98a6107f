import { ifname, list, mac, member, object, version, word } from './check.ts';
import type { Facts } from './facts.ts';
import { type Learning, parseLearning } from './learn/learning.ts';
import { Refused, UncloudError } from './problem.ts';
import { parseRate, type Rate } from './rate.ts';

/** A bridge whose ports the firewall guards. */
export interface Bridge {
  /** Ports that lead to the outside; what comes in there is not filtered. */
  readonly uplinks: readonly string[];
  /**
   * `true`: customers who do not trust each other share it. `false`: a private network of one customer, who
   * may send router advertisements and run DHCP servers there.
   */
  readonly shared: boolean;
  /** Its MAC, which no VM may use; see {@link completed}. */
  readonly mac?: string;
  /** What happens to ports that no VM lists. */
  readonly unlisted: 'deny' | 'accept';
  /** Where VM ports are guarded: in the bridge's hooks, or on the port itself, whatever switches behind it. */
  readonly backend: 'bridge' | 'netdev';
  /** How many frames to all and to groups each VM port may send; left out: any number. */
  readonly broadcasts?: Rate;
}

/** How addresses are looked up: in sets made with their rule, or in named ones; `auto`: named when many. */
export type SetMode = 'anonymous' | 'named' | 'auto';

/** This hypervisor. */
export interface Host {
  readonly bridges: Readonly<Record<string, Bridge>>;
  /** What happens to packets that this host routes and that belong to no VM and no network. */
  readonly forward: 'deny' | 'accept';
  readonly sets: SetMode;
  /** How addresses are learnt, where this host says so. */
  readonly learning?: Learning;
}

const MOST_BRIDGES = 4096;
const MOST_UPLINKS = 256;

function bridge(value: unknown, path: string): Bridge {
  const fields = object(value, path, ['uplinks', 'shared', 'mac', 'unlisted', 'backend', 'broadcasts']);
  const uplinks = list(fields.uplinks, `${path}.uplinks`, MOST_UPLINKS);
  if (fields.shared !== undefined && typeof fields.shared !== 'boolean') {
    throw new Refused(`${path}.shared`, 'neither true nor false');
  }
  return {
    uplinks: uplinks.map((name, i) => ifname(name, `${path}.uplinks[${i}]`)).sort(),
    shared: fields.shared ?? true,
    ...(fields.mac !== undefined && { mac: mac(fields.mac, `${path}.mac`) }),
    unlisted: word(fields.unlisted, `${path}.unlisted`, ['deny', 'accept']),
    backend: word(fields.backend, `${path}.backend`, ['bridge', 'netdev']),
    ...(fields.broadcasts !== undefined && {
      broadcasts: parseRate(fields.broadcasts, `${path}.broadcasts`),
    }),
  };
}

function host(value: unknown): Host {
  const fields = object(value, '', ['version', 'bridges', 'forward', 'sets', 'learning']);
  version(fields.version, '.version');
  const entries = Object.entries(object(fields.bridges ?? {}, '.bridges'));
  if (entries.length > MOST_BRIDGES) throw new Refused('.bridges', `more than ${MOST_BRIDGES}`);
  const taken = new Set<string>();
  const claim = (name: string, path: string) => {
    if (taken.has(name)) throw new Refused(path, 'an interface named twice');
    taken.add(name);
  };
  const bridges: [string, Bridge][] = [];
  for (const [name, description] of entries.sort(([a], [b]) => (a < b ? -1 : 1))) {
    const path = `.bridges${member(name)}`;
    claim(ifname(name, path), path);
    const parsed = bridge(description, path);
    for (const uplink of parsed.uplinks) claim(uplink, `${path}.uplinks`);
    bridges.push([name, parsed]);
  }
  return {
    bridges: Object.fromEntries(bridges),
    forward: word(fields.forward, '.forward', ['deny', 'accept']),
    sets: word(fields.sets, '.sets', ['anonymous', 'named', 'auto']),
    ...(fields.learning !== undefined && { learning: parseLearning(fields.learning, '.learning') }),
  };
}

/**
 * Validates the description of a hypervisor.
 *
 * @param value - parsed JSON: `{ "bridges": { "br100": { "uplinks": ["vxlan100"], "shared": true } },
 *   "forward": "deny", "sets": "anonymous" }`. A bridge is shared unless it says otherwise.
 * @throws UncloudError naming the place that is wrong
 */
export function parseHost(value: unknown): Host {
  try {
    return host(value);
  } catch (error) {
    if (error instanceof Refused) throw new UncloudError('host', error.path, error.message);
    throw error;
  }
}

/** The host with the MACs of its bridges, where it leaves them out and the interfaces have them. */
export function completed(host: Host, { interfaces = [] }: Facts): Host {
  const macs = new Map(interfaces.map(({ ifname, mac }) => [ifname, mac]));
  const bridges = Object.entries(host.bridges).map(([name, bridge]): [string, Bridge] => {
    const found = bridge.mac ?? macs.get(name);
    return [name, found === undefined ? bridge : { ...bridge, mac: found }];
  });
  return { ...host, bridges: Object.fromEntries(bridges) };
}
