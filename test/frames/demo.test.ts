import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { requires } from '../support/requirements.ts';

const demo = fileURLToPath(new URL('../../examples/demo/main.ts', import.meta.url));

test('the demo shows every frame going where it must', requires('root', 'ip', 'bridge', 'veth'), () => {
  const { stdout, stderr, status } = spawnSync(process.execPath, ['--import', 'tsx', demo, '--all'], {
    encoding: 'utf8',
  });
  assert.equal(status, 0, stderr);
  assert.match(stdout, /^table bridge uncloud \{$/m);
  assert.match(stdout, /^ {2}router advertisement, VID 0 +v343a-0 +- +- +right$/m);
  assert.match(stdout, /^ {2}request +v343a-0 +v343b-0, vxlan100 +v343b-0, vxlan100 +right$/m);
  assert.doesNotMatch(stdout, /WRONG/);
  const [, right, all] = /^(\d+) of (\d+) frames went where they must/m.exec(stdout) ?? [];
  assert.equal(right, all);
  assert.ok(Number(all) > 300);
});
