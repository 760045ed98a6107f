import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import test from 'node:test';

/** What becomes of a test with these requirements where no program is found. */
function askWithoutPrograms(
  names: string,
  env: NodeJS.ProcessEnv,
): { status: number | null; output: string } {
  const module = new URL('../../support/requirements.ts', import.meta.url).href;
  const source = `const { requires } = await import('${module}'); console.log(requires(${names}).skip);`;
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ['--import', 'tsx', '--input-type=module', '--eval', source],
    { env: { PATH: '/nonexistent', ...env }, encoding: 'utf8' },
  );
  return { status, output: stdout + stderr };
}

test('what is missing skips a test, with the reason', () => {
  assert.deepEqual(askWithoutPrograms("'nft', 'ip'", {}), {
    status: 0,
    output: 'this needs nft (scripts/setup test)\n',
  });
});

test('what a set-up would supply fails under CI', () => {
  const { status, output } = askWithoutPrograms("'nft'", { CI: 'true' });
  assert.equal(status, 1);
  assert.match(output, /this needs nft .*: no test may be skipped for that here/);
});

test('a kernel that lacks a feature skips under CI, but not in the VM', () => {
  assert.equal(askWithoutPrograms("'bridge'", { CI: 'true' }).status, 0);
  assert.equal(askWithoutPrograms("'bridge'", { NFTJS_VM: 'true' }).status, 1);
});
