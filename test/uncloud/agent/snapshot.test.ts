import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { readSnapshot, SnapshotError, writeSnapshot } from '../../../src/uncloud/agent/snapshot.ts';

const snapshot = {
  cluster: 'c',
  revision: 42,
  entries: [{ key: 'vm/1', value: '{"nics":[]}\n', revision: 40, created: 7 }],
};

suite('a snapshot on disk', () => {
  test('comes back as it was, and nothing where there is none', async () => {
    const home = await mkdtemp(join(tmpdir(), 'nftjs-snapshot-'));
    try {
      const file = join(home, 'deep', 'state.json');
      assert.equal(await readSnapshot(file), undefined);
      await writeSnapshot(file, { ...snapshot, revision: 1, entries: [] });
      await writeSnapshot(file, snapshot);
      assert.deepEqual(await readSnapshot(file), snapshot);
      assert.deepEqual(await readdir(join(home, 'deep')), ['state.json']);
    } finally {
      await rm(home, { recursive: true });
    }
  });

  test('is refused when it was cut off anywhere, changed, or is of another version', async () => {
    const home = await mkdtemp(join(tmpdir(), 'nftjs-snapshot-'));
    try {
      const file = join(home, 'state.json');
      await writeSnapshot(file, snapshot);
      const whole = await readFile(file, 'utf8');
      const refused = () => assert.rejects(readSnapshot(file), SnapshotError);
      for (let length = whole.length - 2; length >= 0; length--) {
        await truncate(file, length);
        await refused();
      }
      await writeFile(file, whole.replace('vm/1', 'vm/2'));
      await refused();
      await writeFile(file, whole.replace('"version":1', '"version":2'));
      await refused();
    } finally {
      await rm(home, { recursive: true });
    }
  });
});
