import type { Connection, NetlinkSocketError, Route, RouteChange, RouteEvent } from '../index.ts';
import type { Problem } from './problem.ts';
import {
  ROUTE_PROTOCOL,
  type RouteInput,
  routeKey,
  type WantedRoute,
  type WantedRoutes,
  wantedRoutes,
} from './routes.ts';

/** What of a connection is needed. */
export type Routable = Pick<Connection, 'routes' | 'changeRoutes'>;

/** What {@link RouteTable.reconcile} came to. */
export interface RoutesApplied {
  /** How many changes took effect. */
  readonly changed: number;
  /** How many routes of ours there are now. */
  readonly installed: number;
  /** Routes that the kernel refused, or whose place another route has. */
  readonly problems: readonly Problem[];
}

/** How often to look again where routes of ours are found that were not known. */
const ATTEMPTS = 5;

/** Names of iproute2's rt_protos that one is likely to meet. */
const PROTOCOLS: Readonly<Record<number, string>> = {
  2: 'kernel',
  3: 'boot',
  4: 'static',
  9: 'ra',
  11: 'zebra',
  12: 'bird',
  16: 'dhcp',
  42: 'babel',
  186: 'bgp',
  187: 'isis',
  188: 'ospf',
  189: 'rip',
};

/**
 * Our routes in the kernel, kept equal to what is wanted: they are read once, and again when something may have
 * happened to them; what differs is sent. A route of another protocol is never touched: where one has the very
 * place (block, table and metric) of one that is wanted, that one is a problem, until it goes.
 */
export class RouteTable {
  readonly #nft: Routable;
  /** What is there of ours; nothing while that is not known. */
  #there: ReadonlyMap<string, Route> | undefined;
  #isForgotten = false;
  #refused: ReadonlyMap<string, { readonly route: Route; readonly problem: Problem }> = new Map();

  constructor(nft: Routable) {
    this.#nft = nft;
  }

  /** Something may have happened: reads the kernel's the next time, and tries what it refused. */
  forget(): void {
    this.#isForgotten = true;
  }

  /** Whether the table is not any more what it was left as, or another try may succeed, after this event. */
  differsAfter(event: RouteEvent): boolean {
    if (event.overrun) return true;
    const { gone, route } = event;
    const key = routeKey(route);
    const there = this.#there?.get(key);
    if (route.protocol !== ROUTE_PROTOCOL) return gone ? this.#refused.has(key) : there !== undefined;
    return gone ? there !== undefined : !isSame(there, route);
  }

