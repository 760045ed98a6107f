import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import type { Connection } from '../../../src/index.ts';
import {
  Agent,
  type AgentOptions,
  MemoryStore,
  metricsText,
  parseHost,
  ROUTE_PROTOCOL,
  type Status,
  statusKey,
  TABLE,
  teardownRoutes,
} from '../../../src/uncloud/index.ts';
import { type Kernel, withKernel } from '../../support/kernel.ts';
import { requires } from '../../support/requirements.ts';

const PREFIX = 'distributed-firewall/';
const host = parseHost({ bridges: { br0: { uplinks: ['up0'] } }, sets: 'named' });
const record = (n: number, more: object = {}) =>
  JSON.stringify({
    nics: [
      {
        ifname: `v${n}`,
        bridge: 'br0',
        mac: `02:00:00:00:00:0${n}`,
        ipv4: [`192.0.2.${n}/32`, `10.${n}.0.0/16`],
        ipv6: [`2001:db8:${n}::/48`],
        ...more,
      },
    ],
  });

interface Scene extends Kernel {
  readonly agent: Agent;
  readonly store: MemoryStore;
  readonly log: readonly string[];
  ip(command: string): void;
  /** What iproute2 shows of our routes. */
  routes(): string[];
  until(isSo: () => boolean | Promise<boolean>, milliseconds?: number): Promise<void>;
}

/** An agent that routes for two VMs on a bridge. */
function withAgent(
  work: (scene: Scene) => Promise<void>,
  {
    nft: other,
    ...more
  }: { nft?: (nft: Connection) => Connection } & Partial<Omit<AgentOptions, 'nft'>> = {},
): Promise<void> {
  return withKernel(async (kernel) => {
    await using store = new MemoryStore();
    const ip = (command: string) => void kernel.run('ip', command.split(' '));
    kernel.run('sysctl', ['-qw', 'net.ipv6.conf.default.addr_gen_mode=1']);
    for (const command of [
      'link set lo up',
      'link add br0 type bridge',
      'link set br0 up',
      ...port(1),
      ...port(2),
    ])
      ip(command);
    for (const n of [1, 2]) await store.put(`${PREFIX}vm/${n}`, record(n));
    const controller = new AbortController();
    const log: string[] = [];
    const agent = new Agent({
      ...{ name: 'here', host, store, nft: other?.(kernel.nft) ?? kernel.nft, coalesce: 2, routes: {} },
      backoff: { first: 5, most: 20 },
      log: (level, message) => log.push(`${level}: ${message}`),
      ...more,
    });
    let failure: unknown;
    const end = agent.run(controller.signal).catch((error) => {
      failure = error;
    });
    const until: Scene['until'] = async (isSo, milliseconds = 20_000) => {
      for (const limit = Date.now() + milliseconds; !(await isSo()); await pause(3)) {
        if (failure !== undefined) throw failure;
        assert.ok(Date.now() < limit, `not in ${milliseconds} ms: ${JSON.stringify([agent.state, log])}`);
      }
    };
    try {
      await work({ ...kernel, agent, store, log, ip, routes: () => routesOf(kernel), until });
    } finally {
      controller.abort(new Error('enough'));
      await end;
    }
    assert.equal(failure, undefined);
  });
}

const port = (n: number) => [
  `link add v${n} type veth peer name g${n}`,
  `link set v${n} master br0 up`,
  `link set g${n} up`,
];

function routesOf({ run }: Kernel): string[] {
  return ['-4', '-6'].flatMap((family) =>
    (
      JSON.parse(run('ip', [family, '-j', '-d', 'route', 'show', 'table', 'all'])) as Record<
        string,
        unknown
      >[]
    )
      .filter(({ protocol }) => protocol === String(ROUTE_PROTOCOL))
      .map(({ type, dst, gateway, dev }) => `${type} ${dst} ${gateway ?? ''} ${dev ?? ''}`.trim()),
  );
}

