import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { NetworkInterface, RouteChange } from '../../src/index.ts';
import {
  parseHost,
  parsePolicy,
  ROUTE_PROTOCOL,
  type RouteOptions,
  RouteTable,
  teardownRoutes,
  wantedRoutes,
} from '../../src/uncloud/index.ts';
import { type Kernel, withKernel } from '../support/kernel.ts';
import { requires } from '../support/requirements.ts';
import { limit } from '../support/wait.ts';

const host = parseHost({
  bridges: { br0: { uplinks: ['up0'] }, br1: { shared: false }, br2: { backend: 'netdev' } },
});
const nic = (n: number, more: object) => ({
  ifname: `v${n}`,
  bridge: 'br0',
  mac: `02:00:00:00:00:0${n}`,
  ...more,
});
const vmsOf = (vms: object) => {
  const { policy, problems } = parsePolicy({ vms }, { host });
  assert.deepEqual(problems, []);
  return Object.entries(policy.vms);
};
const wantedOf = (vms: object, interfaces: readonly NetworkInterface[], options: RouteOptions = {}) =>
  wantedRoutes({ host, vms: vmsOf(vms), interfaces, ...options });
const shown = ({ routes }: ReturnType<typeof wantedRoutes>) =>
  [...routes.values()].map(
    ({ route: { dst, gateway, oif, type, metric, table }, key, path }) =>
      `${key.slice('distributed-firewall/vm/'.length)}${path}: ${[type, dst, gateway, oif, metric, table].filter((part) => part !== undefined).join(' ')}`,
  );

const ALL: readonly NetworkInterface[] = [
  { name: 'br0', index: 10 },
  { name: 'br1', index: 11 },
  { name: 'br2', index: 12 },
  { name: 'v1', index: 21, master: 10 },
  { name: 'v2', index: 22, master: 10 },
];

