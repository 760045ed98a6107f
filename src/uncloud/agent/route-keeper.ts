import type { Connection, NetworkInterface, RouteEvent } from '../../index.ts';
import type { Host } from '../host.ts';
import type { Vm } from '../policy.ts';
import { RouteTable } from '../route-table.ts';
import { ROUTE_PROTOCOL, type RouteOptions, routeKey, type WantedRoutes, wantedRoutes } from '../routes.ts';
import { listen } from './listen.ts';
import type { AgentOptions } from './options.ts';
import type { RoutesInForce } from './state.ts';

/** What {@link RouteKeeper.guard} tells. */
export interface Guarding extends Pick<AgentOptions, 'backoff' | 'log'> {
  /** From now on changes are heard of; what was before has to be looked at. */
  begun(): void;
  /** Something may have to be put back: when it is its turn, `isSpoiled` says whether, and makes it be looked at. */
  changed(isSpoiled: () => boolean): Promise<void>;
  readonly signal: AbortSignal;
}

/** Keeps the routes of delegated prefixes equal to what the records in force and the interfaces ask for. */
export class RouteKeeper {
  readonly #nft: Connection;
  readonly #host: Host;
  readonly #options: RouteOptions;
  readonly #table: RouteTable;
  #wanted: WantedRoutes = new Map();

  constructor(nft: Connection, host: Host, options: RouteOptions) {
    this.#nft = nft;
    this.#host = host;
    this.#options = options;
    this.#table = new RouteTable(nft);
  }

  /** Listens to what others do to our routes, and to what stands in their place. */
  guard(guarding: Guarding): Promise<never> {
    const { begun, changed, log, signal } = guarding;
    const isSpoiled = (event: RouteEvent) => () => {
      if (!this.#table.differsAfter(event)) return false;
      this.#table.forget();
      if (event.overrun) log?.('warning', 'changes of routes were missed', {});
      else {
        const { dst, protocol } = event.route;
        log?.('warning', 'somebody changed routes', { dst, protocol, gone: event.gone });
      }
      return true;
    };
    return listen<RouteEvent>({
      ...guarding,
      what: 'routes',
      open: () => this.#nft.monitorRoutes({ signal }),
      begun: () => {
        this.#table.forget();
        begun();
      },
      heard: (event) => (this.#concerns(event) ? changed(isSpoiled(event)) : undefined),
    });
  }

  #concerns(event: RouteEvent): boolean {
    if (event.overrun) return true;
    return event.route.protocol === ROUTE_PROTOCOL || this.#wanted.has(routeKey(event.route));
  }

  /** What is in the kernel has to be looked at again. */
  forget(): void {
    this.#table.forget();
  }

  /**
   * Puts them in force.
   *
   * @returns what is in force, and how many changes that took
   */
  async enforce(
    vms: Iterable<readonly [string, Vm]>,
    interfaces: readonly NetworkInterface[],
    signal: AbortSignal,
  ): Promise<{ readonly changed: number; readonly inForce: RoutesInForce }> {
    const { routes, problems } = wantedRoutes({ host: this.#host, vms, interfaces, ...this.#options });
    this.#wanted = routes;
    const applied = await this.#table.reconcile(routes, { signal });
    return {
      changed: applied.changed,
      inForce: { installed: applied.installed, problems: [...problems, ...applied.problems] },
    };
  }
}
