import { spawnSync } from 'node:child_process';
import type { DriverName } from '../drivers/index.ts';
import { dist } from '../library.ts';
import { median } from '../measure.ts';
import type { Suite } from '../suite.ts';

const ROUNDS = 15;

/** What a process does from its start to its end; the limit does nothing. */
const programs: Readonly<Partial<Record<DriverName, readonly string[]>>> = {
  limit: [process.execPath, '--input-type=module', '--eval', ''],
  nftjs: [
    process.execPath,
    '--input-type=module',
    '--eval',
    `import { connect } from ${JSON.stringify(`${dist}index.js`)}; connect().close();`,
  ],
  nft: ['nft', 'list', 'tables'],
};

/** Wall-clock seconds of one process. */
function once([command = '', ...args]: readonly string[]): number {
  const start = process.hrtime.bigint();
  const { status, stderr } = spawnSync(command, args, { encoding: 'utf8' });
  const end = process.hrtime.bigint();
  if (status !== 0) throw new Error(stderr.slice(0, 200));
  return Number(end - start) / 1e9;
}

export const startup: Suite = {
  about: 'a process that opens a connection and ends; the limit is Node, doing nothing',
  cases: () => [
    {
      name: 'import and connect',
      size: 1,
      drivers: Object.keys(programs) as DriverName[],
      async run(_session, driver) {
        const program = programs[driver] as readonly string[];
        once(program);
        const seconds = Array.from({ length: ROUNDS }, () => once(program));
        return [{ metric: 'a process', unit: 'ms', value: median(seconds) * 1e3 }];
      },
    },
  ],
};
