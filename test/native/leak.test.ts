import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { native } from '../../src/netlink/native.ts';
import { withNetns } from '../support/netns.ts';
import { requires } from '../support/requirements.ts';

/** How many transactions; NFTJS_TRANSACTIONS=100000 is what a release is tried with. */
const COUNT = Number(process.env.NFTJS_TRANSACTIONS ?? 20_000);
/** What half of the fifths may add, in bytes: a leak of 200 bytes a transaction adds about twice as much. */
const SLACK = (COUNT / 5) * 300;
const isSanitized = process.env.NFTJS_SANITIZED === 'true';

test('transactions leave neither memory nor descriptors behind', requires('root', 'netns'), () =>
  withNetns((netns) => {
    // A young generation of fixed size, or V8's own growth would hide a leak.
    const flags = ['--expose-gc', '--max-semi-space-size=1', '--import', 'tsx'];
    const loop = fileURLToPath(new URL('leak-loop.ts', import.meta.url));
    const { stdout, stderr } = spawnSync(process.execPath, [...flags, loop, netns, String(COUNT)], {
      encoding: 'utf8',
    });
    assert.notEqual(stdout, '', stderr);
    const grown = JSON.parse(stdout) as { growth: number[]; descriptors: number };
    assert.equal(grown.descriptors, 0);
    // The heap grows or shrinks by a step now and then; a leak grows in most intervals. AddressSanitizer keeps
    // freed memory in quarantine, and finds leaks itself.
    const median = grown.growth.toSorted((a, b) => a - b)[2] as number;
    if (!isSanitized) assert.ok(median < SLACK, `grew by ${grown.growth} bytes`);
  }),
);

test('the sanitized addon is the one that is loaded', {
  skip: !isSanitized && 'only under test:asan',
}, () => {
  assert.ok(native().Connection);
  const maps = readFileSync('/proc/self/maps', 'utf8');
  assert.match(maps, /\.cache\/asan\/build\/Release\/nftjs\.node/);
  assert.match(maps, /libasan/);
});
