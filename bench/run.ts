import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { type DriverName, drivers } from './drivers/index.ts';
import { page } from './html.ts';
import { listeners } from './listeners.ts';
import { updateReadme } from './readme.ts';
import { type Sample, summarize, table } from './report.ts';
import type { Case, Measurement, Scale } from './suite.ts';
import { suites } from './suites/index.ts';

export const HELP = `Usage: nftjs bench [--suite NAME]… [--driver NAME]… [--size N]… [--trials N] [--quick|--full] [--json FILE|-] [--html FILE]

Measures nftjs against its rivals and against the kernel's own time (limit: the same messages, made
beforehand and only sent). Each trial runs in a process and a network namespace of its own; the drivers
take turns; medians of the trials are compared. Needs root.

  --suite NAME   ${Object.keys(suites).join(', ')}; all of them without it
  --driver NAME  ${Object.keys(drivers).join(', ')}
  --size N       elements, rules, VMs: all that the scale has without it
  --trials N     trials of each case and driver (3; 1 with --quick)
  --quick        small sizes of the main suites: less than a minute
  --full         sizes up to a million
  --json FILE    the figures as JSON; - for standard output, in place of the table
  --html FILE    the figures as a page with plots, which needs nothing else
  --readme       writes the figures into bench/README.md, in a checkout
`;

const options = {
  suite: { type: 'string', multiple: true },
  driver: { type: 'string', multiple: true },
  size: { type: 'string', multiple: true },
  trials: { type: 'string' },
  quick: { type: 'boolean' },
  full: { type: 'boolean' },
  json: { type: 'string' },
  html: { type: 'string' },
  readme: { type: 'boolean' },
  help: { type: 'boolean' },
} as const;

/** Where figures and complaints go, and whether somebody looks on. */
export interface Streams {
  readonly stdout: { write(text: string): unknown };
  readonly stderr: { write(text: string): unknown; readonly isTTY?: boolean | undefined };
}

/** The command line is wrong. */
export class BenchUsageError extends Error {
  override readonly name = 'BenchUsageError';
}

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
  able: ReadonlySet<DriverName>,
  scale: Scale,
  sizes: readonly string[] | undefined,
  trials: number,
): Generator<Trial> {
  for (const suite of names) {
    const cases = suites[suite]?.cases(scale) ?? [];
    for (const [index, one] of cases.entries()) {
      if (sizes !== undefined && !sizes.includes(String(one.size))) continue;
      const taking = one.drivers.filter((driver) => able.has(driver));
      for (let round = 0; round < trials; round++) {
        for (const driver of taking) yield { suite, index, case: one, driver };
      }
    }
  }
}

/** This file is TypeScript in a checkout, and JavaScript where it is shipped. */
const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';

/** Runs one trial; what it says when it fails is the reason. */
async function runTrial({ suite, index, driver }: Trial, scale: Scale): Promise<readonly Measurement[]> {
  const command = [
    ...(extension === 'ts' ? ['--import', 'tsx'] : []),
    '--max-old-space-size=4096',
    fileURLToPath(new URL(`trial.${extension}`, import.meta.url)),
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
): readonly T[] | undefined {
  for (const name of asked ?? []) {
    if (!known.includes(name as T))
      throw new BenchUsageError(`no ${what} ${name}: there are ${known.join(', ')}`);
  }
  return asked as readonly T[] | undefined;
}

function parsed(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options }).values;
  } catch (error) {
    throw new BenchUsageError((error as Error).message);
  }
}

/**
 * Runs the benchmarks.
 *
 * @returns the exit code: 1 where a trial failed
 * @throws BenchUsageError when the command line is wrong
 */
export async function run(args: readonly string[], { stdout, stderr }: Streams): Promise<number> {
  const values = parsed(args);
  if (values.help) {
    stdout.write(HELP);
    return 0;
  }
  if (values.quick && values.full) throw new BenchUsageError('either --quick or --full');
  const scale: Scale = values.quick ? 'quick' : values.full ? 'full' : 'normal';
  const trials = Number(values.trials ?? (values.quick ? 1 : 3));
  if (!Number.isInteger(trials) || trials < 1)
    throw new BenchUsageError(`--trials ${values.trials}: expected a number`);
  const asked = chosen(values.suite, Object.keys(suites), 'suite');
  const wanted = chosen(values.driver, Object.keys(drivers) as DriverName[], 'driver');
  if (process.getuid?.() !== 0)
    throw new Error('root is needed: each trial has a network namespace of its own');

  /** What can be measured here; the rest is left out, with the reason. */
  const without = (name: string, reason: string | undefined) => {
    if (reason !== undefined) stderr.write(`bench: without ${name}: ${reason}\n`);
    return reason === undefined;
  };
  const names = (asked ?? Object.keys(suites)).filter((name) => {
    const suite = suites[name];
    if (asked === undefined && scale === 'quick' && suite?.quick === false) return false;
    return without(`the suite ${name}`, suite?.missing?.());
  });
  const needed = new Set(
    names.flatMap((name) => suites[name]?.cases(scale).flatMap((one) => one.drivers) ?? []),
  );
  const able = new Set(
    [...needed].filter(
      (name) => (wanted === undefined || wanted.includes(name)) && without(name, drivers[name].missing()),
    ),
  );

  const trialsToRun = [...plan(names, able, scale, values.size, trials)];
  if (trialsToRun.length === 0) throw new BenchUsageError('nothing of that size is measured');
  const listening = listeners();
  if (listening.length > 0)
    stderr.write(
      `bench: somebody listens to nf_tables, beside process ${listening.join(', ')}: the kernel takes longer for all\n`,
    );
  const samples: Sample[] = [];
  const failed = new Set<string>();
  const clear = stderr.isTTY ? '\r\x1b[K' : '';
  for (const [done, trial] of trialsToRun.entries()) {
    const { suite, driver } = trial;
    const { name, size } = trial.case;
    const what = `${suite}: ${name}, ${size}: ${driver}`;
    if (stderr.isTTY) stderr.write(`${clear}${done + 1}/${trialsToRun.length} ${what}`);
    if (failed.has(what)) continue;
    try {
      for (const measured of await runTrial(trial, scale))
        samples.push({ suite, case: name, size, driver, ...measured });
    } catch (error) {
      failed.add(what);
      stderr.write(`${clear}bench: ${what}: ${(error as Error).message}\n`);
    }
  }
  stderr.write(clear);

  const figures = summarize(samples);
  const json = `${JSON.stringify(figures, null, 1)}\n`;
  stdout.write(values.json === '-' ? json : table(figures));
  if (values.json !== undefined && values.json !== '-') writeFileSync(values.json, json);
  if (values.html !== undefined) writeFileSync(values.html, page(figures));
  if (values.readme) updateReadme(figures);
  return failed.size > 0 ? 1 : 0;
}
