import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { type Connection, diff, formatRuleset } from '../../../src/index.ts';
import {
  Agent,
  type AgentOptions,
  apply,
  factsOf,
  LeftOutError,
  MemoryStore,
  parseHost,
  parsePolicy,
  StoreError,
  TABLE,
  waitForVm,
} from '../../../src/uncloud/index.ts';
import { type Kernel, withKernel } from '../../support/kernel.ts';
import { requires } from '../../support/requirements.ts';

const PREFIX = 'distributed-firewall/';
const host = parseHost({ bridges: { br0: { uplinks: ['up0'] } }, sets: 'named' });

const vm = (n: number, address = `192.0.2.${n}/32`) =>
  JSON.stringify({
    nics: [
      {
        ifname: `v${n}`,
        bridge: 'br0',
        mac: `02:00:00:00:00:${n.toString(16).padStart(2, '0')}`,
        ipv4: [address],
      },
    ],
  });

interface Running {
  readonly agent: Agent;
  readonly log: readonly string[];
  /** Waits until it is so. */
  until(isSo: () => boolean | Promise<boolean>, milliseconds?: number): Promise<void>;
  stop(): Promise<void>;
}

function start(store: MemoryStore, nft: Connection, more: Partial<AgentOptions> = {}): Running {
  const controller = new AbortController();
  const log: string[] = [];
  const agent = new Agent({
    name: 'here',
    host,
    store,
    nft,
    coalesce: 2,
    backoff: { first: 5, most: 20 },
    log: (level, message) => log.push(`${level}: ${message}`),
    ...more,
  });
  let failure: unknown;
  const end = agent.run(controller.signal).catch((error) => {
    failure = error ?? new Error('nothing');
  });
  return {
    agent,
    log,
    async until(isSo, milliseconds = 5000) {
      for (const limit = Date.now() + milliseconds; !(await isSo()); await pause(3)) {
        if (failure !== undefined) throw failure;
        assert.ok(Date.now() < limit, `not within ${milliseconds} ms: ${JSON.stringify([agent.state, log])}`);
      }
    },
    async stop() {
      controller.abort(new Error('enough'));
      await end;
      if (failure !== undefined) throw failure;
    },
  };
}

/** With a store, a kernel, and an agent between them, which is stopped in the end. */
async function withAgent(
  work: (its: Running & { store: MemoryStore; kernel: Kernel; tables(): Promise<string> }) => Promise<void>,
  { prepare, ...options }: Partial<AgentOptions> & { prepare?: (store: MemoryStore) => Promise<void> } = {},
): Promise<void> {
  await withKernel(async (kernel) => {
    await using store = new MemoryStore();
    await prepare?.(store);
    const running = start(store, kernel.nft, options);
    try {
      await work({ ...running, store, kernel, tables: () => tablesOf(kernel.nft) });
    } finally {
      await running.stop();
    }
  });
}

async function tablesOf(nft: Connection): Promise<string> {
  return formatRuleset(await nft.list());
}

const has = (text: string, ...parts: string[]) => parts.every((part) => text.includes(part));

