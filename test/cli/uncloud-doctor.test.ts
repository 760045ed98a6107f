import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { examine, type Finding, type Observation, parseHost, parsePolicy } from '../../src/uncloud/index.ts';
import { nftjs, withFiles } from '../support/cli.ts';
import { host, plan, policy } from '../support/frames/network.ts';
import { Rig } from '../support/frames/rig.ts';
import { requires } from '../support/requirements.ts';

const described = parseHost(host);
const valid = parsePolicy(policy, { host: described }).policy;

/** A host on which nothing stands against the policy. */
const healthy: Observation = {
  links: [
    ...Object.entries(host.bridges).map(([ifname, { mac }]) => ({
      ifname,
      address: mac,
      linkinfo: {
        info_kind: 'bridge',
        info_data: { no_linklocal_learn: 1, group_fwd_mask: '0', nf_call_iptables: 0 },
      },
    })),
    { ifname: 'vxlan100', master: 'br100' },
    ...Object.values(valid.vms)
      .flatMap(({ nics }) => nics)
      .map(({ ifname, bridge }) => ({ ifname, master: bridge })),
  ],
  files: { 'sys/net/bridge/bridge-nf-call-iptables': '0' },
  ruleset: { nftables: [{ table: { family: 'bridge', name: 'uncloud' } }] },
  facts: { ibrname: true },
};

function findings(change: Partial<Observation>): string[] {
  return examine({ ...healthy, ...change }, described, valid).map(said);
}

const said = ({ severity, where, what }: Finding): string => `${severity} ${where}: ${what}`;

const link = (ifname: string, change: object): Partial<Observation> => ({
  links: healthy.links.map((each) => (each.ifname === ifname ? { ...each, ...change } : each)),
});

const bridge = (info_data: object): Partial<Observation> =>
  link('br100', { linkinfo: { info_kind: 'bridge', info_data: { no_linklocal_learn: 1, ...info_data } } });

/** One more table with a chain, and a rule in it. */
function foreign(chain: object, ...exprs: object[]): Partial<Observation> {
  const place = { family: 'bridge', table: 'theirs' } as const;
  const elements = [
    {
      chain: {
        ...place,
        name: 'c',
        type: 'filter',
        hook: 'prerouting',
        prio: -400,
        policy: 'accept',
        ...chain,
      },
    },
    ...exprs.map((expr) => ({ rule: { ...place, ...chain, chain: 'c', expr: [expr] } })),
  ];
  return { ruleset: { nftables: [...healthy.ruleset.nftables, ...(elements as never[])] } };
}

const cases: readonly (readonly [string, Partial<Observation>, RegExp])[] = [
  ['no table of ours', { ruleset: { nftables: [] } }, /^defeats table bridge uncloud: it is not there/],
  [
    'a dormant table',
    { ruleset: { nftables: [{ table: { family: 'bridge', name: 'uncloud', flags: ['dormant'] } }] } },
    /^defeats table bridge uncloud: it is dormant/,
  ],
  ['a kernel without ibrname', { facts: {} }, /^weakens kernel: meta ibrname/],
  [
    'br_netfilter for IPv4',
    { files: { 'sys/net/bridge/bridge-nf-call-iptables': '1' } },
    /^loses net\.bridge\.bridge-nf-call-iptables: /,
  ],
  [
    'br_netfilter for ARP',
    { files: { 'sys/net/bridge/bridge-nf-call-arptables': '1' } },
    /^loses net\.bridge\.bridge-nf-call-arptables/,
  ],
  ['br_netfilter of one bridge', bridge({ nf_call_ip6tables: 1 }), /^loses br100: nf_call_ip6tables/],
  ['iptables of old', { files: { 'net/ip_tables_names': 'filter' } }, /^loses iptables-legacy: filter/],
  [
    'no bridge',
    { links: healthy.links.filter(({ ifname }) => ifname !== 'br100') },
    /^loses br100: this bridge does not exist/,
  ],
  [
    'another switch',
    link('br100', { linkinfo: { info_kind: 'openvswitch' } }),
    /^defeats br100: it is no bridge of Linux but openvswitch/,
  ],
  [
    'a bridge that learns',
    bridge({ no_linklocal_learn: 0 }),
    /^defeats br100: frames to 01:80:c2:00:00:0X from v343a-0, v343b-0 teach/,
  ],
  ['a group_fwd_mask', bridge({ group_fwd_mask: '0x8' }), /^defeats br100: group_fwd_mask 0x8/],
  [
    'another MAC',
    link('br100', { address: '02:00:00:00:00:aa' }),
    /^weakens br100: its MAC is 02:00:00:00:00:aa/,
  ],
  [
    'the MAC of a VM',
    link('br100', { address: '02:00:f0:a9:c4:4f' }),
    /loses br100: its MAC is that of v343a-0's VM/,
  ],
  [
    'a port on another bridge',
    link('v343a-0', { master: 'br200' }),
    /^defeats v343a-0: it is on br200, the policy says br100/,
  ],
  ['a port on no bridge', link('v343a-0', { master: undefined }), /^defeats v343a-0: it is on no bridge/],
  ['a port with XDP', link('v343a-0', { xdp: { mode: 2 } }), /^defeats v343a-0: an XDP program/],
  [
    'a port that answers for neighbours',
    link('v343a-0', { linkinfo: { info_slave_data: { neigh_suppress: true } } }),
    /^weakens v343a-0: neigh_suppress/,
  ],
  [
    'an uplink elsewhere',
    link('vxlan100', { master: 'br9' }),
    /^loses vxlan100: this uplink is not on br100/,
  ],
  [
    'an unlisted port',
    { links: [...healthy.links, { ifname: 'vdead-0', master: 'br100' }] },
    /^loses br100: nobody lists vdead-0/,
  ],
  [
    'a drop of others',
    foreign({}, { drop: null }),
    /^loses chain bridge theirs c \(prerouting\): it has drop: /,
  ],
  [
    'a policy of others',
    foreign({ policy: 'drop', hook: 'forward' }),
    /^loses chain bridge theirs c \(forward\): it has policy drop: /,
  ],
  [
    'a verdict map of others',
    foreign(
      { hook: 'postrouting' },
      { vmap: { key: { meta: { key: 'oifname' } }, data: { set: [['x', { drop: null }]] } } },
    ),
    /it has drop: /,
  ],
  [
    'a way around',
    foreign({ family: 'netdev', hook: 'ingress', dev: 'v343a-0' }, { fwd: { dev: 'eth0' } }),
    /^defeats chain netdev theirs c \(ingress of v343a-0\): its rules have fwd/,
  ],
  [
    'frames that are routed',
    foreign({}, { mangle: { key: { meta: { key: 'broute' } }, value: 1 } }),
    /^defeats chain bridge theirs c \(prerouting\): its rules set meta broute/,
  ],
  [
    'frames that are rewritten',
    foreign(
      {},
      { mangle: { key: { payload: { protocol: 'ether', field: 'saddr' } }, value: '02:00:00:00:00:01' } },
    ),
    /^defeats chain bridge theirs c \(prerouting\): its rules rewrite/,
  ],
];

