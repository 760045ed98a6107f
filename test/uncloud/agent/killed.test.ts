import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { watch } from 'node:fs';
import { mkdir, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { connect } from '../../../src/index.ts';
import { readSnapshot } from '../../../src/uncloud/agent/snapshot.ts';
import {
  completed,
  DirectoryStore,
  factsOf,
  parseHost,
  parsePolicy,
  planOf,
  render,
  TABLE,
} from '../../../src/uncloud/index.ts';
import { Prober } from '../../simulation/prober.ts';
import { bundle } from '../../simulation/program.ts';
import { Random } from '../../simulation/random.ts';
import { BRIDGE, datagram, hostileFrames, PREFIX, recordOf, vmOf, WEB } from '../../simulation/vm.ts';
import { PacketSocket } from '../../support/frames/packet-socket.ts';
import { Rig } from '../../support/frames/rig.ts';
import { requires } from '../../support/requirements.ts';

/** How many agents are killed; and the moments, by their seed. */
const KILLS = Number(process.env.NFTJS_KILLS ?? 12);
const SEED = Number(process.env.NFTJS_SEED ?? 1);

const description = { bridges: { [BRIDGE]: { uplinks: ['up0'] } }, sets: 'named' };
const host = parseHost(description);
const [attacker, web] = [vmOf(1, 0, [], true), vmOf(2, 0, [WEB], true)];
/** VMs of other hosts: enough that rules and snapshots are not written in an instant. */
const others = Array.from({ length: 300 }, (_, i) => vmOf(10 + i, 1, i % 3 === 0 ? [WEB] : []));
const rule = { direction: 'in', action: 'accept', protocol: 'udp', ports: ['5001'] };

async function gone(child: ChildProcess): Promise<void> {
  child.kill('SIGKILL');
  if (child.exitCode === null && child.signalCode === null)
    await new Promise((resolve) => child.once('exit', resolve));
}

/** Whether a frame that the attacker may send arrives at the web server. */
function passes(netns: string, frame: Buffer): boolean {
  using card = new PacketSocket(netns, web.ifname);
  using other = new PacketSocket(netns, attacker.ifname, 'send');
  other.send(frame);
  for (let seen = card.receive(2000); seen; seen = card.receive(2000)) if (seen.equals(frame)) return true;
  return false;
}

suite('an agent that is killed', requires('root', 'netns', 'ip', 'bridge', 'veth'), () => {
  test('leaves no port open, no rule lost and no snapshot torn, whatever it was about', {
    timeout: 120_000 + KILLS * 20_000,
  }, async () => {
    const home = await mkdtemp(join(tmpdir(), 'nftjs-killed-'));
    const random = new Random(SEED);
    using program = await bundle();
    using rig = await Rig.build({ [BRIDGE]: { ports: [attacker.ifname, web.ifname, 'up0'] } });
    const master = (name?: string) =>
      rig.run(
        'ip',
        ['-batch', '-'],
        [attacker, web]
          .map(({ ifname }) => `link set ${ifname} ${name === undefined ? 'nomaster' : `master ${name}`}\n`)
          .join(''),
      );
    await using nft = connect({ netns: rig.netns });
    await using prober = new Prober(500, 0);
    let child: ChildProcess | undefined;
    const [directory, away, states] = ['store', 'away', 'states'].map((name) => join(home, name)) as [
      string,
      string,
      string,
    ];
    const state = join(states, 'state');
    try {
      await mkdir(directory);
      await mkdir(states);
      await writeFile(join(home, 'host.json'), JSON.stringify(description));
      await using store = new DirectoryStore(directory);
      await store.put(`${PREFIX}group/${WEB}`, JSON.stringify({ rules: [rule] }));
      for (const vm of [attacker, web, ...others]) await store.put(`${PREFIX}vm/${vm.id}`, recordOf(vm));

      const start = () => {
        const args = ['uncloud', 'agent', '--host', join(home, 'host.json'), '--name', 'here'];
        const where = ['--netns', rig.netns, '--store', `dir:${directory}`, '--state', state];
        child = spawn('setpriv', ['--pdeathsig', 'KILL', process.execPath, program.main, ...args, ...where], {
          stdio: 'ignore',
        });
        return child;
      };
      const listing = async () =>
        JSON.stringify(await nft.list({ family: 'bridge', table: TABLE }).catch(() => ''));
      /** The rules of both VMs are there. */
      const isGuarded = async () => {
        const text = await listing();
        return [attacker, web].every(({ mac, ifname }) => text.includes(mac) && text.includes(`"${ifname}"`));
      };
      const until = async (what: string, isSo: () => Promise<boolean>) => {
        for (const limit = Date.now() + 30_000; !(await isSo()); await pause(20))
          assert.ok(Date.now() < limit, `not within 30 s: ${what}`);
      };
      const change = () => {
        const vm = random.pick(others);
        vm.extra = [`100.64.${random.between(0, 255)}.${random.between(0, 255)}`];
        return store.put(`${PREFIX}vm/${vm.id}`, recordOf(vm));
      };

      master();
      start();
      await until('rules', isGuarded);
      // Until then nobody was guarded. From now on the ports are never out of the rules' sight.
      for (const vm of [attacker, web])
        await prober.add(vm.ifname, rig.outside, 0, hostileFrames(vm, vm === web ? attacker : web, web));
      master(BRIDGE);
      await until('a snapshot', async () => (await readSnapshot(state)) !== undefined);

      const moments = { starting: 0, changing: 0, snapshot: 0, booting: 0 };
      for (let kill = 0; kill < KILLS; kill++) {
        const moment = (['changing', 'snapshot', 'starting', 'booting'] as const)[
          kill % 4
        ] as keyof typeof moments;
        moments[moment]++;
        const at = `kill ${kill} while ${moment}, seed ${SEED}`;
        await gone(child as ChildProcess);
        if (moment === 'booting') {
          // Nothing is left but the snapshot: the ports come back when there are rules about them.
          master();
          rig.run('nft', ['flush', 'ruleset']);
          await rename(directory, away);
          start();
          await until(`${at}: the snapshot in force`, isGuarded);
          master(BRIDGE);
          await gone(child as ChildProcess);
          await rename(away, directory);
        } else if (moment === 'starting') {
          start();
          await Promise.all([change(), pause(random.between(0, 800))]);
        } else if (moment === 'changing') {
          start();
          await pause(random.between(400, 900));
          await Promise.all([change(), change(), pause(random.between(0, 80))]);
        } else {
          await change();
          const watching = new AbortController();
          const writes = new Promise<void>((resolve) => {
            watch(states, { signal: watching.signal, persistent: false }, () => resolve());
          });
          start();
          await Promise.race([writes, pause(10_000, undefined, { ref: false })]);
          await pause(random.between(0, 3));
          watching.abort();
        }
        await gone(child as ChildProcess);
        assert.ok(await isGuarded(), `${at}: rules are lost`);
        const snapshot = await readSnapshot(state);
        assert.ok(snapshot, `${at}: no snapshot`);
        for (const { id } of [attacker, web])
          assert.ok(
            snapshot.entries.some(({ key }) => key === `${PREFIX}vm/${id}`),
            `${at}: the snapshot has no ${id}`,
          );
        assert.ok(passes(rig.outside, datagram(attacker, web)), `${at}: a legitimate frame does not arrive`);
      }

      start();
      await until('all as the store says', async () => {
        const facts = await factsOf(nft);
        const { entries } = await store.list(PREFIX);
        const record = (kind: string) =>
          Object.fromEntries(
            entries.flatMap(({ key, value }) =>
              key.startsWith(`${PREFIX}${kind}/`) ? [[key.split('/').at(-1), JSON.parse(value)]] : [],
            ),
          );
        const described = completed(host, facts);
        const value = { vms: record('vm'), groups: record('group') };
        const { policy, blocked } = parsePolicy(value, { host: described });
        const { transaction } = await planOf(nft, render({ host: described, policy, blocked, facts }));
        return transaction.nftables.length === 0;
      });
      const { hostileSent, leaks } = await prober.report();
      if (process.env.NFTJS_TALLY) console.log({ moments, hostileSent, leaks: leaks.length });
      assert.deepEqual(leaks, []);
      assert.ok(hostileSent > 0);
      assert.ok((await readdir(states)).length <= 2, `left beside the snapshot: ${await readdir(states)}`);
    } finally {
      if (child) await gone(child);
      await rm(home, { recursive: true });
    }
  });
});
