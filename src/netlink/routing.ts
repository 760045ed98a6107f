import {
  type Report,
  type Route,
  type RouteChange,
  type RouteFilter,
  reportIn,
  routeIn,
  routeRequest,
  routesRequest,
} from '../rtnetlink/index.ts';
import { type NetlinkFrame, NLM, netlinkFrames } from '../wire/netlink.ts';
import type { Abortable } from './request.ts';
import { NetlinkSocketError } from './socket.ts';
import { pause, READS, TornError } from './torn.ts';
import type { Transport } from './transport.ts';

/** Which routes to list; without a family, both. */
export type RouteScope = Partial<RouteFilter>;

const FAMILIES = ['ip', 'ip6'] as const;
/** Reports of so many requests fit into what a socket holds without privileges. */
const BATCH = 100;
const [ESRCH, EINTR, EOPNOTSUPP] = [3, 4, 95];

/** Lists routes: see `Connection.routes`. */
export async function listRoutes(
  transport: Transport,
  scope: RouteScope,
  options: Abortable,
): Promise<Route[]> {
  const { family, table, protocol } = scope;
  const routes: Route[] = [];
  for (const each of family === undefined ? FAMILIES : [family]) {
    for (const route of await dump(transport, { ...scope, family: each }, options)) {
      // The kernel does not filter by everything, and an old one by nothing.
      if ((table ?? route.table) === route.table && (protocol ?? route.protocol) === route.protocol)
        routes.push(route);
    }
  }
  return routes;
}

async function dump(transport: Transport, filter: RouteFilter, { signal }: Abortable): Promise<Route[]> {
  for (let tries = 1; ; tries++) {
    const messages = await ask(transport, routesRequest(filter), { signal });
    const reports = messages.flatMap((message) => reportIn(message) ?? []);
    const isTorn =
      messages.some(({ flags }) => (flags & NLM.DUMP_INTR) !== 0) ||
      reports.some(({ errno }) => errno === EINTR);
    if (!isTorn) {
      for (const report of reports) if (report.errno !== 0 && !isNoTable(report)) throw refusal(report);
      return messages.flatMap((message) => routeIn(message)?.route ?? []);
    }
    if (tries === READS) throw new TornError('the routing table', tries);
    await pause(tries, signal);
  }
}

/** A table that no route was ever in is not there. */
function isNoTable({ errno, text }: Report): boolean {
  return errno === 2 && /table/i.test(text);
}

/** Changes routes: see `Connection.changeRoutes`. */
export async function changeRoutes(
  transport: Transport,
  changes: readonly RouteChange[],
  { signal }: Abortable,
): Promise<Map<number, NetlinkSocketError>> {
  const refused = new Map<number, NetlinkSocketError>();
  for (let start = 0; start < changes.length; start += BATCH) {
    const batch = changes.slice(start, start + BATCH);
    const requests = Buffer.concat(batch.map((change, i) => routeRequest(change, start + i)));
    const answered = new Set<number>();
    for (const message of await ask(transport, requests, { signal })) {
      const report = reportIn(message);
      if (report === undefined) continue;
      answered.add(report.sequence);
      const isGone = report.errno === ESRCH && changes[report.sequence]?.verb === 'delete';
      if (report.errno !== 0 && !isGone) refused.set(report.sequence, refusal(report));
    }
    if (answered.size < batch.length)
      throw new NetlinkSocketError(105, 'recvfrom', 'the kernel did not say what became of some routes');
  }
  return refused;
}

async function ask(
  transport: Transport,
  requests: Uint8Array,
  { signal }: Abortable,
): Promise<NetlinkFrame[]> {
  if (transport.rtnetlink === undefined) throw withoutRouting();
  return [...netlinkFrames(await transport.rtnetlink(requests, { signal }))];
}

/** What stands in for a socket and knows of no routing says so. */
export function withoutRouting(): NetlinkSocketError {
  return new NetlinkSocketError(EOPNOTSUPP, 'socket', 'there is no routing here');
}

function refusal({ errno, text }: Report): NetlinkSocketError {
  return new NetlinkSocketError(errno, 'netlink', text);
}
