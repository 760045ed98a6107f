import assert from 'node:assert/strict';
import { watch } from 'node:fs';
import { readdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { readSnapshot } from '../../../src/uncloud/agent/snapshot.ts';
import { completed, factsOf, parseHost, parsePolicy, planOf, render } from '../../../src/uncloud/index.ts';
import { Random } from '../../simulation/random.ts';
import { datagram, PREFIX, recordOf, vmOf, WEB } from '../../simulation/vm.ts';
import { requires } from '../../support/requirements.ts';
import { attacker, description, Stage, web } from './stage.ts';

/** How many agents are killed; and the moments, by their seed. */
const KILLS = Number(process.env.NFTJS_KILLS ?? 12);
const SEED = Number(process.env.NFTJS_SEED ?? 1);

/** VMs of other hosts: enough that rules and snapshots are not written in an instant. */
const others = Array.from({ length: 300 }, (_, i) => vmOf(10 + i, 1, i % 3 === 0 ? [WEB] : []));

/** Brings about what an agent is killed in the middle of. */
type Moment = (stage: Stage, random: Random) => Promise<unknown>;

function change({ store }: Stage, random: Random): Promise<number> {
  const vm = random.pick(others);
  vm.extra = [`100.64.${random.between(0, 255)}.${random.between(0, 255)}`];
  return store.put(`${PREFIX}vm/${vm.id}`, recordOf(vm));
}

const moments: Readonly<Record<string, Moment>> = {
  changing: async (stage, random) => {
    stage.start();
    await pause(random.between(400, 900));
    await Promise.all([change(stage, random), change(stage, random), pause(random.between(0, 80))]);
  },
  'writing the snapshot': async (stage, random) => {
    await change(stage, random);
    const watching = new AbortController();
    const writes = new Promise<void>((resolve) => {
      watch(stage.states, { signal: watching.signal, persistent: false }, () => resolve());
    });
    stage.start();
    await Promise.race([writes, pause(10_000, undefined, { ref: false })]);
    await pause(random.between(0, 3));
    watching.abort();
  },
  starting: async (stage, random) => {
    stage.start();
    await Promise.all([change(stage, random), pause(random.between(0, 800))]);
  },
  /** Nothing is left but the snapshot: the ports come back when there are rules about them. */
  booting: async (stage) => {
    const away = join(stage.home, 'away');
    stage.unplug();
    stage.rig.run('nft', ['flush', 'ruleset']);
    await rename(stage.directory, away);
    stage.start();
    await stage.until('the snapshot in force', () => stage.isGuarded());
    await stage.plug();
    await stage.kill();
    await rename(away, stage.directory);
  },
};

/** What would have to be sent to make the kernel what the store says. */
async function missing({ nft, store }: Stage): Promise<unknown> {
  const facts = await factsOf(nft);
  const host = completed(parseHost(description), facts);
  const { entries } = await store.list(PREFIX);
  const records = (kind: string) =>
    Object.fromEntries(
      entries.flatMap(({ key, value }) =>
        key.startsWith(`${PREFIX}${kind}/`) ? [[key.split('/').at(-1), JSON.parse(value)]] : [],
      ),
    );
  const { policy, blocked } = parsePolicy({ vms: records('vm'), groups: records('group') }, { host });
  const { transaction } = await planOf(nft, render({ host, policy, blocked, facts }));
  return transaction.nftables[0];
}

suite('an agent that is killed', requires('root', 'netns', 'nft', 'ip', 'bridge', 'veth'), () => {
  test('leaves no port open, no rule lost and no snapshot torn, whatever it was about', {
    timeout: 180_000 + KILLS * 20_000,
  }, async () => {
    const random = new Random(SEED);
    await using stage = await Stage.build(500);
    for (const vm of others) await stage.store.put(`${PREFIX}vm/${vm.id}`, recordOf(vm));
    stage.start();
    await stage.until('rules', () => stage.isGuarded());
    // Until then nobody was guarded. From now on the ports are never out of the rules' sight.
    await stage.plug();
    await stage.until('a snapshot', async () => (await readSnapshot(stage.state)) !== undefined);

    const names = Object.keys(moments);
    for (let kill = 0; kill < KILLS; kill++) {
      const name = names[kill % names.length] as string;
      const at = `kill ${kill} while ${name}, seed ${SEED}`;
      await stage.kill();
      await moments[name]?.(stage, random).catch((error) => {
        throw new Error(`${at}: ${stage.log}`, { cause: error });
      });
      await stage.kill();
      assert.ok(await stage.isGuarded(), `${at}: rules are lost`);
      const snapshot = await readSnapshot(stage.state);
      assert.ok(snapshot, `${at}: no snapshot`);
      for (const { id } of [attacker, web]) {
        const isKept = snapshot.entries.some(({ key }) => key === `${PREFIX}vm/${id}`);
        assert.ok(isKept, `${at}: the snapshot has no ${id}`);
      }
      assert.ok(stage.passes(datagram(attacker, web)), `${at}: a legitimate frame does not arrive`);
    }

    stage.start();
    await stage.until('all as the store says', async () => (await missing(stage)) === undefined);
    const { hostileSent, leaks } = await stage.prober.report();
    if (process.env.NFTJS_TALLY) console.log({ kills: KILLS, hostileSent, passed: leaks.length });
    assert.deepEqual(leaks, []);
    assert.ok(hostileSent > 0);
    // What a killed one was writing is gone when the next has written.
    const left = await readdir(stage.states);
    assert.ok(left.length <= 2, `beside the snapshot: ${left}`);
  });
});
