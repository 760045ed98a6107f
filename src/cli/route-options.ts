import type { RouteOptions } from '../uncloud/index.ts';
import { UsageError } from './command.ts';

/** The options of commands that route delegated prefixes. */
export const routeOptions = {
  routes: { type: 'boolean' },
  'route-table': { type: 'string' },
  blackhole: { type: 'boolean' },
} as const;

export const routeHelp = `  --routes                delegated prefixes are routed to the VMs on this host, as protocol 117; routes of others
                          are left alone
  --route-table N         the table that these routes stand in (254, main)
  --blackhole             prefixes of VMs that are not here end here, unless another route leads to them`;

interface RouteValues {
  readonly routes?: boolean | undefined;
  readonly 'route-table'?: string | undefined;
  readonly blackhole?: boolean | undefined;
}

/** `local`, which is the kernel's own. */
const LOCAL = 255;

/** How to route; nothing where that is not asked for. */
export function routesOf({ routes, 'route-table': text, blackhole }: RouteValues): RouteOptions | undefined {
  if (!routes) {
    if (text !== undefined || blackhole) throw new UsageError('--route-table and --blackhole need --routes');
    return undefined;
  }
  const table = Number(text ?? 254);
  if (!Number.isInteger(table) || table < 1 || table > 0xffffffff || table === LOCAL)
    throw new UsageError(`--route-table is the number of a table other than ${LOCAL}, not ${text}`);
  return { table, blackhole: blackhole === true };
}
