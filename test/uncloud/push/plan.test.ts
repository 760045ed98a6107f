import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import {
  completed,
  parseHost,
  parsePlan,
  parsePolicy,
  parsePushHosts,
  planChanges,
  planHosts,
  planText,
  render,
  UncloudError,
} from '../../../src/uncloud/index.ts';

const nic = (n: number, more: object = {}) => ({
  ifname: `v${n}-0`,
  bridge: 'br0',
  mac: `02:00:00:00:00:0${n}`,
  ipv4: [`192.0.2.${n}/32`],
  ...more,
});
const host = { bridges: { br0: { uplinks: ['up0'] } } };
const other = { bridges: { br0: { uplinks: ['v2-0'] } } };
const policy = { vms: { a: { nics: [nic(1)] }, b: { nics: [nic(2)] } }, groups: { web: { rules: [] } } };

const hashOf = (described: object, value: object) => {
  const parsed = completed(parseHost(described), {});
  const { policy, blocked } = parsePolicy(value, { host: parsed });
  return render({ host: parsed, policy, blocked }).hash;
};

suite('a plan', () => {
  test('is the same text for the same input, however it is ordered', () => {
    const { plan } = planHosts({ n1: host, n2: host }, policy);
    const again = planHosts(
      { n2: { bridges: { br0: { uplinks: ['up0'] } } }, n1: host },
      { groups: policy.groups, vms: { b: policy.vms.b, a: policy.vms.a } },
    );
    assert.equal(planText(again.plan), planText(plan));
    assert.match(plan.hash, /^[0-9a-f]{64}$/);
    const { plan: less } = planHosts({ n1: host, n2: host }, { vms: { a: policy.vms.a } });
    assert.notEqual(less.hash, plan.hash);
  });

  test('leads each host to the hash that the host itself comes to, from the one of the plan before', () => {
    const first = planHosts({ n1: host }, policy).plan;
    assert.deepEqual([first.hosts.n1?.from, first.hosts.n1?.to], ['none', hashOf(host, policy)]);
    const next = { ...policy, vms: { a: policy.vms.a } };
    const second = planHosts({ n1: host, n2: host }, next, first).plan;
    assert.deepEqual([second.hosts.n1?.from, second.hosts.n1?.to], [first.hosts.n1?.to, hashOf(host, next)]);
    assert.equal(second.hosts.n2?.from, 'none');
  });

  test('tells what changes on which host, and where in a record', () => {
    const first = planHosts({ n1: host }, policy).plan;
    const next = {
      vms: {
        a: { nics: [nic(1, { ipv4: ['192.0.2.1/32', '192.0.2.9/32'], groups: ['web'] })] },
        c: { nics: [nic(3)] },
      },
      groups: policy.groups,
    };
    const moved = { bridges: { br0: { uplinks: ['up1'] } } };
    const second = planHosts({ n1: moved, n2: host }, next, first).plan;
    const changes = planChanges(second, first);
    assert.deepEqual(changes.get('n1'), [
      { action: 'change', key: 'host', paths: ['.bridges.br0.uplinks'] },
      { action: 'change', key: 'vm/a', paths: ['.nics[0].groups', '.nics[0].ipv4'] },
      { action: 'delete', key: 'vm/b', paths: [] },
      { action: 'add', key: 'vm/c', paths: [] },
    ]);
    assert.deepEqual(
      changes.get('n2')?.map(({ action, key }) => `${action} ${key}`),
      ['add host', 'add vm/a', 'add vm/c', 'add group/web'],
    );
    const same = planHosts({ n1: moved }, next, second).plan;
    assert.deepEqual(planChanges(same, second).get('n1'), []);
    assert.equal(same.hosts.n1?.from, same.hosts.n1?.to);
  });

  test('keeps the last good record of what is refused now, and leaves out what never was good', () => {
    const first = planHosts({ n1: host }, policy).plan;
    const wrong = { vms: { a: { nics: 7 }, b: policy.vms.b, c: { nics: [nic(2, { ifname: 'v3-0' })] } } };
    const { plan, problems } = planHosts({ n1: host }, wrong, first);
    assert.deepEqual(
      problems.n1?.map(({ key, path }) => key + path),
      ['distributed-firewall/vm/a.nics', 'distributed-firewall/vm/c.nics[0].mac'],
    );
    assert.deepEqual(plan.hosts.n1?.instead.vms, { a: policy.vms.a, c: null });
    assert.deepEqual(plan.hosts.n1?.blocked, ['v3-0']);
    assert.deepEqual(
      planChanges(plan, first)
        .get('n1')
        ?.map(({ key }) => key),
      ['group/web'],
      'groups alone have gone',
    );
  });

  test('refuses on one host what only that host cannot have', () => {
    const { plan, problems } = planHosts({ n1: host, n2: other }, policy);
    assert.deepEqual(Object.keys(problems), ['n2']);
    assert.deepEqual([plan.hosts.n1?.instead.vms, plan.hosts.n2?.instead.vms], [{}, { b: null }]);
  });

  test('a group that is refused takes along whoever names it', () => {
    const value = {
      vms: { a: { nics: [nic(1, { groups: ['bad'] })] }, b: policy.vms.b },
      groups: { bad: { rules: 'none' } },
    };
    const { plan } = planHosts({ n1: host }, value);
    assert.deepEqual(plan.hosts.n1?.instead, {
      vms: { a: null },
      groups: { bad: null },
      networks: {},
      filters: {},
    });
    assert.deepEqual(plan.hosts.n1?.blocked, ['v1-0']);
  });

  test('is refused where a byte of it is another', () => {
    const text = planText(planHosts({ n1: host }, policy).plan);
    assert.deepEqual(planText(parsePlan(JSON.parse(text))), text);
    for (const [from, to] of [
      ['192.0.2.1', '192.0.2.7'],
      ['"version":1', '"version":2'],
      ['none', 'nine'],
    ] as const)
      assert.throws(() => parsePlan(JSON.parse(text.replace(from, to))), UncloudError, to);
  });
});

