import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { NetlinkSocketError, notifyServiceManager } from '../../../src/index.ts';
import { BEGINNING } from '../../../src/uncloud/agent/state.ts';
import { superviseAgent } from '../../../src/uncloud/index.ts';
import { listenAsServiceManager, type ServiceManager } from '../../support/service-manager.ts';

async function withManager(work: (manager: ServiceManager, socket: string) => Promise<void>): Promise<void> {
  const home = await mkdtemp(join(tmpdir(), 'nftjs-notify-'));
  try {
    const socket = join(home, 'notify');
    await using manager = await listenAsServiceManager(socket);
    await work(manager, socket);
  } finally {
    await rm(home, { recursive: true });
  }
}

/** Stands in for an agent: its state is set, and it settles when it is let. */
function standIn() {
  const agent = {
    state: BEGINNING,
    resyncs: 0,
    isHung: false,
    resync: () => {
      agent.resyncs++;
    },
    settled: () => (agent.isHung ? new Promise<void>(() => {}) : Promise.resolve()),
  };
  return agent;
}

suite('telling the service manager', () => {
  test('one datagram, at a path or an abstract name; nothing where nobody asked', () =>
    withManager(async (manager, socket) => {
      assert.equal(notifyServiceManager({ READY: 1 }, ''), false);
      assert.equal(notifyServiceManager({ READY: 1, STATUS: 'two\nlines = ü' }, socket), true);
      const { pid, state } = await manager.until(() => true);
      assert.deepEqual([pid, state], [process.pid, { READY: '1', STATUS: 'two lines = ü' }]);
      const name = `@nftjs-test-${process.pid}`;
      await using abstract = await listenAsServiceManager(name);
      assert.equal(notifyServiceManager({ WATCHDOG: 1 }, name), true);
      assert.deepEqual((await abstract.until(() => true)).state, { WATCHDOG: '1' });
    }));

  test('says why it cannot', () => {
    const cases = [
      ['/nowhere/notify', 'ENOENT'],
      ['@nftjs-nobody', 'ECONNREFUSED'],
      [`/${'x'.repeat(107)}`, 'EINVAL'],
    ] as const;
    for (const [socket, code] of cases)
      assert.throws(
        () => notifyServiceManager({ READY: 1 }, socket),
        (error) => error instanceof NetlinkSocketError && error.code === code,
        socket,
      );
  });
});

suite('an agent under a service manager', () => {
  test('is ready once rules are in force, says how it is, and that it ends', () =>
    withManager(async (manager, socket) => {
      const agent = standIn();
      using supervision = superviseAgent(agent, { env: { NOTIFY_SOCKET: socket } });
      await pause(700);
      assert.deepEqual(manager.told, [], 'nothing is in force yet');
      agent.state = { ...BEGINNING, isGuarded: true };
      await manager.until(({ state }) => state.READY === '1' && state.STATUS === '0 VMs at revision 0');
      agent.state = { ...agent.state, vms: 3, revision: 7, staleSince: new Date(0), error: 'no' };
      await manager.until(
        ({ state }) =>
          state.STATUS ===
          '3 VMs at revision 7; the store has not been heard since 1970-01-01T00:00:00.000Z; not in force: no',
      );
      supervision.stop();
      await manager.until(({ state }) => state.STOPPING === '1');
      assert.equal(manager.told.filter(({ state }) => 'READY' in state).length, 1);
      assert.ok(!manager.told.some(({ state }) => 'WATCHDOG' in state), 'nobody asked for it');
    }));

  test('keeps the watchdog quiet as long as it comes to an end of its work, and no longer', () =>
    withManager(async (manager, socket) => {
      const agent = standIn();
      agent.state = { ...BEGINNING, isGuarded: true };
      const env = { NOTIFY_SOCKET: socket, WATCHDOG_USEC: '1500000', WATCHDOG_PID: String(process.pid) };
      using _supervision = superviseAgent(agent, { env });
      const pings = () => manager.told.filter(({ state }) => 'WATCHDOG' in state).length;
      for (const limit = Date.now() + 10_000; pings() < 3; await pause(50)) assert.ok(Date.now() < limit);
      agent.isHung = true;
      await pause(300);
      const before = pings();
      await pause(1500);
      assert.equal(pings(), before);
    }));

  test('a watchdog of another process is none of its business', () =>
    withManager(async (manager, socket) => {
      const agent = standIn();
      agent.state = { ...BEGINNING, isGuarded: true };
      const env = { NOTIFY_SOCKET: socket, WATCHDOG_USEC: '300000', WATCHDOG_PID: '1' };
      using _supervision = superviseAgent(agent, { env });
      await manager.until(({ state }) => 'READY' in state);
      await pause(700);
      assert.ok(!manager.told.some(({ state }) => 'WATCHDOG' in state));
    }));

  test('reloads: reads again, and is ready again', () =>
    withManager(async (manager, socket) => {
      const agent = standIn();
      using supervision = superviseAgent(agent, { env: { NOTIFY_SOCKET: socket } });
      supervision.reload();
      assert.equal(agent.resyncs, 1, 'also before there is anybody to tell');
      agent.state = { ...BEGINNING, isGuarded: true };
      await manager.until(({ state }) => 'READY' in state);
      supervision.reload();
      const { state } = await manager.until(({ state }) => 'RELOADING' in state);
      const at = Number(state.MONOTONIC_USEC);
      assert.ok(Math.abs(Number(process.hrtime.bigint() / 1000n) - at) < 60_000_000);
      for (const limit = Date.now() + 5000; ; await pause(20)) {
        const words = manager.told
          .flatMap(({ state }) => Object.keys(state))
          .filter((word) => /READY|RELOAD/.test(word));
        if (words.join() === 'READY,RELOADING,READY') break;
        assert.ok(Date.now() < limit, words.join());
      }
      assert.equal(agent.resyncs, 2);
    }));

  test('a service manager that is gone is logged, once', async () => {
    const agent = standIn();
    agent.state = { ...BEGINNING, isGuarded: true };
    const lines: string[] = [];
    using _supervision = superviseAgent(agent, {
      env: { NOTIFY_SOCKET: '/nowhere/notify' },
      log: (level, message, { error }) => lines.push(`${level}: ${message}: ${error}`),
    });
    for (const limit = Date.now() + 5000; lines.length === 0; await pause(20)) assert.ok(Date.now() < limit);
    await pause(600);
    assert.deepEqual(lines, ['warning: the service manager was not told: sendto: ENOENT']);
  });
});
