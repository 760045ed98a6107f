import {
  LINK_GROUPS,
  type LinkNews,
  linkIn,
  ROUTE_GROUPS,
  type RouteNews,
  routeIn,
} from '../rtnetlink/index.ts';
import { type NetlinkFrame, netlinkFrames } from '../wire/netlink.ts';
import { Feed } from './feed.ts';
import type { Abortable } from './request.ts';
import { withoutRouting } from './routing.ts';
import type { SubscriptionOptions } from './subscription.ts';
import type { Transport } from './transport.ts';

/** What came faster than it was read is lost: whoever keeps a picture asks for all of it again. */
export interface NewsOverrun {
  readonly overrun: true;
}

/** An interface appeared, changed (its master, its name, up or down …) or went. */
export type InterfaceEvent = (LinkNews & { readonly overrun: false }) | NewsOverrun;

/** A route appeared, changed or went. Of IPv4 the kernel does not tell of those that go with their interface. */
export type RouteEvent = (RouteNews & { readonly overrun: false }) | NewsOverrun;

export type RtnetlinkMonitorOptions = Abortable & SubscriptionOptions;

/** Listens to interfaces: see `Connection.monitorInterfaces`. */
export function monitorInterfaces(
  transport: Transport,
  options: RtnetlinkMonitorOptions,
): Feed<InterfaceEvent> {
  return listen(transport, LINK_GROUPS, linkIn, options);
}

/** Listens to routes: see `Connection.monitorRoutes`. */
export function monitorRoutes(transport: Transport, options: RtnetlinkMonitorOptions): Feed<RouteEvent> {
  return listen(transport, ROUTE_GROUPS, routeIn, options);
}

function listen<T extends object>(
  transport: Transport,
  groups: readonly number[],
  newsIn: (message: NetlinkFrame) => T | undefined,
  options: RtnetlinkMonitorOptions,
): Feed<(T & { readonly overrun: false }) | NewsOverrun> {
  if (transport.subscribeRtnetlink === undefined) throw withoutRouting();
  return new Feed(
    transport.subscribeRtnetlink(groups, options),
    async function* (subscription) {
      for (let news = await subscription.read(); news !== undefined; news = await subscription.read()) {
        for (const message of netlinkFrames(news.messages)) {
          const told = newsIn(message);
          if (told !== undefined) yield { overrun: false as const, ...told };
        }
        if (news.overrun) yield { overrun: true as const };
      }
    },
    options,
  );
}
