import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readdirSync, readlinkSync } from 'node:fs';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { readMessages } from '../../src/netlink/message.ts';
import { native } from '../../src/netlink/native.ts';
import { NetlinkSocket } from '../../src/netlink/socket.ts';
import type { Subscription } from '../../src/netlink/subscription.ts';
import { ProgramWriter } from '../../src/wire/program.ts';
import { withNetns } from '../support/netns.ts';
import { requires } from '../support/requirements.ts';
import { addElements, addSet, addTable, key } from './messages.ts';

const options = requires('root', 'netns');

/** NFNLGRP_NFTABLES of linux/netfilter/nfnetlink.h. */
const NFTABLES = 7;
const NEWTABLE = 0;
const NEWGEN = 15;

function sockets(): number {
  return readdirSync('/proc/self/fd').filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`).startsWith('socket:');
    } catch {
      return false;
    }
  }).length;
}

function table(name: string): ProgramWriter {
  const program = new ProgramWriter();
  addTable(program, name, 0);
  return program;
}

/** A transaction of so many elements: the kernel tells of each. */
function elements(name: string, count: number): ProgramWriter {
  const program = table(name);
  addSet(program, name, 's', 1, { size: count });
  const list = addElements(program, name, 's', 2);
  for (let i = 0; i < count; i++) list.add({ key: key(i) });
  return program;
}

async function typesOf(subscription: Subscription): Promise<number[]> {
  const news = await subscription.read();
  assert.ok(news);
  assert.equal(news.overrun, false);
  return [...readMessages(news.messages)].map(({ type }) => type);
}

/** Runs a module in a process of its own, with the sockets at hand. */
function runModule(body: string, ...flags: string[]) {
  const source = (name: string) => JSON.stringify(new URL(`../../src/netlink/${name}`, import.meta.url));
  const script = `
    import { NetlinkSocket } from ${source('socket.ts')};
    ${body}`;
  return spawnSync(process.execPath, [...flags, '--import', 'tsx', '--input-type=module', '-e', script], {
    encoding: 'utf8',
    cwd: fileURLToPath(new URL('../..', import.meta.url)),
    timeout: 60_000,
  });
}

test('a read waits for messages, and brings what is there', options, () =>
  withNetns(async (netns) => {
    using socket = NetlinkSocket.open({ netns });
    const subscription = socket.subscribe(NFTABLES);
    let arrived = false;
    const first = typesOf(subscription).then((types) => {
      arrived = true;
      return types;
    });
    await delay(50);
    assert.equal(arrived, false);
    await socket.submit(table('a'));
    assert.deepEqual(await first, [NEWTABLE, NEWGEN]);
    socket.submitSync(table('b'));
    socket.submitSync(table('c'));
    assert.deepEqual(await typesOf(subscription), [NEWTABLE, NEWGEN, NEWTABLE, NEWGEN]);
    subscription.close();
  }),
);

test('messages about a transaction carry the address of its socket', options, () =>
  withNetns(async (netns) => {
    using socket = NetlinkSocket.open({ netns });
    using other = NetlinkSocket.open({ netns });
    assert.notEqual(socket.port, other.port);
    const subscription = socket.subscribe(NFTABLES);
    for (const writer of [other, socket]) {
      writer.submitSync(table(`t${writer.port}`));
      const news = await subscription.read();
      const ports = [...readMessages(news?.messages ?? new Uint8Array())].map(({ port }) => port);
      assert.deepEqual(ports, [writer.port, writer.port]);
    }
  }),
);

test('each subscription hears its own namespace and its own group', options, () =>
  withNetns((one) =>
    withNetns(async (two) => {
      using first = NetlinkSocket.open({ netns: one });
      using second = NetlinkSocket.open({ netns: two });
      const subscription = second.subscribe(NFTABLES);
      const trace = second.subscribe(NFTABLES + 2);
      first.submitSync(table('foreign'));
      second.submitSync(table('own'));
      assert.deepEqual(await typesOf(subscription), [NEWTABLE, NEWGEN]);
      const silent = trace.read();
      assert.equal(await Promise.race([silent, delay(50, 'nothing')]), 'nothing');
      trace.close();
      assert.equal(await silent, undefined);
    }),
  ),
);

test(
  'what the receive buffer cannot hold is lost, said so behind what came before, and over then',
  options,
  () =>
    withNetns(async (netns) => {
      using socket = NetlinkSocket.open({ netns });
      const subscription = socket.subscribe(NFTABLES, { receiveBuffer: 16 << 10 });
      socket.submitSync(table('before'));
      await socket.submit(elements('t', 5_000));
      const news = await subscription.read();
      assert.equal(news?.overrun, true);
      // The kernel reports the loss first; nothing of its queue is believed after that.
      assert.equal(news.messages.length, 0);
      for (const name of ['x', 'y']) {
        socket.submitSync(table(name));
        assert.deepEqual(await typesOf(subscription), [NEWTABLE, NEWGEN]);
      }
      const waiting = subscription.read();
      await socket.submit(elements('u', 5_000));
      let next = await waiting;
      while (!next?.overrun) next = await subscription.read();
    }),
);

test('a large transaction is handed out in pieces and in order', options, () =>
  withNetns(async (netns) => {
    using socket = NetlinkSocket.open({ netns });
    const subscription = socket.subscribe(NFTABLES, { receiveBuffer: 64 << 20 });
    const transaction = socket.submit(elements('t', 20_000));
    const types: number[] = [];
    let reads = 0;
    while (types.at(-1) !== NEWGEN) {
      const news = await subscription.read();
      assert.equal(news?.overrun, false);
      assert.ok(news.messages.length < (256 << 10) + (64 << 10));
      types.push(...[...readMessages(news.messages)].map(({ type }) => type));
      reads++;
    }
    assert.equal((await transaction).status, 'committed');
    assert.equal(types.length, 1 + 1 + 20_000 + 1);
    assert.ok(reads > 4, `${reads} reads`);
  }),
);

test('one read at a time; closing ends it, and again does nothing', options, () =>
  withNetns(async (netns) => {
    const before = sockets();
    const socket = NetlinkSocket.open({ netns });
    const subscription = socket.subscribe(NFTABLES);
    const waiting = subscription.read();
    await assert.rejects(subscription.read(), { name: 'NetlinkSocketError', code: 'EBUSY' });
    subscription.close();
    subscription.close();
    assert.equal(await waiting, undefined);
    assert.equal(await subscription.read(), undefined);
    subscription.ref();
    subscription.unref();
    const follower = socket.subscribe(NFTABLES);
    const ended = follower.read();
    socket.close();
    assert.equal(await ended, undefined);
    assert.throws(() => socket.subscribe(NFTABLES), { code: 'EBADF' });
    assert.throws(() => socket.port, { code: 'EBADF' });
    await delay(10);
    assert.equal(sockets(), before);
  }),
);

test('a reader may close its subscription while it is told something', options, () =>
  withNetns(async (netns) => {
    using socket = NetlinkSocket.open({ netns });
    for (let i = 0; i < 20; i++) {
      const subscription = socket.subscribe(NFTABLES);
      const read = subscription.read().then((news) => {
        subscription.close();
        return news;
      });
      await socket.submit(table(`t${i}`));
      assert.ok((await read)?.messages.length);
    }
  }),
);

test('opening and closing leaves no descriptor behind', options, () =>
  withNetns(async (netns) => {
    using socket = NetlinkSocket.open({ netns });
    const before = sockets();
    for (let i = 0; i < 200; i++) {
      const subscription = socket.subscribe(NFTABLES);
      const read = i % 2 === 0 ? subscription.read() : undefined;
      subscription.close();
      assert.equal(await read, undefined);
      assert.throws(() => socket.subscribe(99), { code: /^E/, syscall: 'setsockopt' });
    }
    await delay(10);
    assert.equal(sockets(), before);
  }),
);

test('what is no connection is refused', options, () => {
  const { Monitor, Connection } = native();
  for (const wrong of [undefined, 7, {}, Object.create(Connection.prototype)]) {
    assert.throws(() => new Monitor(wrong as never, 12, [NFTABLES], 4096), {
      message: 'a Connection expected',
    });
  }
});

test('a process ends when only a closed, forgotten or unreferenced subscription is left', options, () =>
  withNetns((netns) => {
    const open = `
      const socket = NetlinkSocket.open({ netns: ${JSON.stringify(netns)} });
      const subscription = socket.subscribe(${NFTABLES});
      setTimeout(() => { console.log('held'); process.exit(3); }, 3000).unref();`;
    const read = 'subscription.read().then((news) => console.log(news));';
    for (const [body, output] of [
      ['', ''],
      [`${read} subscription.unref();`, ''],
      [`subscription.unref(); ${read}`, ''],
      [`${read} subscription.close();`, 'undefined\n'],
      [`${read} socket.close();`, 'undefined\n'],
    ] as const) {
      const { status, stdout, stderr } = runModule(`${open} ${body}`);
      assert.deepEqual([stdout, status], [output, 0], `${body}: ${stderr}`);
    }
    const held = runModule(`${open} ${read} subscription.unref(); subscription.ref(); setTimeout(() => {
      console.log('held'); process.exit(3); }, 200).unref();`);
    assert.deepEqual([held.stdout, held.status], ['held\n', 3], held.stderr);
    const gone = runModule(`${open} ${read} process.exit(7);`);
    assert.equal(gone.status, 7, gone.stderr);
  }),
);

test('a subscription that nobody holds goes with the garbage', options, () =>
  withNetns((netns) => {
    const { status, stdout, stderr } = runModule(
      `
      import { readdirSync } from 'node:fs';
      const socket = NetlinkSocket.open({ netns: ${JSON.stringify(netns)} });
      const count = () => readdirSync('/proc/self/fd').length;
      const { native } = await import(${JSON.stringify(new URL('../../src/netlink/native.ts', import.meta.url))});
      const other = new (native().Connection)(${JSON.stringify(netns)}, 65536);
      const before = count();
      for (let i = 0; i < 50; i++) new (native().Monitor)(other, 12, [${NFTABLES}], 65536);
      const most = count() - before;
      for (let i = 0; i < 10; i++) { globalThis.gc(); await new Promise((done) => setTimeout(done, 5)); }
      console.log(JSON.stringify([most, count() - before]));`,
      '--expose-gc',
    );
    assert.deepEqual([stdout, status], ['[50,0]\n', 0], stderr);
  }),
);

test('worker threads have subscriptions of their own, and may be ended at any time', options, () =>
  withNetns(async (netns) => {
    using socket = NetlinkSocket.open({ netns });
    const before = sockets();
    const code = `
      require(${JSON.stringify(fileURLToPath(import.meta.resolve('tsx/cjs')))});
      const { parentPort, workerData } = require('node:worker_threads');
      const { NetlinkSocket } = require(workerData.socket);
      const socket = NetlinkSocket.open({ netns: workerData.netns });
      const subscription = socket.subscribe(${NFTABLES});
      (async () => {
        parentPort.postMessage('ready');
        for (let news; (news = await subscription.read()); ) parentPort.postMessage(news.messages.length);
      })();`;
    const workerData = {
      netns,
      socket: fileURLToPath(new URL('../../src/netlink/socket.ts', import.meta.url)),
    };
    const message = (worker: Worker) =>
      new Promise((resolve, reject) => {
        worker.once('message', resolve);
        worker.once('error', reject);
      });
    const workers = Array.from({ length: 4 }, () => new Worker(code, { eval: true, workerData }));
    for (const ready of await Promise.all(workers.map(message))) assert.equal(ready, 'ready');
    const told = Promise.all(workers.map(message));
    await socket.submit(table('t'));
    for (const length of await told) assert.ok((length as number) > 40);
    const busy = socket.submit(elements('u', 20_000));
    await Promise.all(workers.map((worker) => worker.terminate()));
    await busy;
    assert.equal(sockets(), before);
  }),
);