suite('a list of hosts', () => {
  test('says how each is reached', () => {
    assert.deepEqual(parsePushHosts({ n2: { address: '2001:db8::2', user: 'fw', port: 2222 }, n1: {} }), {
      n1: { address: 'n1', command: ['nftjs'] },
      n2: { address: '2001:db8::2', user: 'fw', port: 2222, command: ['nftjs'] },
    });
  });

  test('has nothing that ssh or a shell would take for something else', () => {
    const cases: readonly [unknown, string][] = [
      [{}, 'hosts'],
      [[], 'hosts'],
      [{ n1: { address: '-oProxyCommand=touch /tmp/x' } }, 'hosts.n1.address'],
      [{ n1: { address: 'a b' } }, 'hosts.n1.address'],
      [{ n1: { address: 'x;reboot' } }, 'hosts.n1.address'],
      [{ n1: { user: '-l' } }, 'hosts.n1.user'],
      [{ n1: { user: 'root@x y' } }, 'hosts.n1.user'],
      [{ n1: { port: '22' } }, 'hosts.n1.port'],
      [{ n1: { port: 65536 } }, 'hosts.n1.port'],
      [{ n1: { command: ['a', 'b\0'] } }, 'hosts.n1.command[1]'],
      [{ n1: { ssh: 'x' } }, 'hosts.n1.ssh'],
      [{ 'a b': {} }, 'hosts["a b"]'],
      [{ '-n': {} }, 'hosts["-n"]'],
      [{ n1: { host: 7 } }, 'hosts.n1.host'],
    ];
    for (const [value, place] of cases)
      assert.throws(
        () => parsePushHosts(value),
        (error) => error instanceof UncloudError && error.message.startsWith(`${place}: `),
        place,
      );
  });
});
