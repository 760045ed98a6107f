/**
 * Many hosts, one store, and whatever can go wrong: see docs/scale.md.
 *
 *     npm run simulate -- --hosts 20 --seconds 600 --seed 1 --json report.json
 *
 * It needs a network namespace of its own (`unshare --net`), where it builds all others.
 */
import { writeFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { parseArgs } from 'node:util';
import type { Summary } from './latency.ts';
import { type SimulationReport, simulation } from './simulation.ts';

const { values } = parseArgs({
  options: {
    hosts: { type: 'string', default: '20' },
    seconds: { type: 'string', default: '600' },
    seed: { type: 'string', default: '1' },
    guests: { type: 'string', default: '2' },
    rate: { type: 'string', default: '5' },
    frames: { type: 'string', default: '1000' },
    limit: { type: 'string', default: '5' },
    scale: { type: 'string', default: '1' },
    json: { type: 'string' },
  },
});

const numberOf = (name: Exclude<keyof typeof values, 'json'>, least: number): number => {
  const value = Number(values[name]);
  if (!(value >= least)) throw new Error(`--${name} is a number of ${least} or more, not ${values[name]}`);
  return value;
};

const ms = (value: number) => `${value.toFixed(value < 10 ? 1 : 0)} ms`.padStart(9);

const row = (name: string, { count, p50, p95, p99, max }: Summary) =>
  `${name.padEnd(36)}${[p50, p95, p99, max].map(ms).join('')}${String(count).padStart(8)}`;

function table(report: SimulationReport): string {
  const kinds = [...new Set(report.faults.map(({ fault }) => fault))].sort();
  const recovery = kinds.map((kind) => {
    const times = report.faults
      .filter(({ fault }) => fault === kind)
      .map(({ recovered = Infinity }) => recovered);
    const sorted = times.sort((a, b) => a - b);
    const [median = 0, worst = 0] = [sorted[sorted.length >> 1], sorted.at(-1)];
    return `${kind.padEnd(36)}${String(times.length).padStart(6)}${median.toFixed(2).padStart(11)} s${worst.toFixed(2).padStart(11)} s`;
  });
  const { frames, agents, checks, changes } = report;
  return `
fault                                times     median      worst   (until all hosts are as the store says)
${recovery.join('\n')}

milliseconds                              p50      p95      p99      max   count
${row('put to enforced, each host', report.latency.each)}
${row('put to enforced, the last host', report.latency.last)}
${row('flushed to healed', report.healed)}

${frames.hostile} hostile frames: ${frames.passed} passed; ${frames.passedFlushed} more while rules were flushed
${frames.legitimate} legitimate frames: ${frames.lost} lost
${report.vms} VMs in the end; ${Object.entries(changes)
    .map(([name, count]) => `${name} ${count}`)
    .join(', ')}
an agent: ${(agents.memory / 2 ** 20).toFixed(0)} MiB, ${(agents.processor * 100).toFixed(1)} % of a processor

${checks.map(({ name, isMet, detail }) => `${isMet ? 'met   ' : 'FAILED'} ${name}${detail && `: ${detail}`}`).join('\n')}
`;
}

// In a namespace that is new nothing is up yet.
if (Object.keys(networkInterfaces()).length > 0)
  throw new Error('this builds networks: run it as npm run simulate, or under unshare --net');
const ending = new AbortController();
for (const name of ['SIGINT', 'SIGTERM'] as const)
  process.once(name, () => ending.abort(new Error(`ended by ${name}`)));
const start = performance.now();
const say = (line: string) =>
  process.stderr.write(`${((performance.now() - start) / 1000).toFixed(1).padStart(7)}  ${line}\n`);
try {
  const report = await simulation({
    hosts: numberOf('hosts', 2),
    seconds: numberOf('seconds', 0),
    seed: numberOf('seed', 0),
    guests: numberOf('guests', 0),
    rate: numberOf('rate', 0.1),
    frames: numberOf('frames', 0),
    limit: numberOf('limit', 0),
    scale: numberOf('scale', 0),
    signal: ending.signal,
    say,
  });
  process.stdout.write(table(report));
  if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(report, undefined, 2)}\n`);
  if (report.checks.some(({ isMet }) => !isMet)) process.exitCode = 1;
} catch (error) {
  if (!ending.signal.aborted) throw error;
  say((ending.signal.reason as Error).message);
  process.exitCode = 130;
}
