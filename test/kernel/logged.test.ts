import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import {
  connect,
  type Feed,
  type LogEvent,
  type LoggedPacket,
  type LogOptions,
  NetlinkSocketError,
} from '../../src/index.ts';
import { forwarding } from '../support/frames/forwarding.ts';
import { type Kernel, withKernel } from '../support/kernel.ts';
import { requires } from '../support/requirements.ts';
import { limit } from '../support/wait.ts';

const needs = requires('root', 'netns', 'ip', 'nft');
const onBridges = requires('root', 'netns', 'ip', 'nft', 'bridge', 'veth');

/** Listens, and gives up where nothing is told. */
const listen = ({ nft }: Kernel, options: LogOptions): Feed<LogEvent> =>
  nft.logged({ ...options, signal: limit(`what is logged to group ${options.group}`) });

async function packet(events: Feed<LogEvent>): Promise<LoggedPacket> {
  const { value, done } = await events.next();
  assert.ok(!done && !value.overrun);
  return value;
}

/** Sends UDP datagrams to port 9 of the loopback interface, each with its number in its first four bytes. */
function send(kernel: Kernel, count: number, size = 4): void {
  const script = `
    const socket = require('dgram').createSocket('udp4');
    let sent = 0;
    const next = () => {
      if (sent === ${count}) return socket.close();
      const data = Buffer.alloc(${size});
      data.writeUInt32BE(sent++);
      socket.send(data, 9, '127.0.0.1', next);
    };
    next();`;
  kernel.run(process.execPath, ['-e', script]);
}

function ready(kernel: Kernel, statement: string): void {
  kernel.run('ip', ['link', 'set', 'lo', 'up']);
  kernel.load(`table inet t {
    chain out { type filter hook output priority 0; udp dport 9 meta mark set 7 ${statement}; }
  }`);
}

test('a logged packet is told at once, with all that is known of it', needs, () =>
  withKernel(async (kernel) => {
    ready(kernel, 'log group 5 prefix "nine "');
    using events = listen(kernel, { group: 5 });
    send(kernel, 1);
    const { payload, hwaddr, hwheader, timestamp, outdev, ...told } = await packet(events);
    assert.deepEqual(told, {
      overrun: false,
      family: 'ip',
      hook: 'output',
      prefix: 'nine ',
      mark: 7,
      protocol: 0x0800,
      uid: 0,
      gid: 0,
      sequence: 0,
    });
    assert.deepEqual([outdev?.index, outdev?.name], [1, 'lo']);
    assert.equal(payload.length, 20 + 8 + 4);
    assert.equal(payload[9], 17);
    assert.deepEqual([...payload.subarray(12, 20)], [127, 0, 0, 1, 127, 0, 0, 1]);
    send(kernel, 1);
    assert.equal((await packet(events)).sequence, 1);
  }),
);

test('range and snaplen cut what is told; a group is told what is logged to it', needs, () =>
  withKernel(async (kernel) => {
    ready(kernel, 'log group 5 snaplen 30 log group 6 log group 7 prefix "x" log group 65535');
    using snap = listen(kernel, { group: 5, range: 100 });
    using cut = listen(kernel, { group: 6, range: 64 });
    using none = listen(kernel, { group: 7, range: 0 });
    using all = listen(kernel, { group: 65535 });
    send(kernel, 1, 9000);
    const lengths = [];
    for (const events of [snap, cut, none, all]) lengths.push((await packet(events)).payload.length);
    assert.deepEqual(lengths, [30, 64, 0, 9028]);
  }),
);

test('packets wait for others where they are told to', needs, () =>
  withKernel(async (kernel) => {
    ready(kernel, 'log group 5');
    using events = listen(kernel, { group: 5, threshold: 50, timeout: 200 });
    send(kernel, 3);
    const began = Date.now();
    for (let n = 0; n < 3; n++) assert.equal((await packet(events)).payload[31], n);
    assert.ok(Date.now() - began < 2000);
  }),
);

