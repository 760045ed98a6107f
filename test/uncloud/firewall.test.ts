import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { Chain } from '../../src/index.ts';
import { isKernelSince } from '../../src/netlink/kernel-release.ts';
import {
  apply,
  type Facts,
  Firewall,
  factsOf,
  type Policy,
  parseHost,
  parsePolicy,
  render,
} from '../../src/uncloud/index.ts';
import { withKernel } from '../support/kernel.ts';
import { requires } from '../support/requirements.ts';

const GROUPS = {
  web: {
    rules: [
      {
        direction: 'in',
        action: 'accept',
        protocol: 'tcp',
        ports: [80],
        from: [{ group: 'lb' }, { vm: 'v3' }],
      },
      { direction: 'out', action: 'reject', protocol: 'tcp', ports: [25] },
    ],
  },
  lb: { members: ['192.0.2.0/24', { vm: 'v1' }, { mac: '02:00:00:00:00:07' }] },
};

/** Numbers that look random and are the same each time. */
function numbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
    return (state >>> 8) % below;
  };
}

/** A record of one of few VMs, from few values, so that they get into each other's way. */
function record(pick: (below: number) => number, i: number): unknown {
  if (pick(6) === 0) return undefined;
  if (pick(12) === 0) return { nics: [{ ifname: `v${i}-0`, bridge: 'br0', mac: 'none' }] };
  return {
    ...(pick(3) === 0 && { ipv4: [`198.51.100.${pick(4) * 16}/28`] }),
    nics: [
      {
        ifname: `v${pick(8) === 0 ? 0 : i}-0`,
        bridge: ['br0', 'br0', 'br1', 'elsewhere'][pick(4)],
        mac: `02:00:00:00:00:0${pick(5) === 0 ? 1 : i + 1}`,
        ipv4: [`10.0.0.${pick(8) + 1}/32`, ...(pick(4) === 0 ? [`10.1.${pick(3)}.0/24`] : [])].filter(
          () => pick(5) > 0,
        ),
        ipv6: pick(2) === 0 ? [`2001:db8:${pick(6)}::/${[48, 64][pick(2)]}`] : [],
        groups: [[], ['web'], ['lb'], ['lb', 'web']][pick(4)],
        filter: pick(5) === 0 ? 'clean-traffic' : 'port-security',
        ...(pick(4) === 0 && { vlans: [10] }),
        ...(pick(4) === 0 && { log: true }),
      },
    ],
  };
}

suite('a firewall that is kept', requires('root', 'netns'), () => {
  for (const [seed, sets] of ['anonymous', 'named', 'auto', 'named'].entries()) {
    test(`comes to what a whole policy comes to, change by change: ${sets} sets, ${seed}`, () =>
      withKernel(async ({ nft }) => {
        const pick = numbers(seed + 1);
        const host = parseHost({ bridges: { br0: { uplinks: ['up0'] }, br1: { shared: false } }, sets });
        const interfaces = [{ ifname: 'lo' }, { ifname: 'v2-0', bridge: 'br0' }];
        const facts: Facts = { ...(await factsOf(nft)), interfaces: interfaces.slice(0, 1) };
        const vms: Record<string, unknown> = {};
        const policy = { groups: GROUPS, vms };
        const firewall = new Firewall({ host, policy, facts });
        await apply(nft, firewall.rendering());
        let previous: Policy | undefined;
        for (let step = 0; step < 40; step++) {
          const i = pick(6);
          const change = { [`v${i}`]: record(pick, i) };
          const before = firewall.hash;
          const { commands, undo } = firewall.change(change);
          if (pick(4) === 0) {
            undo();
            assert.equal(firewall.hash, before);
            continue;
          }
          if (commands.length > 0) await nft.commit(commands);
          vms[`v${i}`] = change[`v${i}`];
          if (vms[`v${i}`] === undefined) delete vms[`v${i}`];
          const parsed = parsePolicy(policy, { host, ...(previous && { previous }) });
          previous = parsed.policy;
          assert.deepEqual(
            Object.fromEntries([...firewall.vms].sort()),
            Object.fromEntries(Object.entries(previous.vms).sort()),
          );
          const whole = render({ host, policy: previous, blocked: parsed.blocked, facts });
          assert.equal(firewall.hash, whole.hash);
          assert.deepEqual(firewall.rendering().ruleset.nftables.length, whole.ruleset.nftables.length);
          const { transaction } = await apply(nft, whole);
          assert.deepEqual(transaction.nftables, [], `step ${step}`);
        }
      }));
  }

  test('a port that comes or goes gives its chains another device, and none is made anew', (t) => {
    if (!isKernelSince(6, 4)) return t.skip('the kernel makes chains anew for other devices');
    const host = parseHost({ bridges: { br0: { backend: 'netdev' } }, sets: 'named' });
    const nic = (i: number) => ({ ifname: `v${i}`, bridge: 'br0', mac: `02:00:00:00:00:0${i}` });
    const interfaces = [1, 2, 3].map((i) => ({ ifname: `v${i}`, bridge: 'br0' }));
    const vms = { v1: { nics: [nic(1)] }, v3: { nics: [nic(3)] } };
    const firewall = new Firewall({ host, policy: { vms }, facts: { interfaces } });
    const chains = (change: Record<string, unknown>) =>
      firewall.change(change).commands.flatMap((command) => {
        const [[verb, body] = ['', {}]] = Object.entries(command as Record<string, { chain?: Chain }>);
        return body.chain ? [`${verb} ${body.chain.name} ${body.chain.dev}`] : [];
      });
    assert.deepEqual(chains({ v1: undefined }), [
      'delete vm_ingress_0 v1',
      'delete vm_egress_0 v1',
      'add closed_ingress_0 v1',
      'add closed_egress_0 v1',
    ]);
    assert.deepEqual(chains({ v2: { nics: [nic(2)] } }), [
      'add vm_ingress_0 v2',
      'add vm_egress_0 v2',
      'delete closed_ingress_0 v2',
      'delete closed_egress_0 v2',
    ]);
  });

  test('one address of one VM is a few elements', () => {
    const host = parseHost({ bridges: { br0: {} }, sets: 'named' });
    const vm = (i: number, ip: string) => ({
      nics: [
        {
          ifname: `v${i}`,
          bridge: 'br0',
          mac: `02:00:00:00:${(i >> 8).toString(16).padStart(2, '0')}:${(i & 255).toString(16).padStart(2, '0')}`,
          ipv4: [ip],
        },
      ],
    });
    const vms = Object.fromEntries(
      Array.from({ length: 2000 }, (_, i) => [`v${i}`, vm(i, `10.0.${i >> 8}.${i & 255}/32`)]),
    );
    const firewall = new Firewall({ host, policy: { vms } });
    const { commands } = firewall.change({ v7: vm(7, '10.9.0.7/32') });
    assert.deepEqual(
      commands.map((command) => {
        const [[verb, what]] = Object.entries(command) as [
          [string, { element: { name: string; elem: unknown[] } }],
        ];
        return `${verb} ${what.element.name} ${what.element.elem.length}`;
      }),
      [
        'delete ip_32 1',
        'delete arp_32 1',
        'delete arp_probe_32 1',
        'delete ip_32 1',
        'add ip_32 1',
        'add arp_32 1',
        'add arp_probe_32 1',
        'add ip_32 1',
      ],
    );
  });
});
