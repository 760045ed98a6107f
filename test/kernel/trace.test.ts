import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type Feed, formatRule, formatStatement, type TraceEvent, type TraceStep } from '../../src/index.ts';
import { isKernelSince } from '../../src/netlink/kernel-release.ts';
import { type Kernel, withKernel } from '../support/kernel.ts';
import { requires } from '../support/requirements.ts';

const needs = requires('root', 'netns', 'nft', 'ip', 'trace-returns');

const text = `
  table inet t {
    set s { type ipv4_addr; elements = { 192.0.2.1 } }
    chain sub { udp dport 53 accept; return; }
    chain in {
      type filter hook input priority 0; policy drop;
      meta nftrace set 1
      ip saddr @s drop
      udp dport { 7, 9 } counter accept comment "old services"
      meta mark set 0x2a
      jump sub
    }
  }`;

/** Sends datagrams from inside the namespace. */
function send(kernel: Kernel, family: 'udp4' | 'udp6', ...ports: number[]): void {
  const address = family === 'udp4' ? '127.0.0.1' : '::1';
  kernel.run(process.execPath, [
    '-e',
    `const socket = require('node:dgram').createSocket('${family}');
     socket.on('error', () => {});
     (async () => {
       for (const port of ${JSON.stringify(ports)}) await new Promise((sent) => socket.send('hello', port, '${address}', sent));
       socket.close();
     })();`,
  ]);
}

/** The steps of the datagrams to a port, from the first on to what is decided about it. */
async function packetTo(events: Feed<TraceEvent>, port: number): Promise<TraceStep[]> {
  const steps: TraceStep[] = [];
  let id: number | undefined;
  for (;;) {
    const { value: step, done } = await events.next();
    assert.ok(!done && !step.overrun);
    if (step.packet?.fields.some((field) => formatStatement(field) === `udp dport ${port}`)) id = step.id;
    if (step.id !== id) continue;
    steps.push(step);
    if (step.type === 'policy' || step.verdict?.code === 'accept' || step.verdict?.code === 'drop')
      return steps;
  }
}

function shortly({ type, chain, rule, verdict, policy }: TraceStep): string {
  const what = rule === undefined ? '' : ` ${formatRule(rule)}`;
  const decided = policy ?? [verdict?.code, verdict?.chain].filter((word) => word !== undefined).join(' ');
  return `${chain}: ${type}${what} -> ${decided}`;
}

test('the way of a packet through the rules, with the rules themselves', needs, () =>
  withKernel(async (kernel) => {
    kernel.run('ip', ['link', 'set', 'lo', 'up']);
    kernel.load(text);
    using events = kernel.nft.trace();
    send(kernel, 'udp4', 53, 9, 54);
    const steps = await packetTo(events, 53);
    assert.deepEqual(steps.map(shortly), [
      'in: rule meta nftrace set 1 -> continue',
      'in: rule meta mark set 0x0000002a -> continue',
      'in: rule jump sub -> jump sub',
      'sub: rule udp dport 53 accept -> accept',
    ]);
    assert.equal(new Set(steps.map(({ id }) => id)).size, 1);
    assert.deepEqual(
      steps.map(({ family, table }) => `${family} ${table}`),
      steps.map(() => 'inet t'),
    );
    const [first, ...rest] = steps;
    assert.deepEqual(
      rest.filter(({ packet }) => packet !== undefined),
      [],
    );
    assert.deepEqual(first?.packet?.iif, { index: 1, name: 'lo', type: 772 });
    assert.equal(first.packet.oif, undefined);
    assert.equal(first.packet.network?.[0], 0x45);
    assert.equal(
      Buffer.from(first.packet.transport ?? [])
        .subarray(8)
        .toString(),
      'hello',
    );
    const fields = first.packet.fields.map(formatStatement);
    for (const field of ['ip saddr 127.0.0.1', 'ip ttl 64', 'ip length 33', 'udp length 13']) {
      assert.ok(fields.includes(field), `${field} in ${fields}`);
    }
    assert.deepEqual((await packetTo(events, 9)).map(shortly), [
      'in: rule meta nftrace set 1 -> continue',
      'in: rule udp dport { 7, 9 } counter packets 1 bytes 33 accept comment "old services" -> accept',
    ]);
    const dropped = await packetTo(events, 54);
    assert.deepEqual(dropped.map(shortly).slice(-2), ['sub: rule return -> return', 'in: policy -> drop']);
    assert.equal(dropped.at(-1)?.mark, 0x2a);
  }),
);

