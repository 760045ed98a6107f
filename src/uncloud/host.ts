import { ifname, list, mac, member, object, version, word } from './check.ts';
import { Refused, UncloudError } from './problem.ts';

/** A bridge whose ports the firewall guards. */
export interface Bridge {
  /** Ports that lead to the outside; what comes in there is not filtered. */
  readonly uplinks: readonly string[];
  /**
   * `true`: customers who do not trust each other share it. `false`: a private network of one customer, who
   * may send router advertisements and run DHCP servers there.
   */
  readonly shared: boolean;
  /** Its MAC, which no VM may use. */
  readonly mac?: string;
}

/** How addresses are looked up: in sets made with their rule, or in named ones; `auto`: named when many. */
export type SetMode = 'anonymous' | 'named' | 'auto';

/** This hypervisor. */
export interface Host {
  readonly bridges: Readonly<Record<string, Bridge>>;
  /** What happens to packets that this host routes from one interface to another and no VM owns. */
  readonly forward: 'deny' | 'accept';
  readonly sets: SetMode;
}

const MOST_BRIDGES = 4096;
const MOST_UPLINKS = 256;

function bridge(value: unknown, path: string): Bridge {
  const fields = object(value, path, ['uplinks', 'shared', 'mac']);
  const uplinks = list(fields.uplinks, `${path}.uplinks`, MOST_UPLINKS);
  if (fields.shared !== undefined && typeof fields.shared !== 'boolean') {
    throw new Refused(`${path}.shared`, 'neither true nor false');
  }
  return {
    uplinks: uplinks.map((name, i) => ifname(name, `${path}.uplinks[${i}]`)).sort(),
    shared: fields.shared ?? true,
    ...(fields.mac !== undefined && { mac: mac(fields.mac, `${path}.mac`) }),
  };
}

function host(value: unknown): Host {
  const fields = object(value, '', ['version', 'bridges', 'forward', 'sets']);
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
