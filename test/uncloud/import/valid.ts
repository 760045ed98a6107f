import assert from 'node:assert/strict';
import { type Imported, MemoryStore, writeImport } from '../../../src/uncloud/index.ts';

/** Validation takes what an importer makes, all of it; putting it into a store again puts nothing. */
export async function assertValid(imported: Imported): Promise<void> {
  await using store = new MemoryStore();
  const first = await writeImport(store, 'fw/', imported);
  assert.deepEqual(first.refused, []);
  assert.ok(first.put.length > 0 || Object.keys(imported.vms).length === 0);
  const again = await writeImport(store, 'fw/', imported);
  assert.deepEqual([again.put, again.unchanged.length], [[], first.put.length]);
}
