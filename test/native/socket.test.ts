import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readdirSync, readlinkSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { readMessages } from '../../src/netlink/message.ts';
import { NetlinkSocket } from '../../src/netlink/socket.ts';
import { readAttributes, readString } from '../../src/wire/attribute-reader.ts';
import { ProgramWriter } from '../../src/wire/program.ts';
import { withNetns } from '../support/netns.ts';
import { requires } from '../support/requirements.ts';
import {
  addElements,
  addSet,
  addTable,
  elementsOf,
  GETSETELEM,
  GETTABLE,
  INET,
  key,
  tableName,
} from './messages.ts';

const options = requires('root', 'netns');

/** Netlink sockets of this process. */
function sockets(): number {
  return readdirSync('/proc/self/fd').filter((fd) => {
    try {
      return /^(socket|net):/.test(readlinkSync(`/proc/self/fd/${fd}`));
    } catch {
      return false;
    }
  }).length;
}

function tables(socket: NetlinkSocket): string[] {
  const { messages } = socket.dumpSync({ type: GETTABLE, family: 0 });
  return [...readMessages(messages)].map(({ attributes }) => {
    const name = readAttributes(attributes).find(({ id }) => id === 1);
    return readString(name?.payload ?? new Uint8Array());
  });
}

/** The attributes of all elements, in the order of their bytes. */
function elementKeys(messages: Uint8Array): string[] {
  const keys: string[] = [];
  for (const { attributes } of readMessages(messages)) {
    const list = readAttributes(attributes).find(({ id }) => id === 3);
    for (const { payload } of readAttributes(list?.payload ?? new Uint8Array())) {
      keys.push(Buffer.from(payload).toString('hex'));
    }
  }
  return keys.sort();
}

function program(name: string): ProgramWriter {
  const made = new ProgramWriter();
  addTable(made, name, 0);
  return made;
}

test('each socket stays in its own namespace', options, async () => {
  await withNetns((one) =>
    withNetns((other, pid) => {
      using first = NetlinkSocket.open({ netns: one });
      using second = NetlinkSocket.open({ netns: other });
      using third = NetlinkSocket.open({ netns: pid });
      assert.equal(first.submitSync(program('a')).status, 'committed');
      assert.equal(second.submitSync(program('b')).status, 'committed');
      assert.deepEqual(tables(first), ['a']);
      assert.deepEqual(tables(second), ['b']);
      assert.deepEqual(tables(third), ['b']);
    }),
  );
});

test('without a namespace, a socket opens in that of the thread', options, async () => {
  const script = `
    import { NetlinkSocket } from '${new URL('../../src/netlink/socket.ts', import.meta.url)}';
    const socket = NetlinkSocket.open();
    for await (const { messages } of socket.stream({ type: 1, family: 0 })) console.log(messages.length);`;
  const { stdout, stderr } = spawnSync(
    'unshare',
    ['-n', process.execPath, '--import', 'tsx', '--input-type=module', '-e', script],
    { encoding: 'utf8', cwd: fileURLToPath(new URL('../..', import.meta.url)) },
  );
  assert.equal(stdout, '0\n', stderr);
});

test('a namespace that cannot be entered is an error with its path', options, () => {
  assert.throws(() => NetlinkSocket.open({ netns: '/run/netns/nowhere-at-all' }), {
    name: 'NetlinkSocketError',
    code: 'ENOENT',
    syscall: 'open',
    message: 'open: ENOENT: /run/netns/nowhere-at-all',
  });
  assert.throws(() => NetlinkSocket.open({ netns: '/proc/self/ns/uts' }), {
    code: 'EINVAL',
    syscall: 'setns',
  });
  assert.throws(() => NetlinkSocket.open({ netns: -3 }), /netns: -3 is not the number of a process/);
  assert.throws(() => NetlinkSocket.open({ netns: '' }), TypeError);
});

test('opening and closing leaves no descriptor behind', options, async () => {
  await withNetns(async (netns) => {
    const before = sockets();
    for (let i = 0; i < 200; i++) {
      const socket = NetlinkSocket.open({ netns });
      for await (const _ of socket.stream({ type: GETTABLE, family: 0 })) break;
      socket.close();
      socket.close();
      assert.throws(() => NetlinkSocket.open({ netns: '/proc/self/ns/uts' }), { code: 'EINVAL' });
    }
    assert.equal(sockets(), before);
  });
});

