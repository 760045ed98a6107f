import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Driver } from '../driver.ts';
import { root } from '../root.ts';
import { helper } from './helper.ts';

/** Debian's Python: another one would not find Debian's packages. */
const PYTHON = '/usr/bin/python3';
const SCRIPT = join(root, 'bench/rivals/pyroute2/main.py');

/** pyroute2, the library for Python. */
export const inProcess: Driver = {
  missing() {
    if (!existsSync(SCRIPT)) return 'it is measured from a checkout only';
    return spawnSync(PYTHON, ['-c', 'import pyroute2.nftables.main']).status === 0
      ? undefined
      : 'python3-pyroute2 is not installed';
  },
  open: () => helper(PYTHON, [SCRIPT]),
};
