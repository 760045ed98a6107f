import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseHost, parsePolicy, render } from '../../src/uncloud/index.ts';

const host = parseHost({ bridges: { br0: {} } });
const rule = (change: object) => ({ rules: [{ direction: 'in', action: 'accept', ...change }] });
const filter = (...rules: object[]) => ({ rules });
const drop = (match: object) => ({ direction: 'out', action: 'drop', match });
const vm = (more: object) => ({ nics: [{ ifname: 'v0', bridge: 'br0', mac: '02:00:00:00:00:01', ...more }] });

const REFUSED: readonly (readonly [what: string, policy: object, where: string])[] = [
  ['no direction', { groups: { g: { rules: [{ action: 'drop' }] } } }, 'group/g .rules[0].direction'],
  ['no action', { groups: { g: { rules: [{ direction: 'in' }] } } }, 'group/g .rules[0].action'],
  ['an unknown protocol', { groups: { g: rule({ protocol: 'tpc' }) } }, 'group/g .rules[0].protocol'],
  ['ports without a protocol', { groups: { g: rule({ ports: [80] }) } }, 'group/g .rules[0].ports'],
  ['ports of ICMP', { groups: { g: rule({ protocol: 'icmp', ports: [80] }) } }, 'group/g .rules[0].ports'],
  [
    'a port too high',
    { groups: { g: rule({ protocol: 'tcp', ports: [65536] }) } },
    'group/g .rules[0].ports[0]',
  ],
  [
    'a range backwards',
    { groups: { g: rule({ protocol: 'tcp', ports: ['9-8'] }) } },
    'group/g .rules[0].ports[0]',
  ],
  ['types of TCP', { groups: { g: rule({ protocol: 'tcp', types: [8] }) } }, 'group/g .rules[0].types'],
  [
    'an unknown type',
    { groups: { g: rule({ protocol: 'icmp', types: ['ping'] }) } },
    'group/g .rules[0].types[0]',
  ],
  [
    'ICMPv6 over IPv4',
    { groups: { g: rule({ protocol: 'icmpv6', family: 'ip' }) } },
    'group/g .rules[0].family',
  ],
  ['the wrong end', { groups: { g: rule({ to: ['10.0.0.0/8'] }) } }, 'group/g .rules[0].to'],
  ['an empty list', { groups: { g: rule({ from: [] }) } }, 'group/g .rules[0].from'],
  ['host bits', { groups: { g: rule({ from: ['10.0.0.1/8'] }) } }, 'group/g .rules[0].from[0]'],
  [
    'a group that is not there',
    { groups: { g: rule({ from: [{ group: 'h' }] }) } },
    'group/g .rules[0].from[0]',
  ],
  [
    'a member that is two things',
    { groups: { g: { members: [{ vm: 'a', group: 'g' }] } } },
    'group/g .members[0]',
  ],
  ['itself as a member', { groups: { g: { members: [{ group: 'g' }] } } }, 'group/g .members'],
  ['a log without measure', { groups: { g: rule({ log: { rate: '5' } }) } }, 'group/g .rules[0].log.rate'],
  ['a name with a space', { groups: { 'a b': {} } }, 'group/a b '],
  ['no mode', { networks: { n: {} } }, 'network/n .mode'],
  ['nat of nothing', { networks: { n: { mode: 'nat' } } }, 'network/n '],
  ['host bits in a network', { networks: { n: { mode: 'nat', ipv4: '10.0.0.1/24' } } }, 'network/n .ipv4'],
  [
    'a block of another network',
    { networks: { m: { mode: 'nat', ipv4: '10.0.0.0/8' }, n: { mode: 'nat', ipv4: ['10.1.0.0/24'] } } },
    'network/n ',
  ],
  [
    'an unknown field',
    { filters: { f: filter(drop({ 'tcp.flags': 2 })) } },
    'filter/f .rules[0].match["tcp.flags"]',
  ],
  ['a name of libvirt', { filters: { 'clean-traffic': filter() } }, 'filter/clean-traffic '],
  [
    'a filter in a circle',
    { filters: { f: filter({ filter: 'g' }), g: filter({ filter: 'f' }) } },
    'filter/f .rules[0].filter',
  ],
  ['a filter that is not there', { filters: { f: filter({ filter: 'g' }) } }, 'filter/f .rules[0].filter'],
  ['an unknown filter', { vms: { a: vm({ filter: 'clean' }) } }, 'vm/a .nics[0].filter'],
  [
    'a variable that nobody sets',
    { filters: { f: filter(drop({ 'ip.daddr': '$X' })) }, vms: { a: vm({ filter: 'f' }) } },
    'vm/a .nics[0].variables.X',
  ],
  [
    'a variable of the wrong kind',
    {
      filters: { f: filter(drop({ 'ip.daddr': '$X' })) },
      vms: { a: vm({ filter: 'f', variables: { X: ['02:00:00:00:00:01'] } }) },
    },
    'vm/a .nics[0].variables.X[0]',
  ],
  ['MAC as a variable', { vms: { a: vm({ variables: { MAC: [] } }) } }, 'vm/a .nics[0].variables.MAC'],
];

for (const [what, policy, where] of REFUSED) {
  test(`refused, with the place: ${what}`, () => {
    const { problems } = parsePolicy(policy, { host });
    const places = problems.map(({ key, path }) => `${key.replace('distributed-firewall/', '')} ${path}`);
    assert.ok(places.includes(where), places.join());
  });
}

test('a group that goes wrong keeps its last good value; one that was never good takes its VMs along', () => {
  const vms = { a: vm({ groups: ['g'] }) };
  const { policy: previous } = parsePolicy({ groups: { g: rule({ protocol: 'tcp' }) }, vms }, { host });
  const bad = { groups: { g: rule({ protocol: 'tpc' }) }, vms };
  const kept = parsePolicy(bad, { host, previous });
  assert.deepEqual([kept.policy, kept.kept, kept.blocked], [previous, ['group/g'], []]);
  const first = parsePolicy(bad, { host });
  assert.deepEqual([first.policy.vms, first.blocked], [{}, ['v0']]);
});

const drops = (groups: object, names: string[]) => {
  const { policy, problems } = parsePolicy({ groups, vms: { a: vm({ groups: names }) } }, { host });
  assert.deepEqual(problems, []);
  const text = JSON.stringify(render({ host, policy, facts: { conntrack: true } }).ruleset);
  return (['in', 'out'] as const).filter((direction) =>
    text.includes(`"chain":"${direction}/${names.join('/')}","expr":[{"drop":null}]`),
  );
};

test('an allow-list is closed, a deny-list is open, and a default says otherwise', () => {
  const deny = { rules: [{ direction: 'in', action: 'drop', protocol: 'tcp' }] };
  const groups = {
    allow: rule({}),
    deny,
    shut: { default: { out: 'drop' } },
    lax: { ...rule({}), default: { in: 'accept' } },
  };
  assert.deepEqual(drops(groups, ['allow']), ['in']);
  assert.deepEqual(drops(groups, ['deny']), []);
  assert.deepEqual(drops(groups, ['deny', 'shut']), ['out']);
  assert.deepEqual(drops(groups, ['lax']), []);
  assert.deepEqual(drops(groups, ['lax', 'allow']), ['in']);
});