suite('the routes that records ask for', () => {
  const prefixes = { ipv4: ['10.1.0.0/24'], ipv6: ['2001:db8:1::/64'] };
  const own = { ipv4: ['192.0.2.1/32', '10.1.0.0/24'], ipv6: ['2001:db8::1/128', '2001:db8:1::/64'] };

  test('lead to the address of the NIC, over its bridge', () => {
    assert.deepEqual(shown(wantedOf({ a: { nics: [nic(1, own)] } }, ALL)), [
      'a.nics[0].ipv4: unicast 10.1.0.0/24 192.0.2.1 10 0 254',
      'a.nics[0].ipv6: unicast 2001:db8:1::/64 2001:db8::1 10 1024 254',
    ]);
  });

  test('of IPv6 to its link-local address, where it has no other; any of them is none', () => {
    const of = (linkLocal: unknown) => wantedOf({ a: { nics: [nic(1, { ...prefixes, linkLocal })] } }, ALL);
    assert.deepEqual(shown(of('eui64')), [
      'a.nics[0].ipv6: unicast 2001:db8:1::/64 fe80::ff:fe00:1 10 1024 254',
    ]);
    assert.deepEqual(shown(of(['fe80::9'])), ['a.nics[0].ipv6: unicast 2001:db8:1::/64 fe80::9 10 1024 254']);
    assert.deepEqual(shown(of('any')), []);
    assert.deepEqual(of('any').problems, [
      {
        key: 'distributed-firewall/vm/a',
        path: '.nics[0].ipv4',
        why: '10.1.0.0/24 is not routed: there is no IPv4 address to be its next hop',
      },
      {
        key: 'distributed-firewall/vm/a',
        path: '.nics[0].ipv6',
        why: '2001:db8:1::/64 is not routed: there is no IPv6 address to be its next hop',
      },
    ]);
  });

  test('of a VM as a whole to the first of its NICs that is here and has an address', () => {
    const vm = {
      ipv4: ['203.0.113.7/32'],
      ipv6: ['2001:db8:7::/64'],
      nics: [
        nic(5, { ipv4: ['192.0.2.5/32'], ipv6: ['2001:db8::5/128'] }),
        nic(1, { ipv6: ['2001:db8::1/128'] }),
        nic(2, { ipv4: ['192.0.2.2/32'], ipv6: ['2001:db8::2/128'] }),
      ],
    };
    assert.deepEqual(shown(wantedOf({ a: vm }, ALL)), [
      'a.ipv4: unicast 203.0.113.7/32 192.0.2.2 10 0 254',
      'a.ipv6: unicast 2001:db8:7::/64 2001:db8::1 10 1024 254',
    ]);
  });

  test('are for ports that are here, on their bridge', () => {
    const a = { a: { nics: [nic(1, own)] } };
    for (const interfaces of [
      [],
      ALL.filter(({ name }) => name !== 'v1'),
      ALL.filter(({ name }) => name !== 'br0'),
      ALL.map((each) => (each.name === 'v1' ? { ...each, master: 11 } : each)),
      ALL.map((each) => (each.name === 'v1' ? { name: 'v1', index: 21 } : each)),
    ])
      assert.deepEqual(shown(wantedOf(a, interfaces)), []);
    const elsewhere = [...ALL, { name: 'v3', index: 23 }];
    assert.equal(shown(wantedOf({ a: { nics: [nic(3, { ...own, bridge: 'br2' })] } }, elsewhere)).length, 2);
  });

  test('are not for private bridges, bridges of others, or records without NICs', () => {
    const there = [...ALL, { name: 'v3', index: 23, master: 11 }, { name: 'v4', index: 24, master: 99 }];
    const vms = {
      a: { nics: [nic(3, { ...own, bridge: 'br1' })] },
      b: { nics: [nic(4, { ...prefixes, bridge: 'other' })] },
      c: { ipv6: ['2001:db8:7::/64'] },
    };
    const { routes, problems } = wantedOf(vms, there, { blackhole: true });
    assert.deepEqual([routes.size, problems], [0, []]);
  });

  test('end here for VMs that are not, where that is asked for', () => {
    const vm = { ipv4: ['203.0.113.7/32'], nics: [nic(5, { ...own })] };
    assert.deepEqual(shown(wantedOf({ a: vm }, ALL, { blackhole: true, table: 1000 })), [
      'a.ipv4: blackhole 203.0.113.7/32 4294967295 1000',
      'a.nics[0].ipv4: blackhole 10.1.0.0/24 4294967295 1000',
      'a.nics[0].ipv6: blackhole 2001:db8:1::/64 4294967295 1000',
    ]);
  });
});

/** A bridge with the ports of two VMs, and routes of others. */
function lab({ run }: Kernel): void {
  const ip = (...commands: string[]) => run('ip', ['-batch', '-'], `${commands.join('\n')}\n`);
  // Addresses that come by themselves, later, bring routes along.
  run('sysctl', ['-qw', 'net.ipv6.conf.default.addr_gen_mode=1']);
  ip('link set lo up', 'link add br0 type bridge', 'link set br0 up');
  for (const n of [1, 2])
    ip(`link add v${n} type veth peer name g${n}`, `link set v${n} master br0 up`, `link set g${n} up`);
  ip(
    'link add wan type veth peer name isp',
    'link set wan up',
    'link set isp up',
    'addr add 198.51.100.1/24 dev wan',
    'addr add 2001:db8:ffff::1/64 dev wan nodad',
    'route add default via 198.51.100.2 proto static',
    'route add 10.50.0.0/16 via 198.51.100.2 proto bird metric 32',
    'route add unreachable 10.60.0.0/16 proto 118',
    'route add 2001:db8:50::/48 via 2001:db8:ffff::2 proto bgp',
    'route add 2001:db8:51::/48 via 2001:db8:ffff::2 table 1000 proto static',
  );
}

interface Shown {
  readonly dst: string;
  readonly protocol: string;
  readonly [key: string]: unknown;
}

