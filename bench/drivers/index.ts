import type { Driver } from '../driver.ts';
import * as google from './google.ts';
import * as ipset from './ipset.ts';
import * as libnftables from './libnftables.ts';
import * as limit from './limit.ts';
import * as nft from './nft.ts';
import * as nftjs from './nftjs.ts';
import * as pyroute2 from './pyroute2.ts';

/** A way to write rules, of which only packets are measured: the suite `packet` loads them itself. */
const design: Driver = {
  missing: () => undefined,
  open: () => ({
    prepare: () => {
      throw new Error('packets alone are measured of it');
    },
    list: () => undefined,
    close: () => {},
  }),
};

/** Every driver, by the name that the report has for it. */
export const drivers = {
  limit: limit.asynchronous,
  'limit sync': limit.synchronous,
  nftjs: nftjs.asynchronous,
  'nftjs sync': nftjs.synchronous,
  'nftjs packed': nftjs.packed,
  libnftables: libnftables.text,
  'libnftables json': libnftables.json,
  nft: nft.text,
  'nft json': nft.json,
  'google/nftables': google.inProcess,
  pyroute2: pyroute2.inProcess,
  ipset: ipset.program,
  unfiltered: design,
  'rule a VM': design,
  'chain a VM': design,
  'interval concatenation': design,
} as const satisfies Record<string, Driver>;

export type DriverName = keyof typeof drivers;

/** Speak nft's whole language, text or JSON, and are asked for everything; the others for what they can do. */
export const allDrivers = [
  'limit',
  'limit sync',
  'nftjs',
  'nftjs sync',
  'libnftables',
  'libnftables json',
  'nft',
  'nft json',
] as const satisfies readonly DriverName[];
/** Without the synchronous twins, which matter where a transaction is small. */
export const bulkDrivers: readonly DriverName[] = allDrivers.filter((name) => !name.endsWith(' sync'));
