import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeKernel } from '../../../src/testing/index.ts';

const interfaces = [
  { name: 'lo', index: 1 },
  { name: 'br0', index: 2 },
  { name: 'vm1', index: 3, master: 2 },
];

test('what a test logs is told to whoever listens to that group', async () => {
  const kernel = new FakeKernel({ interfaces });
  using nft = kernel.connect();
  using events = nft.logged({ group: 5 });
  using others = nft.logged({ group: 6 });
  const timestamp = new Date('2026-01-02T03:04:05.678Z');
  const hwheader = Uint8Array.of(1, 2, 3);
  const told = { family: 'bridge', hook: 'prerouting', prefix: 'x ', mark: 7, timestamp, hwheader } as const;
  const payload = Uint8Array.of(0x45, 0, 1);
  kernel.logPacket(5, {
    ...told,
    protocol: 0x0800,
    indev: 'br0',
    physindev: 'vm1',
    hwaddr: '02:00:00:00:00:01',
    payload,
  });
  assert.deepEqual((await events.next()).value, {
    overrun: false,
    ...told,
    indev: { index: 2, name: 'br0' },
    physindev: { index: 3, name: 'vm1' },
    hwaddr: '02:00:00:00:00:01',
    protocol: 0x0800,
    payload,
  });
  kernel.logPacket(7, { family: 'ip', payload });
  kernel.logPacket(6, { family: 'ip', payload });
  assert.deepEqual((await others.next()).value, {
    ...{ overrun: false, family: 'ip', hook: 'prerouting', prefix: '', protocol: 0, payload },
  });
});

test('a group has one listener; an overrun is told, and a signal ends it', async () => {
  const kernel = new FakeKernel();
  using nft = kernel.connect();
  const events = nft.logged({ group: 5 });
  assert.throws(() => kernel.connect().logged({ group: 5 }), { code: 'EPERM' });
  kernel.overrun();
  assert.deepEqual((await events.next()).value, { overrun: true });
  events.close();
  const ending = new AbortController();
  const again = nft.logged({ group: 5, signal: ending.signal });
  const waiting = again.next();
  ending.abort(new Error('enough'));
  await assert.rejects(waiting, /enough/);
});
