import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import type { Connection } from '../../../src/index.ts';
import { OwnCommits } from '../../../src/uncloud/agent/own-commits.ts';
import { Agent, MemoryStore, parseHost } from '../../../src/uncloud/index.ts';
import { PREFIX, recordOf, vmOf } from '../../simulation/vm.ts';
import { withKernel } from '../../support/kernel.ts';
import { requires } from '../../support/requirements.ts';

suite('commits of one’s own', () => {
  const committing = async (...generations: number[]) => {
    const left = [...generations];
    let current = 0x10000;
    const commit = async () => {
      current = left.shift() as number;
      return { generation: current };
    };
    const generation = async () => current;
    const own = new OwnCommits({ commit, generation, snapshot: () => assert.fail() } as never);
    for (const _ of generations) await own.commit([]);
    return own;
  };

  test('are all that happened, or are not', async () => {
    const own = await committing(5, 6, 8);
    assert.equal(own.areAll(4, 6), true);
    assert.equal(own.areAll(4, 4), true, 'nothing happened');
    assert.equal(own.areAll(3, 6), false, 'somebody else’s before');
    assert.equal(own.areAll(4, 8), false, 'somebody else’s between');
    assert.equal(own.areAll(4, 7), false, 'somebody else’s after');
    assert.equal(own.areAll(8, 4), false, 'no generation goes backwards');
    own.forget(6);
    assert.equal(own.areAll(4, 6), false);
    assert.equal(own.areAll(7, 8), true);
  });

  test('are none where they change nothing: the generation is that of somebody else', async () => {
    const own = await committing(5);
    const commit = async () => ({ generation: 7 });
    const idle = new OwnCommits({
      commit,
      generation: async () => 7,
      snapshot: () => assert.fail(),
    } as never);
    await idle.commit([]);
    assert.equal(idle.areAll(6, 7), false);
    assert.equal(own.areAll(4, 5), true);
  });

  test('go on where generations begin anew', async () => {
    const own = await committing(0xffffffff, 0, 1);
    assert.equal(own.areAll(0xfffffffe, 1), true);
    own.forget(0);
    assert.equal(own.areAll(0, 1), true);
    assert.equal(own.areAll(0xffffffff, 1), false);
  });
});

/** The connection, with a listener that loses what is more than a few lines. */
const forgetful = (nft: Connection): Connection =>
  new Proxy(nft, {
    get(target, name) {
      if (name === 'monitor') return (options: object) => target.monitor({ ...options, receiveBuffer: 1024 });
      const value = Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });

test(
  'what an agent missed is compared where somebody else may have done it',
  requires('root', 'netns', 'nft'),
  () =>
    withKernel(async ({ nft, run }) => {
      await using store = new MemoryStore();
      const host = parseHost({ bridges: { br0: { uplinks: ['up0'] } }, sets: 'named' });
      for (let n = 1; n <= 50; n++) await store.put(`${PREFIX}vm/${n}`, recordOf(vmOf(n, 0, [])));
      const log: string[] = [];
      const ending = new AbortController();
      const agent = new Agent({
        ...{ name: 'here', host, store, nft: forgetful(nft), coalesce: 1 },
        log: (_, message) => log.push(message),
      });
      const end = agent.run(ending.signal);
      end.catch(() => {});
      const until = async (isSo: () => boolean) => {
        for (const limit = Date.now() + 20_000; !isSo(); await pause(5))
          assert.ok(Date.now() < limit, JSON.stringify([agent.state, log]));
      };
      try {
        await until(() => agent.state.vms === 50);
        await pause(300);
        assert.deepEqual(
          log.filter((line) => line !== 'in force'),
          [],
        );
        assert.equal(agent.state.healed, 0);
        run('nft', ['flush', 'ruleset']);
        await until(() => agent.state.healed === 1);
        assert.ok(log.includes('changes of the ruleset were missed'));
        assert.ok(run('nft', ['list', 'ruleset']).includes('table bridge uncloud'));
      } finally {
        ending.abort();
        await end;
      }
    }),
);