test('a host on which nothing stands against the policy', () => assert.deepEqual(findings({}), []));

for (const [name, change, expected] of cases) {
  test(`finds ${name}`, () => {
    const found = findings(change);
    assert.equal(found.filter((line) => expected.test(line)).length, 1, found.join('\n'));
  });
}

const harmless: readonly (readonly [string, Partial<Observation>])[] = [
  [
    'a chain of others on another device',
    foreign({ family: 'netdev', hook: 'ingress', dev: 'eth0' }, { drop: null }),
  ],
  ['a chain of others on another hook', foreign({ hook: 'input' }, { drop: null })],
  ['a chain of others that counts', foreign({}, { counter: null })],
  [
    'frames rewritten after ours',
    foreign(
      { prio: 0 },
      { mangle: { key: { payload: { protocol: 'ether', field: 'saddr' } }, value: '02:00:00:00:00:01' } },
    ),
  ],
];

for (const [name, change] of harmless)
  test(`finds nothing in ${name}`, () => assert.deepEqual(findings(change), []));

suite('nftjs uncloud doctor', requires('root', 'netns', 'ip', 'bridge', 'veth'), () => {
  test('finds what is wrong on a host, and nothing of it when it is mended', () =>
    withFiles(async (write) => {
      const files = ['--host', write('host.json', host), '--policy', write('policy.json', policy)];
      using rig = await Rig.build(plan);
      const doctor = (...more: string[]) =>
        nftjs(['uncloud', 'doctor', ...files, '--netns', rig.netns, ...more]);
      const ill = await doctor();
      assert.equal(ill.code, 1, ill.err);
      assert.match(ill.out, /^defeats {2}table bridge uncloud: it is not there/m);
      assert.match(ill.out, /^defeats {2}br100: frames to 01:80:c2:00:00:0X from v343a-0, v343b-0 teach/m);
      assert.match(ill.out, /^loses {2}br100: nobody lists vdead-0/m);

      rig.run('ip', ['link', 'set', 'vdead-0', 'nomaster']);
      const applied = await nftjs(['uncloud', 'apply', ...files, '--netns', rig.netns]);
      assert.equal(applied.code, 0, applied.err);
      const well = await doctor('--json');
      const left = well.out
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as Finding);
      assert.deepEqual(left.filter(({ severity }) => severity !== 'weakens').map(said), []);
      assert.equal(well.code, 0);
    }));

  test('needs its files', async () => {
    assert.equal((await nftjs(['uncloud', 'doctor'])).code, 2);
    assert.equal((await nftjs(['uncloud', 'doctor', '--host', '/none', '--policy', '/none'])).code, 1);
  });
});
