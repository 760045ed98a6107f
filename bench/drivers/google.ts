import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Driver } from '../driver.ts';
import { helper } from './helper.ts';

/** What `scripts/setup bench` builds of bench/rivals/google. */
const PROGRAM = fileURLToPath(new URL('../../.cache/bench/google-nftables', import.meta.url));

/** google/nftables, the library for Go. */
export const inProcess: Driver = {
  missing: () => (existsSync(PROGRAM) ? undefined : 'it is not built: scripts/setup bench does'),
  open: () => helper(PROGRAM, []),
};
