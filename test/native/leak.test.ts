import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { test } from 'node:test';
import { NetlinkSocket } from '../../src/netlink/socket.ts';
import { ProgramWriter } from '../../src/wire/program.ts';
import { withNetns } from '../support/netns.ts';
import { requires } from '../support/requirements.ts';
import {
  addElements,
  addSet,
  addTable,
  CREATE,
  DELTABLE,
  EXCL,
  GETTABLE,
  INET,
  key,
  tableName,
} from './messages.ts';

/** How many transactions; NFTJS_TRANSACTIONS=100000 is what a release is tried with. */
const COUNT = Number(process.env.NFTJS_TRANSACTIONS ?? 20_000);
/** Growth that the allocator's own habits explain. */
const SLACK = 24 << 20;

/** Memory of the process, after collecting garbage if `--expose-gc` allows. */
function memory(): number {
  (globalThis as { gc?: () => void }).gc?.();
  return process.memoryUsage().rss;
}

/** What is refused costs the kernel milliseconds (it waits for RCU): once in so many rounds is enough. */
const REFUSAL = 64;

/**
 * Two commits a round, with elements and echoes: one awaited, one not; between them dumps, refusals and corrupt programs.
 */
async function rounds(socket: NetlinkSocket, count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    const program = new ProgramWriter({ echo: true });
    addTable(program, 't', 0, CREATE | EXCL);
    addSet(program, 't', 's', 1);
    const list = addElements(program, 't', 's', 2);
    for (let j = 0; j < 20; j++) list.add({ key: key(j) });
    program.message({ type: DELTABLE, family: INET, operation: 3 }, tableName('t'));
    assert.equal(socket.submitSync(program).status, 'committed');
    assert.equal((await socket.submit(program)).status, 'committed');
    if (i % 8 === 0) {
      socket.dumpSync({ type: GETTABLE, family: 0 });
      await socket.dump({ type: GETTABLE, family: 0 });
    }
    if (i % REFUSAL === 0) {
      const corrupt = program.bytes().slice(0, -4);
      assert.throws(() => socket.submitSync(corrupt), { code: 'ERR_NFTJS_PROGRAM' });
      await assert.rejects(socket.submit(corrupt), { code: 'ERR_NFTJS_PROGRAM' });
      const wrong = new ProgramWriter();
      wrong.message({ type: DELTABLE, family: INET, operation: 0 }, tableName('missing'));
      assert.equal((await socket.submit(wrong)).status, 'refused');
    }
  }
}

test('transactions leave neither memory nor descriptors behind', requires('root', 'netns'), () =>
  withNetns(async (netns) => {
    using socket = NetlinkSocket.open({ netns });
    // The first quarter warms up.
    await rounds(socket, COUNT / 8);
    const before = memory();
    const descriptors = readdirSync('/proc/self/fd').length;
    await rounds(socket, (COUNT * 3) / 8);
    assert.equal(readdirSync('/proc/self/fd').length, descriptors);
    const grown = memory() - before;
    // AddressSanitizer keeps freed memory in quarantine.
    if (process.env.NFTJS_SANITIZED !== 'true') assert.ok(grown < SLACK, `grew by ${grown} bytes`);
  }),
);

test('the sanitized addon is the one that is loaded', {
  skip: process.env.NFTJS_SANITIZED !== 'true' && 'only under test:asan',
}, () => {
  const maps = spawnSync('cat', [`/proc/${process.pid}/maps`], { encoding: 'utf8' }).stdout;
  assert.match(maps, /\.cache\/asan\/build\/Release\/nftjs\.node/);
  assert.match(maps, /libasan/);
});
