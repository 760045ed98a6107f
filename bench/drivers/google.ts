import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Driver } from '../driver.ts';
import { root } from '../root.ts';
import { helper } from './helper.ts';

/** What `scripts/setup bench` builds of bench/rivals/google. */
const PROGRAM = join(root, '.cache/bench/google-nftables');

/** google/nftables, the library for Go. */
export const inProcess: Driver = {
  missing: () => (existsSync(PROGRAM) ? undefined : 'it is not built: scripts/setup bench does'),
  open: () => helper(PROGRAM, []),
};
