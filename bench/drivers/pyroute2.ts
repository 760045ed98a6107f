import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Driver } from '../driver.ts';
import { helper } from './helper.ts';

/** Debian's Python: another one would not find Debian's packages. */
const PYTHON = '/usr/bin/python3';
const SCRIPT = fileURLToPath(new URL('../rivals/pyroute2/main.py', import.meta.url));

/** pyroute2, the library for Python. */
export const inProcess: Driver = {
  missing: () =>
    spawnSync(PYTHON, ['-c', 'import pyroute2.nftables.main']).status === 0
      ? undefined
      : 'python3-pyroute2 is not installed',
  open: () => helper(PYTHON, [SCRIPT]),
};
