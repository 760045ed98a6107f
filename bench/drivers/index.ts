import type { Driver } from '../driver.ts';
import * as libnftables from './libnftables.ts';
import * as limit from './limit.ts';
import * as nft from './nft.ts';
import * as nftjs from './nftjs.ts';

/** Every driver, by the name that the report has for it. */
export const drivers = {
  limit: limit.asynchronous,
  'limit sync': limit.synchronous,
  nftjs: nftjs.asynchronous,
  'nftjs sync': nftjs.synchronous,
  libnftables: libnftables.text,
  'libnftables json': libnftables.json,
  nft: nft.text,
  'nft json': nft.json,
} as const satisfies Record<string, Driver>;

export type DriverName = keyof typeof drivers;

export const allDrivers = Object.keys(drivers) as readonly DriverName[];
/** Without the synchronous twins, which matter where a transaction is small. */
export const bulkDrivers = allDrivers.filter((name) => !name.endsWith(' sync'));
