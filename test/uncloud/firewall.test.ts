import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { Chain } from '../../src/index.ts';
import {
  apply,
  type Facts,
  Firewall,
  factsOf,
  type Interface,
  type Policy,
  type Problem,
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
        filter: ['port-security', 'port-security', 'clean-traffic', 'mine'][pick(4)],
        ...(pick(4) === 0 && { vlans: [10] }),
        ...(pick(4) === 0 && { log: true }),
      },
    ],
  };
}

const port = (name: string, rest: object = {}) => ({
  direction: 'in',
  action: 'accept',
  protocol: 'tcp',
  ports: [pickable[name]],
  ...rest,
});
const pickable: Readonly<Record<string, number>> = { ssh: 22, http: 80, smtp: 25 };

/** What groups, a filter and a network may be: good, gone and none. */
const WORDS: Readonly<Record<string, Readonly<Record<string, readonly unknown[]>>>> = {
  groups: {
    web: [
      undefined,
      GROUPS.web,
      { rules: [port('http')] },
      { rules: [port('http', { from: [{ group: 'lb' }] }), port('ssh')] },
      { rules: [port('smtp', { direction: 'out', action: 'drop' })] },
      { rules: [port('ssh', { from: [{ vm: 'v2' }] })], default: { out: 'drop' } },
      { rules: [port('ssh', { from: [{ group: 'nobody' }] })] },
      { rules: 'none' },
    ],
    lb: [
      undefined,
      GROUPS.lb,
      {},
      { members: [{ vm: 'v2' }, '198.51.100.0/24'] },
      { members: ['192.0.2.0/24'], rules: [port('ssh')] },
      { members: [{ group: 'web' }] },
    ],
  },
  filters: {
    mine: [
      undefined,
      { rules: [{ filter: 'no-ip-spoofing' }] },
      { rules: [{ direction: 'inout', action: 'drop', match: { 'ip.saddr': '$NOBODY' } }] },
      {
        rules: [
          { direction: 'out', action: 'accept', match: { 'ip.saddr': '$IP' } },
          { filter: 'port-security' },
        ],
      },
    ],
  },
  networks: {
    virbr0: [undefined, { mode: 'nat', ipv4: '192.168.122.0/24' }, { mode: 'isolated' }, { mode: 'routed' }],
    virbr1: [undefined, { mode: 'routed', ipv4: '192.168.123.0/24' }, { mode: 'open' }],
  },
};

/** Other records of some of them. */
function rewording(pick: (below: number) => number): Record<string, Record<string, unknown>> {
  const said: Record<string, Record<string, unknown>> = {};
  for (const [kind, names] of Object.entries(WORDS)) {
    for (const [name, records] of Object.entries(names)) {
      if (pick(5) > 0) continue;
      said[kind] ??= {};
      said[kind][name] = records[pick(records.length)];
    }
  }
  return said;
}

