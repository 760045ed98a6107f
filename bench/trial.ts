// One trial: measures one case with one driver in this process, and prints the figures as JSON.
import { type DriverName, drivers } from './drivers/index.ts';
import type { Scale } from './suite.ts';
import { suites } from './suites/index.ts';

const [suite = '', scale, index, driver] = process.argv.slice(2);
const found = suites[suite]?.cases(scale as Scale)[Number(index)];
if (found === undefined) throw new Error(`no case ${index} in the suite ${suite}`);
const session = drivers[driver as DriverName].open();
try {
  process.stdout.write(JSON.stringify(await found.run(session, driver as DriverName)));
} finally {
  session.close();
}