test('at a bridge the ports are told, with the sender', onBridges, () =>
  withKernel(async (kernel) => {
    const commands = [
      'link add br0 type bridge',
      'link set br0 up',
      'link add one type veth peer name one-vm address 02:00:00:00:00:01',
      'link add two type veth peer name two-vm address 02:00:00:00:00:02',
      ...['one', 'two'].map((name) => `link set ${name} master br0`),
      ...['one', 'one-vm', 'two', 'two-vm'].map((name) => `link set ${name} up`),
      'address add 192.0.2.1/24 dev one-vm',
      'neighbour add 192.0.2.2 lladdr 02:00:00:00:00:02 dev one-vm',
    ];
    kernel.run('ip', ['-batch', '-'], `${commands.join('\n')}\n`);
    // Where br_netfilter is loaded, it takes bridged packets past chains at its own priority, 0.
    kernel.load(`table bridge b {
      chain pre { type filter hook prerouting priority dstnat; iifname "one" ip protocol udp log group 1 prefix "pre"; }
      chain across { type filter hook forward priority filter; ip protocol udp log group 1 prefix "fwd"; }
    }`);
    await forwarding(() => kernel.run('bridge', ['-j', 'link', 'show']), 2);
    using events = listen(kernel, { group: 1 });
    const script = `const s = require('dgram').createSocket('udp4'); s.send('x', 9, '192.0.2.2', () => s.close());`;
    kernel.run(process.execPath, ['-e', script]);
    const before = await packet(events);
    assert.deepEqual(
      [before.family, before.hook, before.prefix, before.indev?.name, before.physindev?.name],
      ['bridge', 'prerouting', 'pre', 'br0', 'one'],
    );
    assert.equal(before.hwaddr, '02:00:00:00:00:01');
    assert.equal(Buffer.from(before.hwheader ?? []).toString('hex'), '0200000000020200000000010800');
    const across = await packet(events);
    assert.deepEqual(
      [across.hook, across.physindev?.name, across.physoutdev?.name, across.hwaddr],
      ['forward', 'one', 'two', '02:00:00:00:00:01'],
    );
  }),
);

test('what was lost is said, and what comes later is told again', needs, () =>
  withKernel(async (kernel) => {
    ready(kernel, 'log group 5');
    using events = listen(kernel, { group: 5, receiveBuffer: 8192 });
    send(kernel, 200, 1000);
    let event = (await events.next()).value as LogEvent;
    while (!event.overrun) event = (await events.next()).value as LogEvent;
    send(kernel, 1);
    const { sequence } = await packet(events);
    assert.equal(sequence, 200, 'the gap tells how many were lost');
  }),
);

test('a group has one listener, and is free when that ends', needs, () =>
  withKernel(async (kernel) => {
    using other = connect({ netns: kernel.netns });
    const events = kernel.nft.logged({ group: 5 });
    const busy = (error: unknown) =>
      error instanceof NetlinkSocketError && /^(EPERM|EBUSY)$/.test(error.code);
    assert.throws(() => other.logged({ group: 5 }), busy);
    other.logged({ group: 6 }).close();
    events.close();
    other.logged({ group: 5 }).close();
    const ending = AbortSignal.timeout(50);
    const waiting = other.logged({ group: 5, signal: ending });
    await assert.rejects(waiting.next(), { name: 'TimeoutError' });
    other.logged({ group: 5 }).close();
    const last = other.logged({ group: 5 });
    const pending = last.next();
    await delay(10);
    other.close();
    assert.deepEqual(await pending, { done: true, value: undefined });
    kernel.nft.logged({ group: 5 }).close();
  }),
);

test('numbers that no group can have are refused by name', needs, () =>
  withKernel(({ nft }) => {
    for (const wrong of [{ group: -1 }, { group: 65536 }, { group: 1.5 }, { group: 1, range: 65536 }])
      assert.throws(() => nft.logged(wrong), RangeError);
    assert.throws(() => nft.logged({ group: 1, threshold: 0 }), /threshold: 0/);
    assert.throws(() => nft.logged({ group: 1, timeout: -1 }), /timeout: -1/);
  }),
);
