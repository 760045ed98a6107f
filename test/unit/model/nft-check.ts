import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { stringify, type TableBuilder } from '../../../src/model/index.ts';

/** Has nft and the kernel judge tables: in a network namespace of its own, and without a commit. */
export function checkWithNft(...tables: readonly TableBuilder<never>[]): void {
  const json = stringify({ nftables: tables.flatMap(({ commands }) => commands) });
  const { status, stderr } = spawnSync('unshare', ['--net', 'nft', '-j', '-c', json], { encoding: 'utf8' });
  assert.equal(status, 0, stderr);
}