test('a closed socket says so', options, async () => {
  await withNetns(async (netns) => {
    const socket = NetlinkSocket.open({ netns });
    socket.close();
    const closed = { name: 'NetlinkSocketError', code: 'EBADF', message: /closed/ };
    assert.throws(() => socket.submitSync(program('t')), closed);
    assert.throws(() => socket.generationSync(), closed);
    await assert.rejects(socket.submit(program('t')), closed);
    await assert.rejects(socket.dump({ type: GETTABLE, family: 0 }), closed);
    await assert.rejects(socket.stream({ type: GETTABLE, family: 0 }).next(), closed);
    assert.equal(socket.closed, true);
  });
});

test('close lets what is under way end, and rejects what waits', options, async () => {
  await withNetns(async (netns) => {
    using other = NetlinkSocket.open({ netns });
    const before = sockets();
    const socket = NetlinkSocket.open({ netns });
    const big = program('t');
    addSet(big, 't', 's', 1, { size: 100_000 });
    const list = addElements(big, 't', 's', 2);
    for (let i = 0; i < 100_000; i++) list.add({ key: key(i) });
    const underway = socket.submit(big);
    const waiting = Promise.allSettled(Array.from({ length: 20 }, (_, i) => socket.submit(program(`w${i}`))));
    while (other.generationSync() === 1) await new Promise((resolve) => setTimeout(resolve, 1));
    socket.close();
    const results = await waiting;
    const first = await underway;
    assert.equal(first.status, 'committed');
    const rejected = results.filter(({ status }) => status === 'rejected').length;
    assert.equal(tables(other).length, 1 + 20 - rejected);
    await socket[Symbol.asyncDispose]();

    const hasty = NetlinkSocket.open({ netns });
    const calls = Promise.allSettled(Array.from({ length: 5 }, (_, i) => hasty.submit(program(`h${i}`))));
    await hasty[Symbol.asyncDispose]();
    for (const call of (await calls).slice(1)) {
      assert.equal(call.status, 'rejected');
      assert.match(String(call.reason), /EBADF: the socket was closed/);
    }
    assert.equal(tables(other).filter((name) => /^h[1-4]/.test(name)).length, 0);
    assert.equal(sockets(), before);
  });
});

test('signals reject what has not begun, and dumps', options, async () => {
  await withNetns(async (netns) => {
    using socket = NetlinkSocket.open({ netns });
    const reason = new Error('enough');
    await assert.rejects(socket.submit(program('no'), { signal: AbortSignal.abort(reason) }), reason);

    const big = program('t');
    addSet(big, 't', 's', 1, { size: 200_000 });
    const list = addElements(big, 't', 's', 2);
    for (let i = 0; i < 200_000; i++) list.add({ key: key(i) });
    const first = socket.submit(big);
    const gone = new AbortController();
    const second = socket.submit(program('never'), { signal: gone.signal });
    gone.abort(reason);
    await assert.rejects(second, reason);
    assert.equal((await first).status, 'committed');
    assert.deepEqual(tables(socket), ['t']);

    const late = new AbortController();
    const elements = { type: GETSETELEM, family: INET, attributes: elementsOf('t', 's') };
    const dump = socket.dump({ ...elements, signal: late.signal });
    setTimeout(() => late.abort(reason), 20);
    await assert.rejects(dump, reason);
    // The rest of the answer disturbs nobody.
    assert.deepEqual(tables(socket), ['t']);
    assert.ok((await socket.dump(elements)).messages.length > 200_000 * 16);

    const breaking = new AbortController();
    await assert.rejects(async () => {
      for await (const _ of socket.stream({ ...elements, signal: breaking.signal })) breaking.abort(reason);
    }, reason);
  });
});

