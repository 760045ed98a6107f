import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import fc from 'fast-check';
import { quoted, runOverSsh, sshArguments } from '../../../src/uncloud/push/ssh.ts';
import { seed } from '../../support/seed.ts';

const host = { address: 'node1', command: ['nftjs'] };

/** Runs `work` with a program that stands in for ssh. */
async function withProgram(script: string, work: (program: string, home: string) => Promise<void>) {
  const home = mkdtempSync(join(tmpdir(), 'nftjs-ssh-'));
  try {
    const program = join(home, 'ssh');
    writeFileSync(program, `#!/bin/sh\nhome=${home}\n${script}\n`);
    chmodSync(program, 0o755);
    await work(program, home);
  } finally {
    rmSync(home, { recursive: true });
  }
}

/** Whether a process runs; one that nobody has asked about since it ended does not. */
function isAlive(pid: number): boolean {
  try {
    return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

suite('over ssh', () => {
  test('ssh gets its options first, and nothing of ours after --', () => {
    assert.deepEqual(
      sshArguments({ address: 'h', user: 'u', port: 7, command: [] }, ['a b', "c'd"], {
        options: ['IdentityFile=/k'],
        user: 'v',
      }).filter((word) => !/^(-o|-T|-x|-a|.*(Batch|Timeout|Alive).*)$/.test(word)),
      ['IdentityFile=/k', '-p', '7', '-l', 'u', '--', 'h', `'a b' 'c'\\''d'`],
    );
  });

  test(`a shell reads quoted words back as they were (seed ${seed})`, () => {
    const word = fc.string({ unit: 'grapheme', maxLength: 40 });
    const nasty = fc.constantFrom("'", '$(touch /x)', '`id`', ';', '\n', '\\', '"', '*', '~', '-n', '#');
    fc.assert(
      fc.property(fc.array(fc.oneof(word, nasty), { minLength: 1, maxLength: 8 }), (words) => {
        const script = `printf '%s\\0' ${words.map(quoted).join(' ')}`;
        assert.equal(
          execFileSync('sh', ['-c', script], { encoding: 'utf8' }),
          words.map((one) => `${one}\0`).join(''),
        );
      }),
      { numRuns: 60 },
    );
  });

  test('a program gets its input and says what it says; exit codes come back', () =>
    withProgram('cat; echo no >&2; exit 7', async (program) => {
      const input = 'x'.repeat(200_000);
      const { code, out, err } = await runOverSsh(host, ['x'], input, { program }, AbortSignal.timeout(9000));
      assert.deepEqual([code, out, err], [7, input, 'no\n']);
    }));

  test('a program that reads nothing is no error of ours; one that is not there is', async () => {
    await withProgram('exit 3', async (program) => {
      const input = 'x'.repeat(5_000_000);
      const { code } = await runOverSsh(host, ['x'], input, { program }, AbortSignal.timeout(9000));
      assert.equal(code, 3);
    });
    const missing = runOverSsh(host, ['x'], '', { program: '/nowhere/ssh' }, AbortSignal.timeout(9000));
    await assert.rejects(missing, { code: 'ENOENT' });
  });

  test('whatever it started ends with it, deaf to SIGTERM or not', () =>
    withProgram(
      `trap '' TERM; echo $$ >>$home/pids; sh -c 'trap "" TERM; echo $$ >>'$home'/pids; while :; do sleep 0.2; done' & wait; wait`,
      async (program, home) => {
        const controller = new AbortController();
        const reason = new Error('enough');
        const running = runOverSsh(host, ['x'], '', { program }, controller.signal);
        const rejected = assert.rejects(running, (error) => error === reason);
        const pids = () => {
          try {
            return readFileSync(join(home, 'pids'), 'utf8').trim().split('\n').map(Number);
          } catch {
            return [];
          }
        };
        for (const limit = Date.now() + 5000; pids().length < 2; await pause(20))
          assert.ok(Date.now() < limit);
        controller.abort(reason);
        await rejected;
        await pause(50);
        assert.deepEqual(pids().filter(isAlive), []);
      },
    ));
});