const routed = (n: number) => [
  `unicast 10.${n}.0.0/16 192.0.2.${n} br0`,
  `unicast 2001:db8:${n}::/48 fe80::ff:fe00:${n} br0`,
];
const same = (a: readonly string[], b: readonly string[]) =>
  JSON.stringify([...a].sort()) === JSON.stringify([...b].sort());
const both = [...routed(1), ...routed(2)];

suite('an agent that routes', requires('root', 'netns', 'ip', 'nft'), () => {
  test('follows records and ports, and tells what it came to', () =>
    withAgent(async ({ agent, store, ip, routes, until }) => {
      await until(() => same(routes(), both));
      await until(() => agent.state.routes?.installed === 4);
      assert.match(metricsText(agent.state), /^nftjs_uncloud_routes 4$/m);
      assert.match(metricsText(agent.state), /^nftjs_uncloud_unrouted_prefixes 0$/m);
      await store.delete(`${PREFIX}vm/1`);
      await until(() => same(routes(), routed(2)));
      ip('link set v2 nomaster');
      await until(() => routes().length === 0);
      ip('link set v2 master br0');
      await until(() => same(routes(), routed(2)));
      ip('link set br0 down');
      await until(() => agent.state.routes?.problems.length === 2);
      ip('link set br0 up');
      await until(() => same(routes(), routed(2)) && agent.state.routes?.problems.length === 0);
      ip('link del br0');
      await until(() => agent.state.routes?.installed === 0);
      for (const command of ['link add br0 type bridge', 'link set br0 up', 'link set v2 master br0'])
        ip(command);
      await until(() => same(routes(), routed(2)));
      const status = async () =>
        JSON.parse((await store.get(statusKey(PREFIX, 'here')))?.value ?? '{}') as Partial<Status>;
      await until(async () => {
        const { routes } = await status();
        return routes?.installed === 2 && routes.problems.length === 0;
      });
    }));

  test('puts back what somebody took away or changed, and leaves alone what is not its own', () =>
    withAgent(async ({ agent, ip, routes, until, log }) => {
      await until(() => same(routes(), both) && agent.state.routes?.installed === 4);
      const healed = async (count: number) => {
        await until(() => same(routes(), both) && agent.state.healed === count);
        assert.equal(agent.state.routes?.problems.length, 0);
      };
      assert.equal(agent.state.healed, 0, 'what it does itself is no change of others');
      ip('route del 10.1.0.0/16');
      await healed(1);
      ip(`route replace 10.1.0.0/16 via 192.0.2.9 dev br0 onlink proto ${ROUTE_PROTOCOL}`);
      await healed(2);
      ip(`route add 10.9.0.0/16 via 192.0.2.9 dev br0 onlink proto ${ROUTE_PROTOCOL} table 1000`);
      await healed(3);
      ip('-6 route flush proto 117');
      await until(() => same(routes(), both) && agent.state.healed > 3);
      await pause(100);
      assert.ok(log.includes('warning: somebody changed routes'));

      const { healed: before } = agent.state;
      ip('route add 10.9.0.0/16 via 192.0.2.9 dev br0 onlink proto static');
      ip('route del 10.9.0.0/16');
      await pause(100);
      assert.equal(agent.state.healed, before);
    }));

  test('a route of others in the place of its own is a problem until it goes', () =>
    withAgent(async ({ agent, ip, routes, run, until }) => {
      await until(() => same(routes(), both) && agent.state.routes?.installed === 4);
      ip('route replace blackhole 10.1.0.0/16 proto static');
      await until(() => agent.state.routes?.problems.length === 1);
      assert.deepEqual(agent.state.routes?.problems, [
        {
          key: `${PREFIX}vm/1`,
          path: '.nics[0].ipv4',
          why: '10.1.0.0/16 is not routed via 192.0.2.1: a blackhole route of protocol static is there, and left alone',
        },
      ]);
      assert.match(run('ip', ['route', 'show', '10.1.0.0/16']), /^blackhole .*proto static/);
      assert.equal(agent.state.error, undefined);
      ip('route del blackhole 10.1.0.0/16');
      await until(() => same(routes(), both) && agent.state.routes?.problems.length === 0);
    }));

  test('leaves routes where they are while it knows nothing, and when it ends', async () => {
    await withAgent(async ({ agent, store, nft, ip, until, routes }) => {
      await until(() => same(routes(), both));
      store.faults.fail();
      await until(() => agent.state.staleSince !== undefined);
      ip('link add other type veth peer name another');
      await pause(100);
      assert.ok(same(routes(), both));
      assert.equal(await teardownRoutes(nft), 4);
      await until(() => same(routes(), both));
    });
    await withKernel(async (kernel) => {
      await using store = new MemoryStore();
      store.faults.fail();
      kernel.run('ip', ['link', 'set', 'lo', 'up']);
      kernel.run('ip', ['route', 'add', 'blackhole', '10.1.0.0/16', 'proto', String(ROUTE_PROTOCOL)]);
      const controller = new AbortController();
      const agent = new Agent({ name: 'here', host, store, nft: kernel.nft, routes: {} });
      const end = agent.run(controller.signal);
      for (let i = 0; i < 400 && agent.state.hash === ''; i++) await pause(5);
      kernel.run('ip', ['link', 'add', 'other', 'type', 'bridge']);
      await pause(100);
      controller.abort();
      await end;
      assert.notEqual(agent.state.hash, '');
      assert.deepEqual(routesOf(kernel), ['blackhole 10.1.0.0/16']);
    });
  });
});

