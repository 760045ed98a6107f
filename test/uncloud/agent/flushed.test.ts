import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { Agent, MemoryStore, parseHost, TABLE } from '../../../src/uncloud/index.ts';
import { summary } from '../../simulation/latency.ts';
import { now } from '../../simulation/probe.ts';
import { datagram, PREFIX, recordOf, vmOf } from '../../simulation/vm.ts';
import { withKernel } from '../../support/kernel.ts';
import { requires } from '../../support/requirements.ts';
import { attacker, description, Stage, web } from './stage.ts';

/** How long rules are flushed, again and again, and with what pause between; how many hostile frames a second. */
const SECONDS = Number(process.env.NFTJS_FLUSH_SECONDS ?? 3);
const PAUSE = 150;
const FRAMES = Number(process.env.NFTJS_FLUSH_FRAMES ?? 5000);

async function flushing(stage: Stage): Promise<number> {
  let flushes = 0;
  for (const end = now() + SECONDS * 1000; now() < end; flushes++) {
    stage.rig.run('nft', ['flush', 'ruleset']);
    await pause(PAUSE);
  }
  return flushes;
}

const limits = { timeout: 180_000 + SECONDS * 3000 };

suite('flush ruleset, again and again', requires('root', 'netns', 'nft', 'ip', 'bridge', 'veth'), () => {
  test('is undone at once; how long nothing was guarded is measured', limits, async () => {
    await using stage = await Stage.build(FRAMES);
    stage.start();
    await stage.until('rules', () => stage.isGuarded());
    await stage.plug();
    const listening = new AbortController();
    const gaps: number[] = [];
    const listened = (async () => {
      let flushed: number | undefined;
      for await (const event of stage.nft.monitor({ table: TABLE, signal: listening.signal })) {
        if (event.overrun) continue;
        if (event.process?.name === 'nft') flushed ??= now();
        else if (flushed !== undefined && !event.partial) {
          gaps.push(now() - flushed);
          flushed = undefined;
        }
      }
    })().catch((error) => listening.signal.aborted || Promise.reject(error));
    const flushes = await flushing(stage);
    await stage.until('rules in the end', () => stage.isGuarded());
    await pause(300);
    listening.abort();
    await listened;
    const { leaks, hostileSent } = await stage.prober.report();
    // The frames of one gap: nothing else comes for as long as the pause lasts.
    const bursts: number[] = [];
    let last = -Infinity;
    for (const { sent } of leaks) {
      if (sent - last > PAUSE / 3) bursts.push(0);
      bursts.push((bursts.pop() ?? 0) + 1);
      last = sent;
    }
    if (process.env.NFTJS_TALLY)
      console.log({ flushes, hostileSent, passed: leaks.length, ms: summary(gaps), frames: summary(bursts) });
    assert.ok(gaps.length > 0 && gaps.length <= flushes, `${gaps.length} gaps of ${flushes}`);
    assert.ok(summary(gaps).p50 < 2000, JSON.stringify(summary(gaps)));
    await stage.until('a legitimate frame', async () => stage.passes(datagram(attacker, web)));
    const { leaks: after } = await stage.prober.report();
    assert.equal(after.length, leaks.length, 'once the rules are back nothing passes');
  });

  test('does nothing to tables that the agent owns, nor does its end', limits, async (t) => {
    await using stage = await Stage.build(FRAMES);
    const owned = { table: { family: 'inet', name: 'probe', flags: ['owner', 'persist'] } } as const;
    const isKnown = await stage.nft.check([{ add: owned }]).then(
      () => true,
      () => false,
    );
    if (!isKnown) return t.skip('Linux 6.9 is the first with owned tables that persist');
    stage.start('--owned');
    await stage.until('rules', () => stage.isGuarded());
    await stage.plug();
    // What agents do about ports that came is done.
    await pause(1500);
    const rules = async () => JSON.stringify(await stage.nft.list({ family: 'bridge', table: TABLE }));
    const before = await rules();
    const flushes = await flushing(stage);
    assert.equal(await rules(), before, 'the same rules with the same handles');

    // Killed, it leaves them; the next agent takes them over as they are.
    await stage.kill();
    const orphans = await rules();
    assert.ok(!orphans.includes('"owner"') && orphans.includes('"persist"'), orphans.slice(0, 300));
    stage.start('--owned');
    await stage.until('an owner', async () => (await rules()).includes('"owner"'));
    assert.equal(await rules(), before, 'taken over, not made anew');
    stage.rig.run('nft', ['flush', 'ruleset']);
    assert.equal(await rules(), before);
    assert.ok(stage.passes(datagram(attacker, web)));
    const { leaks, hostileSent } = await stage.prober.report();
    if (process.env.NFTJS_TALLY) console.log({ flushes, hostileSent, passed: leaks.length });
    assert.deepEqual(leaks, []);
    assert.ok(hostileSent > 0);
  });

  test('of many VMs: nothing passes until all of it is back', limits, () =>
    withKernel(async ({ nft, run }) => {
      await using store = new MemoryStore();
      const host = parseHost(description);
      for (let n = 1; n <= 1000; n++) {
        const vm = vmOf(n, 0, []);
        await store.put(`${PREFIX}vm/${vm.id}`, recordOf(vm));
      }
      const ending = new AbortController();
      const agent = new Agent({ name: 'here', host, store, nft });
      const end = agent.run(ending.signal);
      end.catch(() => {});
      const isSo = async (what: string, check: () => boolean | Promise<boolean>) => {
        for (const limit = Date.now() + 60_000; !(await check()); await pause(5))
          assert.ok(Date.now() < limit, `${what}: ${JSON.stringify(agent.state)}`);
      };
      try {
        await isSo('rules', () => agent.state.vms === 1000);
        const { hash } = agent.state;
        await using listener = nft.monitor({ table: TABLE, signal: ending.signal });
        run('nft', ['flush', 'ruleset']);
        const commits: string[] = [''];
        for await (const event of listener) {
          assert.ok(!event.overrun);
          if (!event.own && !event.partial) continue;
          commits[commits.length - 1] += JSON.stringify(event.changes, (_, value) =>
            typeof value === 'bigint' ? String(value) : value,
          );
          if (!event.partial && commits.push('') === 3) break;
        }
        const [closed = '', open = ''] = commits;
        assert.match(closed, /"chain":"forward"/);
        assert.doesNotMatch(closed, /02:00:00/);
        assert.equal(new Set(open.match(/02:00:00:00:[\da-f:]{5}/g)).size, 1000);
        await isSo('healed', () => agent.state.healed === 1 && agent.state.hash === hash);
      } finally {
        ending.abort();
        await end;
      }
    }),
  );
});