const routesOf = ({ run }: Kernel): Shown[] =>
  ['-4', '-6'].flatMap((family) =>
    JSON.parse(run('ip', [family, '-j', '-d', 'route', 'show', 'table', 'all'])),
  );
const oursOf = (kernel: Kernel) =>
  routesOf(kernel)
    .filter(({ protocol }) => protocol === String(ROUTE_PROTOCOL))
    .map(({ type, dst, gateway, dev, metric, table, flags }) =>
      [type, dst, gateway, dev, metric, table, (flags as string[]).filter((flag) => flag === 'onlink')[0]]
        .filter((part) => part !== undefined)
        .join(' '),
    )
    .sort();
/**
 * As bytes: what a dump of all routes but ours says. A carrier comes when it likes, and brings the multicast route of
 * its interface.
 */
const foreignOf = (kernel: Kernel) =>
  JSON.stringify(
    routesOf(kernel).filter(
      ({ protocol, type }) => protocol !== String(ROUTE_PROTOCOL) && type !== 'multicast',
    ),
    (name, value) => (name === 'flags' ? (value as string[]).filter((flag) => flag !== 'linkdown') : value),
  );

const two = {
  a: {
    nics: [nic(1, { ipv4: ['192.0.2.1/32', '10.1.0.0/24'], ipv6: ['2001:db8::1/128', '2001:db8:1::/64'] })],
  },
  b: { nics: [nic(2, { ipv4: ['192.0.2.2/32'], ipv6: ['2001:db8:2::/64'] })] },
};