suite('an agent that hears of interfaces', requires('root', 'netns', 'ip', 'nft'), () => {
  const lists = async ({ nft }: Kernel, port: string) =>
    JSON.stringify(await nft.list({ table: TABLE })).includes(`"${port}"`);
  const stranger = (name: string) => [
    `link add ${name} type veth peer name b-${name}`,
    `link set ${name} master br0`,
  ];

  test('closes a strange port at once, and opens its name when it is gone', () =>
    withAgent(async (scene) => {
      const { ip, until, agent } = scene;
      await until(() => agent.state.vms === 2);
      for (const command of stranger('s0')) ip(command);
      await until(() => lists(scene, 's0'));
      ip('link del s0');
      await until(async () => !(await lists(scene, 's0')));
    }));

  test('reads them again after an overrun, and hears on', () => {
    let overruns = 0;
    return withAgent(
      async (scene) => {
        const { ip, run, until, agent } = scene;
        await until(() => agent.state.vms === 2);
        const many = Array.from({ length: 40 }, (_, n) => `link add d${n} type bridge`);
        run('ip', ['-batch', '-'], `${[...many, ...stranger('s1')].join('\n')}\n`);
        await until(() => lists(scene, 's1'));
        assert.ok(overruns > 0);
        for (const command of stranger('s2')) ip(command);
        await until(() => lists(scene, 's2'));
      },
      {
        // The least that a socket may hold; what is told of an interface takes more than half of it.
        nft: (nft) =>
          new Proxy(nft, {
            get(target, name) {
              if (name !== 'monitorInterfaces') {
                const value = Reflect.get(target, name, target);
                return typeof value === 'function' ? value.bind(target) : value;
              }
              return (options: object) => {
                const feed = target.monitorInterfaces({ ...options, receiveBuffer: 1024 });
                const next = feed.next.bind(feed);
                feed.next = async () => {
                  const result = await next();
                  if (!result.done && result.value.overrun) overruns++;
                  return result;
                };
                return feed;
              };
            },
          }),
      },
    );
  });

  test('begins anew where it cannot listen, and misses nothing', () => {
    let failures = 3;
    return withAgent(
      async (scene) => {
        const { agent, ip, until, log } = scene;
        await until(() => failures === 0 && agent.state.vms === 2);
        for (const command of stranger('s3')) ip(command);
        await until(() => lists(scene, 's3'));
        assert.equal(log.filter((line) => line === 'warning: not heard of: interfaces').length, 1);
      },
      {
        nft: (nft) =>
          new Proxy(nft, {
            get(target, name) {
              if (name === 'monitorInterfaces' && failures > 0) {
                failures--;
                throw new Error('no more memory');
              }
              const value = Reflect.get(target, name, target);
              return typeof value === 'function' ? value.bind(target) : value;
            },
          }),
      },
    );
  });
});

