import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { faults } from '../simulation/faults.ts';
import type { SimulationReport } from '../simulation/simulation.ts';
import { requires } from '../support/requirements.ts';

const MAIN = fileURLToPath(new URL('../simulation/main.ts', import.meta.url));
/** What depends on how busy this machine is: npm run simulate judges it, where nothing else runs. */
const SPEED = /^put to enforced/;

/** Runs the simulation in a network namespace of its own. */
async function simulate(args: readonly string[], signal?: NodeJS.Signals) {
  const home = await mkdtemp(join(tmpdir(), 'nftjs-simulated-'));
  try {
    const json = join(home, 'report.json');
    const child = spawn(
      'unshare',
      ['--net', process.execPath, '--import', 'tsx', MAIN, '--json', json, ...args],
      { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, TMPDIR: home } },
    );
    let said = '';
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => {
        said += text;
        if (signal !== undefined && said.includes('VMs come')) child.kill(signal);
      });
    const code = await new Promise<number | null>((resolve) => child.once('exit', resolve));
    const report = await readFile(json, 'utf8').catch(() => undefined);
    return { code, said, report: report && (JSON.parse(report) as SimulationReport) };
  } finally {
    await rm(home, { recursive: true });
  }
}

suite('hosts, a store, and whatever can go wrong', requires('root', 'netns', 'etcd', 'nft', 'ip'), () => {
  test('every kind of fault once: the kernels follow the store, and nothing hostile passes', {
    timeout: 600_000,
  }, async () => {
    const { report, said } = await simulate([
      ...['--hosts', '5', '--seconds', '15', '--scale', '0.25', '--limit', '30', '--seed', '7'],
    ]);
    assert.ok(report, said);
    assert.deepEqual(
      report.checks.filter(({ name, isMet }) => !isMet && !SPEED.test(name)),
      [],
      said,
    );
    assert.deepEqual(
      [...new Set(report.faults.map(({ fault }) => fault))].sort(),
      Object.keys(faults).sort(),
    );
    assert.ok(report.frames.hostile > 1000, said);
  });
});