  /**
   * Sends what differs.
   *
   * @throws NetlinkSocketError EPERM without CAP_NET_ADMIN; after any error, what is there is read again
   */
  async reconcile(wanted: WantedRoutes, { signal }: { signal?: AbortSignal } = {}): Promise<RoutesApplied> {
    for (let attempt = 1, changed = 0; ; attempt++) {
      let [there, refused] = [this.#isForgotten ? undefined : this.#there, this.#refused];
      this.#there = undefined;
      this.#isForgotten = false;
      // What is about to be replaced has to be ours still.
      if (there === undefined || differences(there, refused, wanted).some(({ verb }) => verb === 'replace'))
        [there, refused] = [await this.#read(signal), new Map()];
      const changes = differences(there, refused, wanted);
      const errors = await this.#nft.changeRoutes(changes, signal && { signal });
      for (const error of errors.values()) if (error.code === 'EPERM') throw error;
      changed += changes.length - errors.size;

      const now = new Map(there);
      const denied = new Map(
        [...refused].filter(([key, { route }]) => isSame(wanted.get(key)?.route, route)),
      );
      for (const [i, { verb, route }] of changes.entries()) {
        if (errors.has(i)) continue;
        if (verb === 'delete') now.delete(routeKey(route));
        else now.set(routeKey(route), route);
      }
      const { problems, isOurs } = await this.#explain(changes, errors, wanted, signal);
      if (isOurs && attempt < ATTEMPTS) continue;
      for (const [key, each] of problems) denied.set(key, each);
      [this.#there, this.#refused] = [now, denied];
      return { changed, installed: now.size, problems: [...denied.values()].map(({ problem }) => problem) };
    }
  }

  async #read(signal: AbortSignal | undefined): Promise<Map<string, Route>> {
    const routes = await this.#nft.routes({ protocol: ROUTE_PROTOCOL, ...(signal && { signal }) });
    return new Map(routes.map((route) => [routeKey(route), route]));
  }

  /** Says what stands in the way; `isOurs`: a route of ours does that was not known. */
  async #explain(
    changes: readonly RouteChange[],
    errors: ReadonlyMap<number, NetlinkSocketError>,
    wanted: WantedRoutes,
    signal: AbortSignal | undefined,
  ): Promise<{ problems: Map<string, { route: Route; problem: Problem }>; isOurs: boolean }> {
    const problems = new Map<string, { route: Route; problem: Problem }>();
    let others: ReadonlyMap<string, Route> | undefined;
    let isOurs = false;
    for (const [i, error] of errors) {
      const key = routeKey((changes[i] as RouteChange).route);
      const asker = wanted.get(key);
      // One that was to go and did not is found by the next reading.
      if (asker === undefined) throw error;
      let why = error.message;
      if (error.code === 'EEXIST') {
        others ??= new Map(
          (await this.#nft.routes(signal && { signal })).map((route) => [routeKey(route), route]),
        );
        const other = others.get(key);
        isOurs ||= other === undefined || other.protocol === ROUTE_PROTOCOL;
        why = `${other === undefined ? 'another route' : describe(other)} is there, and left alone`;
      }
      problems.set(key, { route: asker.route, problem: problemOf(asker, why) });
    }
    return { problems, isOurs };
  }
}

/** What has to be sent: first what is to be there, then what is not. */
function differences(
  there: ReadonlyMap<string, Route>,
  refused: ReadonlyMap<string, { readonly route: Route }>,
  wanted: WantedRoutes,
): RouteChange[] {
  const changes: RouteChange[] = [];
  for (const [key, { route }] of wanted) {
    const now = there.get(key);
    if (isSame(now, route) || isSame(refused.get(key)?.route, route)) continue;
    changes.push({ verb: now === undefined ? 'create' : 'replace', route });
  }
  for (const [key, route] of there) if (!wanted.has(key)) changes.push({ verb: 'delete', route });
  return changes;
}

/** Whether two routes of one key lead the same way. */
function isSame(a: Route | undefined, b: Route): boolean {
  if (a === undefined || a.type !== b.type || a.protocol !== b.protocol || a.manifold !== b.manifold)
    return false;
  // The kernel gives a blackhole of IPv6 the loopback interface.
  if (a.type === 'blackhole') return true;
  return a.gateway === b.gateway && a.oif === b.oif && a.onlink === b.onlink;
}

function describe({ protocol, type, gateway }: Route): string {
  const kind = type === 'unicast' ? 'a route' : `a ${type} route`;
  const name = PROTOCOLS[protocol] ?? String(protocol);
  return `${kind} of protocol ${name}${gateway === undefined ? '' : ` via ${gateway}`}`;
}

function problemOf({ key, path, route }: WantedRoute, why: string): Problem {
  const way = route.gateway === undefined ? '' : ` via ${route.gateway}`;
  return { key, path, why: `${route.dst} is not routed${way}: ${why}` };
}

/** Routes the delegated prefixes of the VMs that are on this host now, and only those. */
export async function applyRoutes(
  nft: Routable & Pick<Connection, 'interfaces'>,
  input: Omit<RouteInput, 'interfaces'>,
  options: { signal?: AbortSignal } = {},
): Promise<RoutesApplied> {
  const { routes, problems } = wantedRoutes({ ...input, interfaces: await nft.interfaces(options) });
  const applied = await new RouteTable(nft).reconcile(routes, options);
  return { ...applied, problems: [...problems, ...applied.problems] };
}

/** Takes our routes away, from every table, and no others. */
export async function teardownRoutes(nft: Routable): Promise<number> {
  return (await new RouteTable(nft).reconcile(new Map())).changed;
}
