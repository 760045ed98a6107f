import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fakeConnection } from '../../src/testing/index.ts';
import { apply, Firewall, parseHost, parsePolicy, render } from '../../src/uncloud/index.ts';

const host = parseHost({ bridges: { br0: {} } });
const interfaces = [{ name: 'lo', index: 1 }];
const nic = { ifname: 'v0', bridge: 'br0', mac: '02:00:00:00:00:01', ipv4: ['10.0.0.1/32'], filter: 'mine' };

const policyOf = (rules: readonly object[]) => ({
  filters: { mine: { rules } },
  vms: { a: { nics: [nic] } },
});
const ruleOf = (match: object) => ({ direction: 'out', action: 'drop', match });

/** Values that each field may be compared with. */
const SAMPLES: Readonly<Record<string, readonly unknown[]>> = {
  'ether.saddr': ['$MAC', { not: '$MAC' }],
  'ether.daddr': ['ff:ff:ff:ff:ff:ff'],
  'ether.type': ['ip', 'ip6', 'arp', 'rarp', 'vlan', 0x88cc, ['ip', 'arp'], ['ip', 'ip6'], { not: 'ip' }],
  'arp.operation': ['request'],
  'arp.saddr.ip': ['10.0.0.1', '$IP', { not: '$IP' }],
  'arp.saddr.ether': ['$MAC'],
  'rarp.operation': [3],
  'rarp.daddr.ip': ['10.0.0.0/8'],
  'ip.saddr': ['10.0.0.0/8', '$IP', { not: '$IP' }, { not: ['10.0.0.1', '10.1.0.0/16'] }],
  'ip.protocol': ['tcp', 'udp', 1, 58, 0, ['tcp', 'udp'], { not: 'tcp' }],
  'ip6.daddr': ['2001:db8::/32', '$IPV6', { not: '$IPV6' }],
  'ip6.nexthdr': ['tcp', 'udp', 44, 58, ['tcp', 'udp'], { not: 'tcp' }],
  'tcp.dport': [25, ['80', '8000-8080']],
  'udp.sport': [53, { not: '1-1023' }],
  'icmp.type': ['echo-request'],
  'icmpv6.type': ['echo-request', { not: 128 }],
};

test('every rule that is not refused can be put in force, whatever two fields it speaks of', async () => {
  const accepted: object[] = [];
  let refused = 0;
  const fields = Object.keys(SAMPLES);
  for (const [index, a] of fields.entries()) {
    for (const b of fields.slice(index + 1)) {
      for (const one of SAMPLES[a] ?? []) {
        for (const other of SAMPLES[b] ?? []) {
          const rule = ruleOf({ [b]: other, [a]: one });
          const { problems } = parsePolicy(policyOf([rule]), { host });
          if (problems.length === 0) accepted.push(rule);
          else refused++;
        }
      }
    }
  }
  assert.ok(accepted.length > 250 && refused > 250, `${accepted.length} accepted, ${refused} refused`);
  const { policy, problems } = parsePolicy(policyOf(accepted), { host });
  assert.deepEqual(problems, []);
  using nft = fakeConnection({ interfaces });
  await apply(nft, { host, policy });
  assert.equal((await apply(nft, { host, policy })).changed, false);
});

const TOGETHER: readonly (readonly [why: string, match: object, at: string])[] = [
  ['an address of another family', { 'ether.type': 'arp', 'ip.saddr': '10.0.0.1' }, 'ip.saddr'],
  ['only some of the types', { 'ether.type': ['ip', 'arp'], 'ip.saddr': '10.0.0.1' }, 'ip.saddr'],
  ['both families', { 'ip.saddr': '10.0.0.1', 'ip6.saddr': '::1' }, 'ip6.saddr'],
  ['both protocols', { 'tcp.dport': 1, 'udp.dport': 1 }, 'udp.dport'],
  ['another protocol', { 'ip.protocol': 'tcp', 'udp.dport': 1 }, 'udp.dport'],
  ['only some of the protocols', { 'ip.protocol': ['tcp', 'udp'], 'udp.dport': 1 }, 'udp.dport'],
  ['ports of ARP', { 'arp.operation': 'request', 'udp.dport': 1 }, 'udp.dport'],
];

for (const [why, match, at] of TOGETHER) {
  test(`a filter that asks for ${why} is refused with its place, and takes nobody else along`, () => {
    const other = { ...nic, ifname: 'v1', mac: '02:00:00:00:00:02', ipv4: [], filter: 'port-security' };
    const said = policyOf([ruleOf({}), ruleOf(match)]);
    const { policy, problems } = parsePolicy(
      { ...said, vms: { ...said.vms, b: { nics: [other] } } },
      { host },
    );
    assert.deepEqual(Object.keys(policy.vms), ['b']);
    assert.deepEqual(problems[0]?.key, 'distributed-firewall/filter/mine');
    assert.deepEqual(problems[0]?.path, `.rules[1].match["${at}"]`);
  });
}

test('a filter with addresses of its own is rendered, changed and taken back like any other', async () => {
  const said = (block: string) => policyOf([ruleOf({ 'ip.daddr': block, 'udp.dport': 53 })]);
  const firewall = new Firewall({ host, policy: said('192.0.2.0/24') });
  using nft = fakeConnection({ interfaces });
  await apply(nft, firewall.rendering());
  const before = firewall.rendering().hash;
  const step = firewall.change({}, { filters: said('192.0.2.0/25').filters });
  await nft.commit(step.commands);
  assert.notEqual(firewall.rendering().hash, before);
  const { policy } = parsePolicy(said('192.0.2.0/25'), { host });
  assert.equal((await apply(nft, { host, policy })).changed, false);
  assert.equal(render({ host, policy }).hash, firewall.rendering().hash);
  step.undo();
  assert.equal(firewall.rendering().hash, before);
});
