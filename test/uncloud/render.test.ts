import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Chain, Command, NamedSet, Rule, Statement } from '../../src/model/index.ts';
import {
  hash,
  parseHost,
  parsePolicy,
  type Rendering,
  render,
  renderFaithful,
} from '../../src/uncloud/index.ts';
import { example, interfaces } from './example.ts';

type Kind = 'table' | 'chain' | 'set' | 'map' | 'rule';

function all<T>({ ruleset }: Rendering, kind: Kind): T[] {
  return ruleset.nftables.flatMap((command) => {
    const added = 'add' in command ? (command.add as Record<string, unknown>)[kind] : undefined;
    return added ? [added as T] : [];
  });
}

const rules = (rendering: Rendering, family: string, chain: string): (readonly Statement[])[] =>
  all<Rule>(rendering, 'rule')
    .filter((rule) => rule.family === family && rule.chain === chain)
    .map(({ expr = [] }) => expr);

/** The elements of a named set or map of family bridge. */
function elements(rendering: Rendering, name: string): unknown {
  const sets = [...all<NamedSet>(rendering, 'set'), ...all<NamedSet>(rendering, 'map')];
  return sets.find((set) => set.family === 'bridge' && set.name === name)?.elem;
}

const chains = (rendering: Rendering, family: string): Chain[] =>
  all<Chain>(rendering, 'chain').filter((chain) => chain.family === family);

/** A value with the keys of its objects, and the members of its plain objects' lists, in another order. */
function shuffled(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(shuffled).reverse();
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .map(([key, part]) => [key, shuffled(part)])
      .reverse(),
  );
}

/** A policy of `count` VMs, each with a card, addresses, a delegated network and a routed one. */
function many(count: number): unknown {
  const hex = (i: number) => i.toString(16);
  const vm = (i: number) => ({
    ipv6: [`2001:db8:${hex(0x1000 + i)}::/64`],
    nics: [
      {
        ifname: `v${i}-0`,
        bridge: 'br100',
        mac: `02:00:00:00:${hex(i >> 8).padStart(2, '0')}:${hex(i & 255).padStart(2, '0')}`,
        ipv4: [`10.${i >> 8}.${i & 255}.1/32`],
        ipv6: [`2001:db8:0:1::${hex(i)}:1/128`, `2001:db8:1:${hex(i)}::/64`],
      },
    ],
  });
  return { vms: Object.fromEntries(Array.from({ length: count }, (_, i) => [`vm${i}`, vm(i)])) };
}

function manyRendered(count: number, sets: string): Rendering {
  const host = parseHost({ bridges: { br100: { uplinks: ['vxlan100'] } }, sets });
  const { policy, problems } = parsePolicy(many(count), { host });
  assert.deepEqual(problems, []);
  return render({ host, policy });
}