test(
  'a stream hands out the same messages as a dump, in pieces, and leaves the socket free',
  options,
  async () => {
    await withNetns(async (netns) => {
      using socket = NetlinkSocket.open({ netns });
      const filled = program('t');
      addSet(filled, 't', 's', 1, { size: 20_000 });
      const list = addElements(filled, 't', 's', 2);
      for (let i = 0; i < 20_000; i++) list.add({ key: key(i) });
      socket.submitSync(filled);
      const request = { type: GETSETELEM, family: INET, attributes: elementsOf('t', 's') };

      const pieces: Uint8Array[] = [];
      for await (const piece of socket.stream({ ...request, chunk: 50_000 })) {
        pieces.push(piece.messages);
        assert.ok(piece.messages.length < 50_000 + 65_536, `${piece.messages.length} bytes at once`);
        assert.equal(piece.interrupted, false);
        assert.deepEqual(tables(socket), ['t']);
      }
      assert.ok(pieces.length >= 5);
      const whole = socket.dumpSync(request);
      // Where a message ends is the kernel's affair.
      const keys = elementKeys(Buffer.concat(pieces));
      assert.equal(keys.length, 20_000);
      assert.deepEqual(keys, elementKeys(whole.messages));
    });
  },
);

test(
  'one object is got by name, and a missing one is an error that points at its name',
  options,
  async () => {
    await withNetns(async (netns) => {
      using socket = NetlinkSocket.open({ netns });
      socket.submitSync(program('t'));
      const { messages } = await socket.get({ type: GETTABLE, family: INET, attributes: tableName('t') });
      const [message, ...rest] = [...readMessages(messages)];
      assert.equal(rest.length, 0);
      assert.equal(message?.family, INET);
      await assert.rejects(socket.get({ type: GETTABLE, family: INET, attributes: tableName('u') }), {
        name: 'NetlinkSocketError',
        code: 'ENOENT',
        syscall: 'netlink',
        offset: 0,
        advice: /does not exist/,
      });
    });
  },
);

test('the generation grows with every commit', options, async () => {
  await withNetns(async (netns) => {
    using socket = NetlinkSocket.open({ netns });
    const before = await socket.generation();
    const { generation } = await socket.submit(program('t'));
    assert.equal(generation, before + 1);
    assert.equal(socket.generationSync(), generation);
  });
});

test('worker threads use sockets of their own, and may be ended at any time', options, async () => {
  await withNetns(async (netns) => {
    const before = sockets();
    const code = `
      require(${JSON.stringify(fileURLToPath(import.meta.resolve('tsx/cjs')))});
      const { parentPort, workerData } = require('node:worker_threads');
      const { NetlinkSocket } = require(workerData.socket);
      const socket = NetlinkSocket.open({ netns: workerData.netns });
      const work = () => Promise.all(Array.from({ length: 50 }, () => socket.submit(workerData.program)));
      work().then(() => { parentPort.postMessage(socket.generationSync()); work(); });`;
    const big = program('t');
    addSet(big, 't', 's', 1, { size: 20_000 });
    const list = addElements(big, 't', 's', 2);
    for (let i = 0; i < 2_000; i++) list.add({ key: key(i) });
    const workerData = {
      netns,
      program: big.bytes().slice(),
      socket: fileURLToPath(new URL('../../src/netlink/socket.ts', import.meta.url)),
    };
    await Promise.all(
      Array.from({ length: 4 }, async () => {
        const worker = new Worker(code, { eval: true, workerData });
        const generation = await new Promise((resolve, reject) => {
          worker.once('message', resolve);
          worker.once('error', reject);
        });
        assert.ok((generation as number) > 50);
        await worker.terminate();
      }),
    );
    assert.equal(sockets(), before);
  });
});

test('a process may exit while work is under way', options, async () => {
  await withNetns((netns) => {
    const script = `
      import { NetlinkSocket } from '${new URL('../../src/netlink/socket.ts', import.meta.url)}';
      import { ProgramWriter } from '${new URL('../../src/wire/program.ts', import.meta.url)}';
      const socket = NetlinkSocket.open({ netns: '${netns}' });
      for (let i = 0; i < 100; i++) socket.submit(new ProgramWriter());
      socket.dump({ type: 1, family: 0 });
      process.exit(7);`;
    const { status, signal, stderr } = spawnSync(
      process.execPath,
      ['--import', 'tsx', '--input-type=module', '-e', script],
      { encoding: 'utf8', cwd: fileURLToPath(new URL('../..', import.meta.url)) },
    );
    assert.equal(status, 7, `${signal} ${stderr}`);
  });
});
