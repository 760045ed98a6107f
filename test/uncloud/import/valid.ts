import assert from 'node:assert/strict';
import { type Imported, parsePolicy } from '../../../src/uncloud/index.ts';

/** Validation takes what an importer makes, all of it. */
export function assertValid({ vms, groups }: Imported): void {
  assert.deepEqual(parsePolicy({ vms, groups }).problems, []);
}