suite('an agent whose ports learn', requires('root', 'netns', 'ip'), () => {
  test('says how many do, and what they came to', () =>
    withAgent(async ({ agent, store, ip, run, until }) => {
      await until(() => agent.state.vms === 2);
      assert.equal(agent.state.learning, undefined);
      assert.doesNotMatch(metricsText(agent.state), /learn/);
      await store.put(`${PREFIX}vm/1`, record(1, { ipv4: undefined, ipv6: undefined, learn: 'any' }));
      await until(() => agent.state.learning?.ports === 1);
      ip('link set g1 address 02:00:00:00:00:01');
      ip('address add 192.0.2.2/24 dev g1');
      const figure = (name: string) =>
        Number(new RegExp(`^nftjs_uncloud_${name} (\\d+)$`, 'm').exec(metricsText(agent.state))?.[1]);
      const speaks = () => run('sh', ['-c', 'ping -c 1 -W 0.1 -I g1 192.0.2.99 || :']);
      await until(() => {
        speaks();
        return figure('learning_refused_total') > 0;
      });
      assert.deepEqual([figure('learning_ports'), figure('learnt_addresses')], [1, 0], 'it is another VM’s');
      ip('address del 192.0.2.2/24 dev g1');
      ip('address add 192.0.2.7/24 dev g1');
      await until(() => {
        speaks();
        return figure('learnt_addresses') === 1;
      });
      assert.equal(figure('learning_unbelieved_total'), 0);
      await store.put(`${PREFIX}vm/2`, record(2, { ipv4: undefined, ipv6: undefined, learn: 'dhcp' }));
      await until(async () => {
        const { learning } = JSON.parse(
          (await store.get(statusKey(PREFIX, 'here')))?.value ?? '{}',
        ) as Status;
        return learning?.ports === 2 && learning.addresses === 1;
      });
      for (const n of [1, 2]) await store.put(`${PREFIX}vm/${n}`, record(n));
      await until(() => agent.state.learning === undefined);
    }));
});

suite('an agent that is told to end', requires('root', 'netns'), () => {
  test('ends, whatever it asks of the kernel just then, and does nothing from then on', () =>
    withKernel(async ({ nft }) => {
      let moments = 0;
      for (let isReached = true; isReached; moments++) {
        await nft.commit([{ flush: { ruleset: null } }]);
        await using store = new MemoryStore();
        await store.put(`${PREFIX}vm/1`, record(1));
        const controller = new AbortController();
        const enough = () => controller.abort(new Error('enough'));
        let asked = 0;
        const moment = () => {
          if (asked++ === moments) enough();
        };
        const agent = new Agent({
          ...{ name: 'here', host, store, nft: watched(nft, moment), coalesce: 1, routes: {} },
        });
        const end = agent.run(controller.signal).then(() => 'ended');
        for (let before = -1; !controller.signal.aborted; before = asked) {
          if (agent.state.vms === 1 && asked === before) break;
          await pause(100);
        }
        isReached = controller.signal.aborted;
        enough();
        const limit = new AbortController();
        const waiting = pause(20_000, 'goes on', { signal: limit.signal }).catch(() => '');
        assert.equal(await Promise.race([end, waiting]), 'ended', `at moment ${moments}`);
        limit.abort();
        const then = asked;
        await pause(5);
        assert.equal(asked, then, `works on after its end, at moment ${moments}`);
      }
      assert.ok(moments > 20, `${moments}`);
    }));
});

/** The connection; `moment` is told whenever it is asked for something, and whenever it has answered. */
function watched(nft: Connection, moment: () => void): Connection {
  return new Proxy(nft, {
    get(target, name) {
      const value = Reflect.get(target, name, target);
      if (typeof value !== 'function') return value;
      return (...args: unknown[]) => {
        moment();
        const result = Reflect.apply(value, target, args);
        return result instanceof Promise ? result.finally(moment) : result;
      };
    },
  });
}
