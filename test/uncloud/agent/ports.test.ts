import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import {
  Agent,
  completed,
  factsOf,
  MemoryStore,
  parseHost,
  parsePolicy,
  planOf,
  render,
} from '../../../src/uncloud/index.ts';
import { withKernel } from '../../support/kernel.ts';
import { requires } from '../../support/requirements.ts';

const PREFIX = 'distributed-firewall/';
const record = (n: number) => ({
  nics: [{ ifname: `v${n}`, bridge: 'br0', mac: `02:00:00:00:00:0${n}`, ipv4: [`192.0.2.${n}/32`] }],
});

const plug = (name: string) => [
  `link add ${name} type veth peer name far-${name}`,
  `link set ${name} master br0 up`,
];

/** What happens to ports, step by step: each is one batch of iproute2. */
const steps: readonly (readonly [string, readonly string[]])[] = [
  ['one comes', plug('v1')],
  ['another one comes', plug('v2')],
  ['one goes', ['link del v1']],
  ['it comes back', plug('v1')],
  ['it is replaced by one of its name', ['link del v1', ...plug('v1')]],
  ['both are', ['link del v1', 'link del v2', ...plug('v2'), ...plug('v1')]],
  ['a stranger comes', plug('stranger')],
  [
    'a stranger and a port swap names',
    ['link set stranger down name x', 'link set v2 down name stranger', 'link set x name v2 up'],
  ],
  ['a port leaves the bridge', ['link set v1 nomaster']],
  ['it is back there', ['link set v1 master br0']],
  ['the bridge gets another MAC', ['link set br0 address 02:00:00:00:0b:0b']],
  ['all go', ['link del v1', 'link del v2', 'link del stranger']],
];

suite('an agent whose ports come and go', requires('root', 'netns', 'ip', 'bridge', 'veth'), () => {
  for (const backend of ['bridge', 'netdev'] as const) {
    test(`has them all as the records say, without a failure: backend ${backend}`, () =>
      withKernel(async ({ nft, run }) => {
        await using store = new MemoryStore();
        const described = { bridges: { br0: { uplinks: ['up0'], backend } }, sets: 'named' };
        const value = { vms: { 1: record(1), 2: record(2) } };
        for (const [id, vm] of Object.entries(value.vms))
          await store.put(`${PREFIX}vm/${id}`, JSON.stringify(vm));
        run('ip', ['-batch', '-'], 'link add br0 type bridge\nlink set br0 up\n');
        const ending = new AbortController();
        const failures: string[] = [];
        const agent = new Agent({
          ...{ name: 'here', host: parseHost(described), store, nft, coalesce: 5 },
          log: (level, message, fields) => {
            if (message === 'not in force') failures.push(`${level} ${JSON.stringify(fields)}`);
          },
        });
        const end = agent.run(ending.signal);
        end.catch(() => {});
        /** What would have to be sent to make the kernel what the records say. */
        const difference = async () => {
          const facts = await factsOf(nft);
          const host = completed(parseHost(described), facts);
          const { policy, blocked } = parsePolicy(value, { host });
          return (await planOf(nft, render({ host, policy, blocked, facts }))).transaction.nftables;
        };
        const settled = async (what: string) => {
          let rest = await difference();
          for (const limit = Date.now() + 20_000; rest.length > 0; rest = await difference()) {
            assert.ok(Date.now() < limit, `${what}: ${JSON.stringify([rest, failures])}`);
            await pause(20);
          }
        };
        try {
          await settled('the beginning');
          for (const [what, lines] of steps) {
            run('ip', ['-batch', '-'], `${lines.join('\n')}\n`);
            await settled(what);
          }
          assert.deepEqual(failures, []);
        } finally {
          ending.abort();
          await end;
        }
      }));
  }
});
