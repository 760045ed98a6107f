import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { allDrivers, type DriverName, drivers } from './drivers/index.ts';
import { type Sample, summarize, table } from './report.ts';
import type { Case, Measurement, Scale } from './suite.ts';
import { suites } from './suites/index.ts';

const HELP = `npm run bench -- [--suite NAME]… [--driver NAME]… [--trials N] [--quick|--full] [--json FILE|-]

Measures nftjs against its rivals and against the kernel's own time (limit: the same messages, made
beforehand and only sent). Each trial runs in a process and a network namespace of its own; the drivers
take turns; medians of the trials are compared.

  --suite NAME   ${Object.keys(suites).join(', ')}; all of them without it
  --driver NAME  ${allDrivers.join(', ')}
  --trials N     trials of each case and driver (3; 1 with --quick)
  --quick        small sizes
  --full         sizes up to a million
  --json FILE    the figures as JSON; - for standard output, in place of the table
`;

const { values } = parseArgs({
  options: {
    suite: { type: 'string', multiple: true },
    driver: { type: 'string', multiple: true },
    trials: { type: 'string' },
    quick: { type: 'boolean' },
    full: { type: 'boolean' },
    json: { type: 'string' },
    help: { type: 'boolean' },
  },
});

/** One trial that is to be run. */
interface Trial {
  readonly suite: string;
  readonly index: number;
  readonly case: Case;
  readonly driver: DriverName;
}

/** Every round runs every driver once before the next begins, so that a slow minute meets them all. */
function* plan(
  names: readonly string[],
  able: readonly DriverName[],
  scale: Scale,
  trials: number,
): Generator<Trial> {
  for (const suite of names) {
    const cases = suites[suite]?.cases(scale) ?? [];
    for (const [index, one] of cases.entries()) {
      const taking = one.drivers.filter((driver) => able.includes(driver));
      for (let round = 0; round < trials; round++) {
        for (const driver of taking) yield { suite, index, case: one, driver };
      }
    }
  }
}

/** Runs one trial; what it says when it fails is the reason. */
async function run({ suite, index, driver }: Trial, scale: Scale): Promise<readonly Measurement[]> {
  const script = fileURLToPath(new URL('trial.ts', import.meta.url));
  const command = [
    '--import',
    'tsx',
    '--max-old-space-size=4096',
    script,
    suite,
    scale,
    String(index),
    driver,
  ];
  const child = spawn('unshare', ['--net', process.execPath, ...command], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let out = '';
  let err = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    err += text;
  });
  const [code] = await once(child, 'close');
  if (code === 0) return JSON.parse(out);
  throw new Error(/^\w*Error.*$/m.exec(err)?.[0] ?? err.trim().slice(0, 200));
}

/** @returns the names that were asked for, each of which must be known; all where none was */
function chosen<T extends string>(
  asked: readonly string[] | undefined,
  known: readonly T[],
  what: string,
): readonly T[] {
  for (const name of asked ?? []) {
    if (!known.includes(name as T)) throw new RangeError(`no ${what} ${name}: there are ${known.join(', ')}`);
  }
  return (asked as readonly T[] | undefined) ?? known;
}

async function main(): Promise<number> {
  const names = chosen(values.suite, Object.keys(suites), 'suite');
  const asked = chosen(values.driver, allDrivers, 'driver');
  const scale: Scale = values.quick ? 'quick' : values.full ? 'full' : 'normal';
  const trials = Number(values.trials ?? (values.quick ? 1 : 3));
  if (!Number.isInteger(trials) || trials < 1)
    throw new RangeError(`--trials ${values.trials}: expected a number`);

  const able = asked.filter((name) => {
    const reason = drivers[name].missing();
    if (reason !== undefined) process.stderr.write(`bench: without ${name}: ${reason}\n`);
    return reason === undefined;
  });
  const trialsToRun = [...plan(names, able, scale, trials)];
  const samples: Sample[] = [];
  const failed = new Set<string>();
  for (const [done, trial] of trialsToRun.entries()) {
    const { suite, driver } = trial;
    const { name, size } = trial.case;
    const what = `${suite}: ${name}, ${size}: ${driver}`;
    if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${done + 1}/${trialsToRun.length} ${what}`);
    if (failed.has(what)) continue;
    try {
      for (const measured of await run(trial, scale))
        samples.push({ suite, case: name, size, driver, ...measured });
    } catch (error) {
      failed.add(what);
      process.stderr.write(
        `${process.stderr.isTTY ? '\r\x1b[K' : ''}bench: ${what}: ${(error as Error).message}\n`,
      );
    }
  }
  if (process.stderr.isTTY) process.stderr.write('\r\x1b[K');

  const figures = summarize(samples);
  if (values.json !== '-') process.stdout.write(table(figures));
  if (values.json === '-') process.stdout.write(`${JSON.stringify(figures, null, 1)}\n`);
  else if (values.json !== undefined) writeFileSync(values.json, JSON.stringify(figures, null, 1));
  return failed.size > 0 ? 1 : 0;
}

if (values.help) process.stdout.write(HELP);
else process.exitCode = await main();
