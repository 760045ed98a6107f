// Runs transactions and prints by how much the process grew in each fifth: `node --expose-gc leak-loop.ts NETNS COUNT`.
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { NetlinkSocket } from '../../src/netlink/socket.ts';
import { ProgramWriter } from '../../src/wire/program.ts';
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

function memory(): number {
  assert.ok(globalThis.gc, 'needs --expose-gc');
  globalThis.gc();
  return process.memoryUsage().rss;
}

const descriptors = () => readdirSync('/proc/self/fd').length;

const INTERVALS = 5;
const [netns = '', count = ''] = process.argv.slice(2);
const socket = NetlinkSocket.open({ netns });
// Two commits a round. Compiled code and the allocators need some 10,000 to reach their size.
await rounds(socket, 5000);
const descriptorsBefore = descriptors();
const growth: number[] = [];
for (let i = 0; i < INTERVALS; i++) {
  const before = memory();
  await rounds(socket, Number(count) / 2 / INTERVALS);
  growth.push(memory() - before);
}
const descriptorsAfter = descriptors();
socket.close();
console.log(JSON.stringify({ growth, descriptors: descriptorsAfter - descriptorsBefore }));