suite('routes in the kernel', requires('root', 'netns', 'ip'), () => {
  const wantedIn = async (kernel: Kernel, vms: object = two, options: RouteOptions = {}) =>
    wantedOf(vms, await kernel.nft.interfaces(), options).routes;

  test('are made, kept, changed and taken away; those of others stay as they are', () =>
    withKernel(async (kernel) => {
      lab(kernel);
      const foreign = foreignOf(kernel);
      const table = new RouteTable(kernel.nft);
      assert.deepEqual(await table.reconcile(await wantedIn(kernel)), {
        changed: 3,
        installed: 3,
        problems: [],
      });
      assert.deepEqual(oursOf(kernel), [
        'unicast 10.1.0.0/24 192.0.2.1 br0 main onlink',
        'unicast 2001:db8:1::/64 2001:db8::1 br0 1024 main onlink',
        'unicast 2001:db8:2::/64 fe80::ff:fe00:2 br0 1024 main onlink',
      ]);

      const moved = {
        a: { nics: [nic(1, { ipv4: ['192.0.2.9/32', '10.1.0.0/24'], ipv6: ['2001:db8::1/128'] })] },
        b: { nics: [nic(2, { ipv6: ['2001:db8:1::/64'] })] },
      };
      assert.equal((await table.reconcile(await wantedIn(kernel, moved))).changed, 3);
      assert.deepEqual(oursOf(kernel), [
        'unicast 10.1.0.0/24 192.0.2.9 br0 main onlink',
        'unicast 2001:db8:1::/64 fe80::ff:fe00:2 br0 1024 main onlink',
      ]);
      assert.equal(foreignOf(kernel), foreign);
      assert.equal(await teardownRoutes(kernel.nft), 2);
      assert.equal(await teardownRoutes(kernel.nft), 0);
      assert.deepEqual(oursOf(kernel), []);
      assert.equal(foreignOf(kernel), foreign);
    }));

  test('the same a second time sends nothing, by whoever knows them and by whoever reads them', () =>
    withKernel(async (kernel) => {
      lab(kernel);
      const wanted = await wantedIn(
        kernel,
        { ...two, c: { nics: [nic(3, { ipv6: ['2001:db8:3::/64'] })] } },
        { blackhole: true },
      );
      const sent: RouteChange[] = [];
      const reads: object[] = [];
      const nft = {
        routes: (scope?: object) => {
          reads.push(scope ?? {});
          return kernel.nft.routes(scope);
        },
        changeRoutes: (changes: readonly RouteChange[]) => {
          sent.push(...changes);
          return kernel.nft.changeRoutes(changes);
        },
      };
      const table = new RouteTable(nft);
      await table.reconcile(wanted);
      assert.deepEqual([sent.length, reads.length], [4, 1]);
      assert.equal((await table.reconcile(wanted)).changed, 0);
      assert.deepEqual([sent.length, reads.length], [4, 1]);
      assert.equal((await new RouteTable(nft).reconcile(wanted)).changed, 0);
      assert.deepEqual([sent.length, reads.length], [4, 2]);
      assert.deepEqual(reads[1], { protocol: ROUTE_PROTOCOL });
    }));

  test('a route of others in their place is a problem, and left alone until it goes', () =>
    withKernel(async (kernel) => {
      lab(kernel);
      const { run, nft } = kernel;
      run('ip', ['route', 'add', '10.1.0.0/24', 'via', '198.51.100.2', 'proto', 'static']);
      run('ip', ['-6', 'route', 'add', 'blackhole', '2001:db8:2::/64', 'proto', 'bgp', 'metric', '1024']);
      const foreign = foreignOf(kernel);
      const table = new RouteTable(nft);
      const wanted = await wantedIn(kernel);
      const first = await table.reconcile(wanted);
      assert.deepEqual(first, {
        changed: 1,
        installed: 1,
        problems: [
          {
            key: 'distributed-firewall/vm/a',
            path: '.nics[0].ipv4',
            why: '10.1.0.0/24 is not routed via 192.0.2.1: a route of protocol static via 198.51.100.2 is there, and left alone',
          },
          {
            key: 'distributed-firewall/vm/b',
            path: '.nics[0].ipv6',
            why: '2001:db8:2::/64 is not routed via fe80::ff:fe00:2: a blackhole route of protocol bgp is there, and left alone',
          },
        ],
      });
      assert.deepEqual(await table.reconcile(wanted), { ...first, changed: 0 });
      assert.equal(foreignOf(kernel), foreign);
      await teardownRoutes(nft);
      assert.equal(foreignOf(kernel), foreign);

      using news = nft.monitorRoutes({ signal: limit('the route that went is told') });
      run('ip', ['route', 'del', '10.1.0.0/24']);
      const { value } = await news.next();
      assert.ok(value && table.differsAfter(value));
      table.forget();
      const { changed, problems } = await table.reconcile(wanted);
      assert.deepEqual([changed, problems.length], [2, 1]);
    }));

  test('one that somebody put in the place of ours is not overwritten, even where ours has to change', () =>
    withKernel(async (kernel) => {
      lab(kernel);
      const table = new RouteTable(kernel.nft);
      await table.reconcile(await wantedIn(kernel));
      kernel.run('ip', ['route', 'replace', '10.1.0.0/24', 'via', '198.51.100.2', 'proto', 'static']);
      kernel.run('ip', [
        '-6',
        'route',
        'replace',
        '2001:db8:1::/64',
        'via',
        '2001:db8:ffff::2',
        'proto',
        'static',
        'metric',
        '1024',
      ]);
      const foreign = foreignOf(kernel);
      const [vm] = two.a.nics;
      const changed = { ...two, a: { nics: [{ ...vm, ipv4: ['192.0.2.9/32', '10.1.0.0/24'] }] } };
      const { problems } = await table.reconcile(await wantedIn(kernel, changed));
      assert.deepEqual(
        problems.map(({ path }) => path),
        ['.nics[0].ipv4', '.nics[0].ipv6'],
      );
      assert.equal(foreignOf(kernel), foreign);
    }));

  test('what the kernel refuses is told with the record and the kernel’s words', () =>
    withKernel(async (kernel) => {
      lab(kernel);
      kernel.run('ip', ['link', 'set', 'br0', 'down']);
      const table = new RouteTable(kernel.nft);
      const wanted = await wantedIn(kernel);
      const { installed, problems } = await table.reconcile(wanted);
      assert.equal(installed, 0);
      assert.deepEqual(
        problems.map(({ key, path }) => `${key}${path}`),
        ['a.nics[0].ipv4', 'a.nics[0].ipv6', 'b.nics[0].ipv6'].map(
          (each) => `distributed-firewall/vm/${each}`,
        ),
      );
      for (const { why } of problems)
        assert.match(why, /is not routed via .*ENETDOWN: Nexthop device is not up/);
      kernel.run('ip', ['link', 'set', 'br0', 'up']);
      assert.equal((await table.reconcile(wanted)).changed, 0, 'nobody said that the bridge is up');
      table.forget();
      assert.deepEqual(await table.reconcile(wanted), { changed: 3, installed: 3, problems: [] });
    }));

  test('a blackhole stands behind every other route, and gives way when the VM arrives', () =>
    withKernel(async (kernel) => {
      lab(kernel);
      const { run, nft } = kernel;
      run('ip', ['route', 'add', '10.1.0.0/24', 'via', '198.51.100.2', 'proto', 'bird', 'metric', '32']);
      run('ip', [
        '-6',
        'route',
        'add',
        '2001:db8:1::/64',
        'via',
        '2001:db8:ffff::2',
        'proto',
        'bird',
        'metric',
        '32',
      ]);
      run('ip', ['link', 'set', 'v1', 'nomaster']);
      run('ip', ['link', 'del', 'v2']);
      const foreign = foreignOf(kernel);
      const table = new RouteTable(nft);
      const options = { blackhole: true, table: 1000 };
      for (const each of [{ blackhole: true }, options]) {
        await table.reconcile(await wantedIn(kernel, two, each));
        const where = each === options ? ' 1000' : ' main';
        assert.deepEqual(oursOf(kernel), [
          `blackhole 10.1.0.0/24 4294967295${where}`,
          `blackhole 2001:db8:1::/64 lo 4294967295${where}`,
          `blackhole 2001:db8:2::/64 lo 4294967295${where}`,
        ]);
        assert.equal(foreignOf(kernel), foreign);
        const way = (address: string) => run('sh', ['-c', `ip route get ${address} 2>&1 || true`]);
        assert.match(way('10.1.0.7'), /via 198\.51\.100\.2 dev wan/);
        assert.match(way('2001:db8:1::7'), /via 2001:db8:ffff::2 dev wan/);
        if (each !== options) assert.match(way('2001:db8:2::7'), /Invalid argument/);
      }
      run('ip', ['link', 'set', 'v1', 'master', 'br0']);
      await table.reconcile(await wantedIn(kernel, two, { blackhole: true }));
      assert.deepEqual(oursOf(kernel), [
        'blackhole 2001:db8:2::/64 lo 4294967295 main',
        'unicast 10.1.0.0/24 192.0.2.1 br0 main onlink',
        'unicast 2001:db8:1::/64 2001:db8::1 br0 1024 main onlink',
      ]);
    }));

  test('thousands are made and read at once', () =>
    withKernel(async (kernel) => {
      lab(kernel);
      const ipv6 = Array.from({ length: 1000 }, (_, n) => `2001:db8:a:${n.toString(16)}::/64`);
      const ipv4 = Array.from({ length: 1000 }, (_, n) => `10.${64 + (n >> 8)}.${n & 255}.0/24`);
      const many = { a: { nics: [nic(1, { ipv4: ['192.0.2.1/32', ...ipv4], ipv6 })] } };
      const table = new RouteTable(kernel.nft);
      assert.equal((await table.reconcile(await wantedIn(kernel, many))).changed, 2000);
      assert.equal(oursOf(kernel).length, 2000);
      assert.equal((await new RouteTable(kernel.nft).reconcile(await wantedIn(kernel, many))).changed, 0);
      assert.equal(await teardownRoutes(kernel.nft), 2000);
    }));
});