test('the headers of IPv6', needs, () =>
  withKernel(async (kernel) => {
    kernel.run('ip', ['link', 'set', 'lo', 'up']);
    kernel.load(text);
    using events = kernel.nft.trace({ family: 'inet', table: 't' });
    send(kernel, 'udp6', 53);
    const [first] = await packetTo(events, 53);
    const fields = first?.packet?.fields.map(formatStatement) ?? [];
    for (const field of [
      'ip6 saddr ::1',
      'ip6 daddr ::1',
      'ip6 hoplimit 64',
      'ip6 nexthdr udp',
      'udp dport 53',
    ]) {
      assert.ok(fields.includes(field), `${field} in ${fields}`);
    }
  }),
);

test('rules that change meanwhile, and tables made anew, are told as they are', needs, () =>
  withKernel(async (kernel) => {
    kernel.run('ip', ['link', 'set', 'lo', 'up']);
    using events = kernel.nft.trace();
    for (const port of [60, 61]) {
      kernel.load(`
        table ip t
        delete table ip t
        table ip t { chain c { type filter hook input priority 0; meta nftrace set 1; udp dport ${port} drop; }; }`);
      send(kernel, 'udp4', port);
      const last = (await packetTo(events, port)).at(-1);
      assert.equal(last && shortly(last), `c: rule udp dport ${port} drop -> drop`);
    }
  }),
);

test(
  'the connection of a packet',
  isKernelSince(6, 16) ? requires('root', 'netns', 'nft', 'conntrack') : { skip: 'Linux 6.16 tells it' },
  () =>
    withKernel(async (kernel) => {
      kernel.run('ip', ['link', 'set', 'lo', 'up']);
      kernel.load(
        'table inet t { chain out { type filter hook output priority 0; meta nftrace set 1; ct state new udp dport 53 accept; }; }',
      );
      using events = kernel.nft.trace();
      send(kernel, 'udp4', 53);
      const [first] = await packetTo(events, 53);
      const { id, ...connection } = first?.packet?.ct ?? {};
      assert.deepEqual(connection, { direction: 'original', state: 'new' });
      assert.ok((id ?? 0) > 0);
    }),
);

test('nftjs trace prints what nft monitor trace prints', needs, () =>
  withKernel(async (kernel) => {
    kernel.run('ip', ['link', 'set', 'lo', 'up']);
    kernel.load(text);
    const netns = kernel.netns.replace('/proc/self', `/proc/${process.pid}`);
    const main = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));
    const outputs = ['', ''];
    const children = [
      spawn('nsenter', [`--net=${netns}`, '--', 'stdbuf', '-oL', 'nft', 'monitor', 'trace'], {
        stdio: ['ignore', 'pipe', 'inherit'],
      }),
      spawn(process.execPath, ['--import', 'tsx', main, 'trace', '--netns', netns], {
        stdio: ['ignore', 'pipe', 'inherit'],
      }),
    ];
    children.forEach((child, i) => void child.stdout.on('data', (data) => (outputs[i] += data)));
    const until = async (done: () => boolean, meanwhile = () => {}) => {
      for (let i = 0; i < 200 && !done(); i++) {
        meanwhile();
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    };
    // Nothing says when they listen: packets are sent until both tell of one.
    await until(
      () => outputs.every((output) => output !== ''),
      () => send(kernel, 'udp4', 1),
    );
    send(kernel, 'udp4', 53, 54);
    const has = (output: string) => /udp dport 54 .*policy drop/s.test(output);
    await until(() => outputs.every(has));
    const closed = children.map((child) => once(child, 'close'));
    for (const child of children) child.kill('SIGTERM');
    const [, [code]] = (await Promise.all(closed)) as [unknown, [number]];
    assert.equal(code, 0);
    const [theirs, ours] = outputs.map((output) => packets(output));
    for (const port of [53, 54]) {
      const lines = theirs?.find((packet) => packet[0]?.includes(`udp dport ${port} `));
      assert.ok(lines !== undefined && lines.length > 3, `nft told nothing of port ${port}`);
      assert.deepEqual(
        ours?.find((packet) => packet[0] === lines[0]),
        lines,
      );
    }
  }),
);

/** The lines of each packet; spaces at their ends mean nothing. */
function packets(output: string): string[][] {
  const lines = output.split('\n').map((line) => line.trimEnd());
  const ids = new Set(lines.flatMap((line) => /^trace id (\w+)/.exec(line)?.[1] ?? []));
  return [...ids].map((id) => lines.filter((line) => line.startsWith(`trace id ${id} `)));
}