suite('an agent', requires('root', 'netns'), () => {
  test('puts in force what the store has, and what changes in it', () =>
    withAgent(
      async ({ agent, store, until, tables }) => {
        await until(async () => has(await tables(), '192.0.2.1', '192.0.2.2'));
        await store.put(`${PREFIX}vm/3`, vm(3));
        await store.delete(`${PREFIX}vm/1`);
        await until(async () => has(await tables(), '192.0.2.3') && !has(await tables(), '192.0.2.1'));
        const { revision } = (await store.get(`${PREFIX}vm/3`)) ?? assert.fail();
        await until(() => agent.state.revision >= revision);
        assert.equal(agent.state.vms, 2);
      },
      {
        async prepare(store) {
          await store.put(`${PREFIX}vm/1`, vm(1));
          await store.put(`${PREFIX}vm/2`, vm(2));
        },
      },
    ));

  test('denies at first, whatever the store does', () =>
    withAgent(
      async ({ agent, store, until, tables }) => {
        await until(async () => has(await tables(), `table bridge ${TABLE}`, 'policy drop'));
        await until(() => agent.state.staleSince !== undefined);
        assert.equal(agent.state.vms, 0);
        store.faults.mend();
        await store.put(`${PREFIX}vm/1`, vm(1));
        await until(async () => has(await tables(), '192.0.2.1'));
        await until(() => agent.state.staleSince === undefined);
      },
      { prepare: async (store) => store.faults.fail() },
    ));

  test('keeps the rules while the store is away, and when it ends', async () => {
    await withKernel(async ({ nft }) => {
      await using store = new MemoryStore();
      await store.put(`${PREFIX}vm/1`, vm(1));
      const agent = start(store, nft);
      await agent.until(async () => has(await tablesOf(nft), '192.0.2.1'));
      const before = await tablesOf(nft);
      store.faults.fail();
      await agent.until(() => agent.agent.state.staleSince !== undefined);
      await pause(50);
      await agent.stop();
      assert.equal(await tablesOf(nft), before);
    });
  });

  test('a bad record leaves the VM with its last good rules, over a restart as well', async () => {
    const home = await mkdtemp(join(tmpdir(), 'nftjs-agent-'));
    try {
      const snapshot = join(home, 'state');
      await withKernel(async ({ nft, run }) => {
        await using store = new MemoryStore();
        for (const n of [1, 2]) await store.put(`${PREFIX}vm/${n}`, vm(n));
        const first = start(store, nft, { snapshot });
        await first.until(async () => has(await tablesOf(nft), '192.0.2.1', '192.0.2.2'));
        await store.put(`${PREFIX}vm/1`, '{"nics": [');
        await store.put(`${PREFIX}vm/2`, vm(2, '192.0.2.22/32'));
        await first.until(async () => has(await tablesOf(nft), '192.0.2.1', '192.0.2.22'));
        assert.deepEqual(
          first.agent.state.leftOut.map(({ key }) => key),
          [`${PREFIX}vm/1`],
        );
        await first.stop();
        run('nft', ['flush', 'ruleset']);

        store.faults.fail();
        const second = start(store, nft, { snapshot });
        await second.until(async () => has(await tablesOf(nft), '192.0.2.1', '192.0.2.22'));
        store.faults.mend();
        await second.until(() => second.agent.state.leftOut.length === 1);
        assert.ok(has(await tablesOf(nft), '192.0.2.1', '192.0.2.22'));
        await second.stop();

        await writeFile(snapshot, 'torn');
        run('nft', ['flush', 'ruleset']);
        const third = start(store, nft, { snapshot });
        await third.until(async () => has(await tablesOf(nft), '192.0.2.22'));
        assert.ok(third.log.includes('error: snapshot refused'));
        await third.stop();
      });
    } finally {
      await rm(home, { recursive: true });
    }
  });

  test('after any changes the rules are those that the last state alone gives', () =>
    withAgent(async ({ agent, store, kernel, until }) => {
      let seed = 1;
      const random = (most: number) => {
        seed = (seed * 48_271) % 0x7fffffff;
        return seed % most;
      };
      const group = (port: number) =>
        JSON.stringify({
          rules: [{ direction: 'in', action: 'accept', protocol: 'tcp', ports: [String(port)] }],
        });
      await store.put(`${PREFIX}group/g`, group(80));
      for (let i = 0; i < 150; i++) {
        const n = 1 + random(12);
        const key = `${PREFIX}vm/${n}`;
        const what = random(10);
        if (what < 2) await store.delete(key);
        else if (what === 2) await store.put(key, '{"nics": 1}');
        else if (what === 3) await store.put(`${PREFIX}group/g`, group(80 + random(3)));
        else if (what === 4) {
          const record = JSON.parse(vm(n));
          await store.put(key, JSON.stringify({ nics: [{ ...record.nics[0], groups: ['g'] }] }));
        } else await store.put(key, vm(n, `192.0.2.${n + 12 * random(5)}/32`));
        if (random(3) === 0) await pause(random(40));
      }
      // A bad record leaves what was before it: let none be the last word.
      for (const { key, value } of (await store.list(`${PREFIX}vm/`)).entries)
        if (value === '{"nics": 1}') await store.put(key, vm(Number(key.split('/').at(-1))));
      const last = (await store.list(`${PREFIX}vm/`)).entries;
      const revision = Math.max(...last.map((entry) => entry.revision));
      await until(() => agent.state.revision >= revision);
      await pause(100);
      const { policy, blocked } = parsePolicy(
        {
          vms: Object.fromEntries(
            last.map(({ key, value }) => [key.slice(`${PREFIX}vm/`.length), JSON.parse(value)]),
          ),
          groups: { g: JSON.parse((await store.get(`${PREFIX}group/g`))?.value ?? '') },
        },
        { host },
      );
      const { changed, transaction } = await apply(kernel.nft, {
        host,
        policy,
        blocked,
        facts: await factsOf(kernel.nft),
      });
      assert.equal(changed, false, JSON.stringify(transaction.nftables));
      assert.ok(agent.state.transactions > 3, String(agent.state.transactions));
    }));

  test('an address that an older VM claims stays with it', () =>
    withAgent(async ({ agent, store, until }) => {
      await store.put(`${PREFIX}vm/z-older`, vm(1));
      await until(() => agent.state.vms === 1);
      await store.put(`${PREFIX}vm/a-newer`, vm(2, '192.0.2.1/32'));
      await until(() => agent.state.leftOut.length === 1);
      assert.equal(agent.state.leftOut[0]?.key, `${PREFIX}vm/a-newer`);
    }));

  test('puts back what somebody flushed or changed, and leaves others alone', () =>
    withAgent(async ({ agent, store, kernel, until, tables }) => {
      await store.put(`${PREFIX}vm/1`, vm(1));
      await until(async () => has(await tables(), '192.0.2.1'));
      await until(() => agent.state.vms === 1);
      const ours = () => kernel.nft.list({ family: 'bridge', table: TABLE });
      const before = await ours();
      const isBack = async () => diff(await ours(), before).nftables.length === 0;
      const spoil = [
        'flush ruleset',
        `delete table bridge ${TABLE}`,
        `flush chain bridge ${TABLE} prerouting`,
      ];
      for (const command of spoil) {
        kernel.load(`${command}\n`);
        await until(() => isBack().catch(() => false));
      }
      assert.equal(agent.state.healed, spoil.length);
      kernel.load('table inet mine {\n chain c {\n type filter hook input priority 0; policy drop;\n }\n}\n');
      const { transactions } = agent.state;
      await pause(100);
      assert.equal(agent.state.transactions, transactions);
      assert.ok(has(await tables(), 'table inet mine'));
    }));

  test('sends nothing when it starts on what is in force already', () =>
    withKernel(async ({ nft }) => {
      await using store = new MemoryStore();
      await store.put(`${PREFIX}vm/1`, vm(1));
      const first = start(store, nft);
      await first.until(() => first.agent.state.vms === 1);
      await first.stop();
      const generation = await nft.generation();
      const second = start(store, nft);
      await second.until(() => second.agent.state.vms === 1);
      second.agent.resync();
      await second.until(
        () => second.log.filter((line) => line === 'info: reading everything again').length === 4,
      );
      await pause(50);
      assert.deepEqual([second.agent.state.transactions, await nft.generation()], [0, generation]);
      await second.stop();
    }));

  test('waits for a word before many VMs go at once', () =>
    withAgent(async ({ agent, store, until, tables }) => {
      for (let n = 1; n <= 40; n++) await store.put(`${PREFIX}vm/${n}`, vm(n));
      await until(() => agent.state.vms === 40);
      store.faults.replace();
      await store.put(`${PREFIX}vm/41`, vm(41));
      await until(() => agent.state.vms === 41);
      assert.equal(agent.state.held?.keys.length, 40);
      assert.ok(has(await tables(), '192.0.2.7'));
      agent.confirm();
      await until(() => agent.state.vms === 1);
      assert.ok(!has(await tables(), '192.0.2.7'));
    }));

  test('closes a port that appears and that no VM lists', () =>
    withAgent(async ({ kernel, until, tables }) => {
      await until(async () => has(await tables(), 'policy drop'));
      kernel.run('ip', ['link', 'add', 'br0', 'type', 'bridge']);
      kernel.run('ip', ['link', 'add', 'stranger', 'type', 'veth', 'peer', 'name', 'beyond']);
      assert.ok(!has(await tables(), 'stranger'));
      kernel.run('ip', ['link', 'set', 'stranger', 'master', 'br0']);
      await until(async () => has(await tables(), 'stranger'));
    }));

  test('says what it has come to, for a while longer than it lives, and others can wait for it', async () => {
    await withKernel(async ({ nft }) => {
      await using store = new MemoryStore();
      const waiting = (id: string) => waitForVm(store, PREFIX, 'here', id, AbortSignal.timeout(5000));
      await store.put(`${PREFIX}vm/1`, vm(1));
      const early = waiting('1');
      const agent = start(store, nft, { lease: 1000 });
      const { revision } = await early;
      assert.ok(revision >= ((await store.get(`${PREFIX}vm/1`))?.revision ?? Number.NaN));
      assert.ok(has(await tablesOf(nft), '192.0.2.1'), 'what it says is in force');
      await store.put(`${PREFIX}vm/2`, vm(2, '192.0.2.1/32'));
      await assert.rejects(waiting('2'), LeftOutError);
      await assert.rejects(waiting('3'), (error) => error instanceof StoreError && error.code === 'invalid');
      await pause(1500);
      assert.ok(await store.get(`${PREFIX}host/here/status`), 'renewed');
      await agent.stop();
      await pause(1100);
      assert.equal(await store.get(`${PREFIX}host/here/status`), undefined);
    });
  });
});