describe('render', () => {
  const rendering = render({ ...example(), facts: { interfaces } });

  test('replaces our three tables, whole, and names no other', () => {
    const commands = rendering.ruleset.nftables as Command[];
    const table = (family: string) => ({ table: { family, name: 'uncloud' } });
    assert.deepEqual(
      commands.slice(0, 6),
      ['bridge', 'inet', 'netdev'].flatMap((family) => [{ add: table(family) }, { delete: table(family) }]),
    );
    for (const command of commands.slice(6)) {
      const [object] = Object.values((command as { add: object }).add) as { table?: string; name?: string }[];
      assert.equal(object?.table ?? object?.name, 'uncloud');
    }
  });

  test('hooks where the order of checks says, and fails closed', () => {
    const based = chains(rendering, 'bridge').filter(({ hook }) => hook);
    assert.deepEqual(
      based.map(({ hook, prio, policy }) => [hook, prio, policy]),
      [
        ['prerouting', -300, 'drop'],
        ['forward', -200, 'drop'],
        ['postrouting', 300, 'drop'],
      ],
    );
    assert.deepEqual(
      chains(rendering, 'inet').map(({ hook, prio, policy }) => [hook, prio, policy]),
      [['forward', 0, 'drop']],
    );
  });

  test('dispatches uplinks, ports, refused ports and strangers by name; other bridges go on', () => {
    const [dispatch, ports, closed, rest, ...more] = rules(rendering, 'bridge', 'prerouting');
    assert.deepEqual(dispatch, [{ vmap: { key: { meta: { key: 'iifname' } }, data: '@dispatch' } }]);
    assert.deepEqual(elements(rendering, 'dispatch'), [
      ['vxlan100', { accept: null }],
      ['vxlan200', { accept: null }],
      ['stranger', { drop: null }],
      ['v7-0', { drop: null }],
      ['v343a-0', { jump: { target: 'vm' } }],
      ['v343b-0', { jump: { target: 'vm' } }],
      ['v51a0-0', { jump: { target: 'vm' } }],
    ]);
    const among = (name: string) => ({
      match: { op: '==', left: { meta: { key: 'iifname' } }, right: name },
    });
    assert.deepEqual(ports, [among('@ports'), { drop: null }]);
    assert.deepEqual(closed, [among('@closed'), { drop: null }]);
    assert.deepEqual([rest, more], [[{ accept: null }], []]);
  });

  test('with ibrname, whatever else comes from or goes to a managed bridge drops', () => {
    const known = render({ ...example(), facts: { ibrname: true } });
    const bridges = '@closed_bridges';
    assert.deepEqual(elements(known, 'closed_bridges'), ['br100', 'br200']);
    assert.deepEqual(rules(known, 'bridge', 'prerouting').at(-2), [
      { match: { op: '==', left: { meta: { key: 'ibrname' } }, right: bridges } },
      { drop: null },
    ]);
    assert.deepEqual(rules(known, 'bridge', 'postrouting').at(-2), [
      { match: { op: '==', left: { meta: { key: 'obrname' } }, right: bridges } },
      { goto: { target: 'to_managed' } },
    ]);
    assert.deepEqual(rules(known, 'bridge', 'to_managed').at(-1), [{ drop: null }]);
  });

  test('every chain that is gone to exists', () => {
    const families = (['bridge', 'inet', 'netdev'] as const).map((family) => ({
      names: chains(rendering, family).map(({ name }) => name),
      text: JSON.stringify(
        all<{ family: string }>(rendering, 'rule').filter((rule) => rule.family === family),
      ),
    }));
    const targets = families.flatMap(({ names, text }) =>
      [...text.matchAll(/"(?:goto|jump)":\{"target":"([^"]+)"/g)].map(([, target]) => ({ names, target })),
    );
    assert.ok(targets.length > 20);
    assert.deepEqual(
      targets.filter(({ names, target }) => !names.includes(target as string)),
      [],
    );
  });

  test('the source decides before anything is accepted', () => {
    const owns = (expr: readonly Statement[]) => {
      const text = JSON.stringify(expr);
      return text.includes('"iifname"') && text.includes('"field":"saddr"') && text.includes('02:00:f0:a9:c');
    };
    // Chains that a frame reaches with its source proved; the others have to prove it themselves.
    const proved = new Set(['vm_ip_own', 'vm_ip6_own', 'vm_ip6_unspecified']);
    for (const name of ['vm_arp', 'vm_arp_sender', 'vm_rarp', 'vm_ip', 'vm_ip6']) {
      for (const expr of rules(rendering, 'bridge', name)) {
        const text = JSON.stringify(expr);
        const leads = /"accept"/.test(text) || [...proved].some((chain) => text.includes(`"${chain}"`));
        if (leads) assert.ok(owns(expr), `${name}: ${text}`);
      }
    }
    const entries = rules(rendering, 'bridge', 'vm').flatMap((expr) =>
      [...JSON.stringify(expr).matchAll(/"target":"(\w+)"/g)].map(([, target]) => target),
    );
    assert.deepEqual(entries.sort(), ['vm_arp', 'vm_ip', 'vm_ip6', 'vm_rarp']);
  });

  test('private networks alone may advertise routers and serve DHCP', () => {
    const only = { match: { op: '==', left: { meta: { key: 'iifname' } }, right: '@private' } };
    assert.deepEqual(elements(rendering, 'private'), ['v51a0-0']);
    for (const chain of ['vm_ip_own', 'vm_udp6', 'vm_icmpv6', 'vm_nd_advert', 'vm_ip6_upper']) {
      assert.deepEqual(rules(rendering, 'bridge', chain).at(-1)?.[1], only, chain);
    }
    const host = parseHost({ bridges: { br100: {} } });
    const { policy } = parsePolicy(many(2), { host });
    assert.doesNotMatch(JSON.stringify(rules(render({ host, policy }), 'bridge', 'vm_icmpv6')), /iifname/);
  });

  test('one rule for each prefix length, longest first, with the address masked', () => {
    const lookups = rules(rendering, 'bridge', 'vm_ip6').map((rule) => JSON.stringify(rule));
    assert.equal(lookups.length, 4);
    assert.doesNotMatch(lookups[0] ?? '', /"&"/);
    assert.match(lookups[1] ?? '', /"&":\[.*"ffff:ffff:ffff:ffff::"\]/);
    assert.match(lookups[2] ?? '', /"&":\[.*"ffc0::"\]/);
    assert.match(lookups[3] ?? '', /"::"/);
  });

  test('the forward allow-list has the seed, routed and own addresses, no private ones', () => {
    const text = JSON.stringify(rules(rendering, 'inet', 'forward'));
    for (const own of ['185.203.112.1', '10.0.0.1', '2a0a:e5c1:111:b::', '2a0a:e5c1:222::', '198.51.100.0']) {
      assert.ok(text.includes(`"${own}"`), own);
    }
    assert.ok(!text.includes('192.168.7.1'));
    assert.equal(chains(render(example({ forward: 'accept' })), 'inet').length, 0);
  });

  test('guards the ports that exist at ingress, and says which do not', () => {
    const [shared, ...hooked] = chains(rendering, 'netdev');
    assert.deepEqual([shared?.name, shared?.dev], ['ingress', undefined]);
    assert.deepEqual(
      hooked.map(({ name, dev }) => [name, dev]),
      [
        ['ingress/stranger', ['stranger']],
        ['ingress/v343a.2d0', ['v343a-0']],
        ['ingress/v51a0.2d0', ['v51a0-0']],
      ],
    );
    for (const { name } of hooked)
      assert.deepEqual(rules(rendering, 'netdev', name), [[{ goto: { target: 'ingress' } }]]);
    assert.deepEqual(rendering.uncovered, ['v343b-0', 'v7-0']);
  });

  test('the seed alone needs no bridge', () => {
    const { policy } = parsePolicy({ vms: { seed: { ipv6: ['2001:db8::/64'] } } });
    const seed = render({ host: parseHost({}), policy });
    assert.deepEqual(chains(seed, 'bridge'), []);
    assert.equal(rules(seed, 'inet', 'forward').length, 3);
  });

  test('an empty managed bridge still forwards nothing to strangers', () => {
    const host = parseHost({ bridges: { br100: {} } });
    const { policy } = parsePolicy({});
    const empty = render({ host, policy, facts: { interfaces, ibrname: true } });
    assert.deepEqual(rules(empty, 'bridge', 'to_managed'), [[{ drop: null }]]);
  });
});

describe('sets', () => {
  test('anonymous: none has a name but those that say whom rules are for', () => {
    const rendering = render(example());
    for (const { name, type } of all<NamedSet>(rendering, 'set')) assert.equal(type, 'ifname', name);
    assert.deepEqual(
      all<{ name: string; map: unknown }>(rendering, 'map').map(({ name, map }) => [name, map]),
      [
        ['dispatch', 'verdict'],
        ['macs_out', 'verdict'],
      ],
    );
  });

  test('named: every set of VMs has one, with room to grow, and each name once', () => {
    const rendering = render(example({ sets: 'named' }));
    const sets = all<NamedSet>(rendering, 'set').filter(({ family }) => family === 'bridge');
    const names = sets.map(({ name }) => name);
    assert.equal(new Set(names).size, names.length);
    for (const { name, size, elem } of sets) {
      assert.ok((size ?? 0) >= 2 * (elem as unknown[]).length, name);
      assert.ok(JSON.stringify(rendering.ruleset).includes(`"@${name}"`), name);
    }
    assert.doesNotMatch(JSON.stringify(all(rendering, 'rule')), /02:00:f0/);
  });

  test('auto: named from 32 elements on', () => {
    const names = (count: number) =>
      all<NamedSet>(manyRendered(count, 'auto'), 'set').map(({ name }) => name);
    assert.deepEqual(names(10).sort(), ['listed', 'ports']);
    assert.ok(
      ['macs', 'ip_32', 'ip6_128'].every((name) => names(100).includes(name)),
      String(names(100)),
    );
  });
});

describe('scale', () => {
  for (const sets of ['anonymous', 'named']) {
    test(`${sets}: as many rules and chains for 10,000 VMs as for one, within seconds`, () => {
      const start = performance.now();
      const large = manyRendered(10_000, sets);
      assert.ok(performance.now() - start < 10_000);
      const small = manyRendered(1, sets);
      assert.equal(all(large, 'rule').length, all(small, 'rule').length);
      assert.equal(all(large, 'chain').length, all(small, 'chain').length);
      assert.equal(all(large, 'set').length, all(small, 'set').length);
    });
  }
});

describe('hash', () => {
  test('is that of canonical JSON', () => {
    assert.equal(
      hash({ b: [1, { d: null, c: 'x' }], a: true }),
      hash({ a: true, b: [1, { c: 'x', d: null }] }),
    );
    assert.notEqual(hash([1, 2]), hash([2, 1]));
    assert.equal(hash({}), '44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a');
  });

  test('is the same for the same input in another order, whatever interfaces there are', () => {
    const first = manyRendered(20, 'anonymous');
    const host = parseHost(shuffled({ bridges: { br100: { uplinks: ['vxlan100'] } }, sets: 'anonymous' }));
    const { policy } = parsePolicy(shuffled(many(20)), { host });
    const second = render({ host, policy });
    assert.deepEqual(second, first);
    assert.equal(render({ host, policy, facts: { interfaces } }).hash, first.hash);
  });

  test('is another for another MAC', () => {
    const host = parseHost({ bridges: { br100: {} } });
    const of = (mac: string) =>
      render({
        host,
        policy: parsePolicy({ vms: { a: { nics: [{ ifname: 'a', bridge: 'br100', mac }] } } }).policy,
      });
    assert.notEqual(of('02:00:00:00:00:01').hash, of('02:00:00:00:00:02').hash);
  });
});

describe('renderFaithful', () => {
  const eq = (left: object, right: unknown) => ({ match: { op: '==', left, right } });
  const meta = (key: string) => ({ meta: { key } });
  const field = (protocol: string, name: string) => ({ payload: { protocol, field: name } });
  const rendering = renderFaithful({ ...example(), facts: { ibrname: true } });

  test('has the rules of the article for a shared network, in their order', () => {
    assert.deepEqual(rules(rendering, 'bridge', 'br100'), [
      [eq(meta('iifname'), 'vxlan100'), { accept: null }],
      [eq(field('icmpv6', 'type'), 'nd-router-advert'), { drop: null }],
      [eq(field('ip6', 'version'), 6), eq(field('udp', 'sport'), 547), { drop: null }],
      [eq(field('ip', 'version'), 4), eq(field('udp', 'sport'), 67), { drop: null }],
      [{ jump: { target: 'br100_vmlist' } }],
      [{ drop: null }],
    ]);
    const port = [eq(meta('iifname'), 'v343a-0'), eq(field('ether', 'saddr'), '02:00:f0:a9:c4:4f')];
    assert.deepEqual(rules(rendering, 'bridge', 'br100_vmlist').slice(0, 3), [
      [...port, eq(field('ip6', 'saddr'), '2a0a:e5c1:111:888:0:f0ff:fea9:c44f'), { accept: null }],
      [
        ...port,
        eq(field('ip6', 'saddr'), { prefix: { addr: '2a0a:e5c1:111:1234::', len: 64 } }),
        { accept: null },
      ],
      [...port, eq(field('ip', 'saddr'), '10.0.0.1'), { accept: null }],
    ]);
  });

  test('has no drops of advertisements on a private network', () => {
    assert.deepEqual(rules(rendering, 'bridge', 'br200'), [
      [eq(meta('iifname'), 'vxlan200'), { accept: null }],
      [{ jump: { target: 'br200_vmlist' } }],
      [{ drop: null }],
    ]);
  });

  test('dispatches by bridge, or by interface where the kernel has no ibrname', () => {
    assert.deepEqual(rules(rendering, 'bridge', 'prerouting'), [
      [eq(meta('ibrname'), 'br100'), { jump: { target: 'br100' } }],
      [eq(meta('ibrname'), 'br200'), { jump: { target: 'br200' } }],
    ]);
    assert.deepEqual(rules(renderFaithful(example()), 'bridge', 'prerouting'), [
      [eq(meta('iifname'), { set: ['vxlan100', 'v343a-0', 'v343b-0'] }), { jump: { target: 'br100' } }],
      [eq(meta('iifname'), { set: ['vxlan200', 'v51a0-0'] }), { jump: { target: 'br200' } }],
    ]);
  });
});