suite('a firewall that is kept', requires('root', 'netns'), () => {
  for (const [seed, sets] of ['anonymous', 'named', 'auto', 'named'].entries()) {
    test(`comes to what a whole policy comes to, change by change: ${sets} sets, ${seed}`, () =>
      withKernel(async ({ nft, run }) => {
        const pick = numbers(seed + 1);
        const br1 = { shared: false, ...(seed > 1 && { backend: 'netdev' }) };
        const host = parseHost({ bridges: { br0: { uplinks: ['up0'] }, br1 }, sets });
        // What chains are hooked to has to be there; on which bridge is said.
        const ports = [0, 1, 2, 3, 4, 5].map((i) => `v${i}-0`).concat('up0', 'stranger');
        run('ip', ['-batch', '-'], ports.map((name) => `link add ${name} type bridge\n`).join(''));
        const some = () =>
          ports.flatMap((ifname) => {
            const bridge = ['br0', 'br1', 'elsewhere', undefined][pick(4)];
            return pick(3) === 0 ? [] : [{ ifname, ...(bridge !== undefined && { bridge }) }];
          });
        let facts: Facts = { ...(await factsOf(nft)), interfaces: [{ ifname: 'lo' }] };
        const vms: Record<string, unknown> = {};
        const words: Record<string, Record<string, unknown>> = {
          groups: { ...GROUPS },
          filters: {},
          networks: {},
        };
        // As a store numbers them: none in order of their names.
        const revisions = { v0: 9, v1: 3, v3: 1, v4: 2, v5: 3 };
        const policy = { ...words, vms };
        const firewall = new Firewall({ host, policy, facts });
        await apply(nft, firewall.rendering());
        let previous: Policy = parsePolicy(policy, { host }).policy;
        for (let step = 0; step < 40; step++) {
          const i = pick(6);
          const change = pick(4) === 0 ? {} : { [`v${i}`]: record(pick, i) };
          const said = pick(3) === 0 ? rewording(pick) : {};
          const before = firewall.hash;
          const seen = pick(2) === 0 ? some() : undefined;
          const { commands, undo } = firewall.change(change, said, {
            revisions,
            ...(seen && { interfaces: seen }),
          });
          if (pick(4) === 0) {
            undo();
            assert.equal(firewall.hash, before);
            continue;
          }
          if (seen) facts = { ...facts, interfaces: seen };
          if (commands.length > 0) await nft.commit(commands);
          for (const [records, changed] of [
            [vms, change],
            ...Object.entries(said).map(([kind, changed]) => [words[kind] as object, changed]),
          ] as Record<string, unknown>[][]) {
            Object.assign(records as object, changed);
            for (const [key, value] of Object.entries(changed as object))
              if (value === undefined) delete records?.[key];
          }
          const parsed = parsePolicy(policy, { host, previous, revisions });
          previous = parsed.policy;
          assert.deepEqual(sorted(firewall.problems), sorted(parsed.problems), `step ${step}`);
          assert.deepEqual(
            Object.fromEntries([...firewall.vms].sort()),
            Object.fromEntries(Object.entries(previous.vms).sort()),
          );
          const whole = render({ host, policy: previous, blocked: parsed.blocked, facts });
          assert.equal(firewall.hash, whole.hash);
          assert.deepEqual(firewall.rendering().ruleset.nftables.length, whole.ruleset.nftables.length);
          assert.deepEqual(firewall.rendering().uncovered, whole.uncovered);
          const { transaction } = await apply(nft, whole);
          assert.deepEqual(transaction.nftables, [], `step ${step}`);
        }
      }));
  }

  test('a port that comes or goes has hooks of its own, and no other is touched', () => {
    const host = parseHost({ bridges: { br0: { backend: 'netdev' } }, sets: 'named' });
    const nic = (i: number) => ({ ifname: `v${i}`, bridge: 'br0', mac: `02:00:00:00:00:0${i}` });
    const interfaces = [1, 2, 3].map((i) => ({ ifname: `v${i}`, bridge: 'br0' }));
    const vms = { v1: { nics: [nic(1)] }, v3: { nics: [nic(3)] } };
    const firewall = new Firewall({ host, policy: { vms }, facts: { interfaces } });
    const chains = (change: Record<string, unknown>, seen?: Interface[]) =>
      firewall.change(change, {}, seen && { interfaces: seen }).commands.flatMap((command) => {
        const [[verb, body] = ['', {}]] = Object.entries(command as Record<string, { chain?: Chain }>);
        return body.chain ? [`${verb} ${body.chain.name} ${body.chain.dev ?? ''}`.trim()] : [];
      });
    assert.deepEqual(chains({ v1: undefined }), [
      'flush vm_ingress/v1',
      'flush vm_egress/v1',
      'delete vm_ingress/v1',
      'delete vm_egress/v1',
      'add closed_ingress/v1 v1',
      'add closed_egress/v1 v1',
    ]);
    assert.deepEqual(chains({ v2: { nics: [nic(2)] } }), [
      'flush closed_ingress/v2',
      'flush closed_egress/v2',
      'delete closed_ingress/v2',
      'delete closed_egress/v2',
      'add vm_ingress/v2 v2',
      'add vm_egress/v2 v2',
    ]);
    assert.deepEqual(chains({}, interfaces.slice(1)), [
      'flush closed_ingress',
      'flush closed_ingress/v1',
      'flush closed_egress',
      'flush closed_egress/v1',
      'delete closed_ingress',
      'delete closed_ingress/v1',
      'delete closed_egress',
      'delete closed_egress/v1',
    ]);
  });

  test('one group is its own rules or members, whoever is in it, and no VM loses any', () => {
    const host = parseHost({ bridges: { br0: {} }, sets: 'named' });
    const vms = Object.fromEntries(
      Array.from({ length: 2000 }, (_, i) => {
        const mac = `02:00:00:00:${(i >> 8).toString(16).padStart(2, '0')}:${(i & 255).toString(16).padStart(2, '0')}`;
        return [`v${i}`, { nics: [{ ifname: `v${i}`, bridge: 'br0', mac, groups: ['web'] }] }];
      }),
    );
    const rules = (...ports: number[]) => [
      { direction: 'in', action: 'accept', protocol: 'tcp', ports, from: [{ group: 'lb' }] },
    ];
    const lb = { members: ['192.0.2.1'] };
    const firewall = new Firewall({ host, policy: { vms, groups: { web: { rules: rules(80) }, lb } } });
    const told = (words: Parameters<Firewall['change']>[1]) => {
      const { commands, problems } = firewall.change({}, words);
      assert.deepEqual(problems, []);
      return commands.map((command) => JSON.stringify(command).replaceAll(/"(family|table)":"\w+",/g, ''));
    };
    const ruled = told({ groups: { web: { rules: rules(80, 443) } } });
    assert.equal(ruled.filter((text) => text.startsWith('{"flush":{"chain"')).length, 2);
    assert.equal(ruled.filter((text) => text.startsWith('{"add":{"rule"')).length, 2, ruled.join('\n'));
    assert.equal(ruled.length, 4);
    assert.deepEqual(told({ groups: { lb: { members: ['192.0.2.1', '192.0.2.2'] } } }), [
      '{"add":{"element":{"name":"group_lb_ip_32","elem":["192.0.2.2"]}}}',
    ]);
    assert.deepEqual(told({ networks: {} }), []);
  });

  test('a group that goes takes the VMs that name it along, closed, and brings them back', () => {
    const host = parseHost({ bridges: { br0: {} }, sets: 'named' });
    const nic = { ifname: 'v1', bridge: 'br0', mac: '02:00:00:00:00:01', groups: ['web'] };
    const firewall = new Firewall({ host, policy: { vms: { a: { nics: [nic] } }, groups: { web: {} } } });
    const { hash } = firewall;
    const gone = firewall.change({}, { groups: { web: undefined } });
    assert.deepEqual(gone.problems, [
      { key: 'distributed-firewall/vm/a', path: '.nics[0].groups[0]', why: 'there is no group web' },
    ]);
    assert.match(JSON.stringify(gone.commands), /\["v1",\{"drop":null\}\]/);
    assert.equal(firewall.vms.size, 0);
    const back = firewall.change({}, { groups: { web: {} } });
    assert.deepEqual([back.problems, firewall.hash, firewall.vms.size], [[], hash, 1]);
    back.undo();
    assert.equal(firewall.vms.size, 0);
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

const sorted = (problems: readonly Problem[]) =>
  problems.map(({ key, path, why }) => `${key} ${path} ${why}`).sort();
