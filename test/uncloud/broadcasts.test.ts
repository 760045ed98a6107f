import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { connect, type Ruleset } from '../../src/index.ts';
import { fakeConnection } from '../../src/testing/index.ts';
import { apply, Firewall, factsOf, parseHost, parsePolicy, render } from '../../src/uncloud/index.ts';
import { alice, bob, host, plan, policy, router } from '../support/frames/network.ts';
import { arp, BROADCAST, ethernet, ipv4, ipv6, multicastMac, udp } from '../support/frames/packet/index.ts';
import { Rig } from '../support/frames/rig.ts';
import { requires } from '../support/requirements.ts';

interface Change {
  readonly bridge?: unknown;
  readonly nic?: unknown;
  readonly backend?: string;
  readonly sets?: string;
  readonly log?: boolean;
}

/** The example host and policy, with what the shared bridge and alice say of broadcasts. */
function described({ bridge, nic, backend = 'bridge', sets = 'anonymous', log = false }: Change) {
  const bridges = Object.fromEntries(
    Object.entries(host.bridges).map(([name, each]) => [
      name,
      { ...each, backend, ...(name === alice.bridge && bridge !== undefined && { broadcasts: bridge }) },
    ]),
  );
  const vms = Object.fromEntries(
    Object.entries(policy.vms).map(([id, { nics }]) => [
      id,
      {
        nics: nics.map((each) => ({
          ...each,
          log,
          ...(each.ifname === alice.port && nic !== undefined && { broadcasts: nic }),
        })),
      },
    ]),
  );
  return { host: { ...host, bridges, sets }, policy: { vms } };
}

function rendered(change: Change): Ruleset {
  const said = described(change);
  const parsed = parseHost(said.host);
  const { policy, problems } = parsePolicy(said.policy, { host: parsed });
  assert.deepEqual(problems, []);
  return render({ host: parsed, policy }).ruleset;
}

const names = ({ nftables }: Ruleset, kind: 'chain' | 'set'): string[] =>
  nftables.flatMap((item) => {
    const added = 'add' in item ? (item.add as Record<string, { name: string }>)[kind] : undefined;
    return added ? [added.name] : [];
  });

suite('the limit on broadcasts: what may be said', () => {
  for (const wrong of ['0/second', '5', '5/fortnight', 5, null, { rate: 5 }]) {
    test(`${JSON.stringify(wrong)} is refused, with its place`, () => {
      assert.throws(() => parseHost(described({ bridge: wrong }).host), {
        key: 'host',
        path: '.bridges.br100.broadcasts',
      });
      const { problems } = parsePolicy(described({ nic: wrong }).policy);
      assert.deepEqual(
        problems.map(({ key, path }) => [key, path]),
        [['distributed-firewall/vm/343a', '.nics[0].broadcasts']],
      );
    });
  }

  test('a bridge that says any is refused: it only has to say nothing', () => {
    assert.throws(() => parseHost(described({ bridge: 'any' }).host), { path: '.bridges.br100.broadcasts' });
  });
});

suite('the limit on broadcasts: what is made of it', () => {
  const isOurs = (name: string) => name.startsWith('broadcasts') || name === 'too_many';

  test('nothing where nobody has a limit', () => {
    for (const ruleset of [rendered({}), rendered({ nic: 'any' })]) {
      assert.deepEqual([...names(ruleset, 'chain'), ...names(ruleset, 'set')].filter(isOurs), []);
    }
    assert.deepEqual(rendered({ nic: 'any' }), rendered({}));
  });

  test('a chain and a set for each rate, however many ports have it', () => {
    const ruleset = rendered({ bridge: '100/second', nic: '5/hour' });
    assert.deepEqual(names(ruleset, 'chain').filter(isOurs), [
      'too_many',
      'broadcasts/100/second/vm',
      'broadcasts/5/hour/vm',
    ]);
    assert.deepEqual(names(ruleset, 'set').filter(isOurs), ['broadcasts_100_second', 'broadcasts_5_hour']);
  });

  test('applied twice it sends nothing; another rate for one VM changes what is about that', async () => {
    const said = described({ bridge: '100/second', sets: 'named' });
    const interfaces = [
      { name: 'lo', index: 1 },
      { name: 'eth0', index: 2 },
    ];
    using nft = fakeConnection({ interfaces });
    const parsed = parseHost(said.host);
    const firewall = new Firewall({ host: parsed, policy: said.policy });
    await apply(nft, firewall.rendering());
    const commits = nft.kernel.commits.length;
    await apply(nft, firewall.rendering());
    assert.equal(nft.kernel.commits.length, commits);

    const other = described({ bridge: '100/second', nic: '5/minute', sets: 'named' });
    const { commands } = firewall.change({ '343a': other.policy.vms['343a'] });
    await nft.commit(commands);
    const { policy: whole } = parsePolicy(other.policy, { host: parsed });
    await apply(nft, render({ host: parsed, policy: whole }));
    assert.equal(nft.kernel.commits.length, commits + 1, 'the change did not come to what apply comes to');
    const { nftables } = await nft.list({ terse: true });
    const sets = nftables.flatMap((item) => ('set' in item ? [item.set] : []));
    const kept = sets.filter(({ name }) => name.startsWith('broadcasts_'));
    assert.deepEqual(
      kept.map(({ name, timeout }) => [name, timeout]),
      [
        ['broadcasts_100_second', 60],
        ['broadcasts_5_minute', 60],
      ],
    );
  });
});

const forms = (['bridge', 'netdev'] as const).flatMap((backend) =>
  (['anonymous', 'named', 'auto'] as const).map((sets) => ({ backend, sets })),
);

type Who = typeof alice;

const whoHas = ({ mac, ipv4: spa }: Who, number: number): Buffer =>
  ethernet({ src: mac, dst: BROADCAST }, arp({ op: 1, sha: mac, spa, tpa: `10.0.1.${number}` }));
const toGroup = ({ mac, ipv6: src }: Who, number: number): Buffer =>
  ethernet({ src: mac, dst: multicastMac('ff02::fb') }, ipv6({ src, dst: 'ff02::fb' }, udp(5353, number)));
const toRouter = ({ mac, ipv4: src }: Who, number: number): Buffer =>
  ethernet({ src: mac, dst: router.mac }, ipv4({ src, dst: '192.0.2.1' }, udp(number, 53)));

const each = (count: number, frame: (number: number) => Buffer) =>
  Array.from({ length: count }, (_, number) => frame(number + 1));

for (const { backend, sets } of forms) {
  suite(
    `the limit on broadcasts: backend ${backend}, ${sets} sets`,
    requires('root', 'ip', 'bridge', 'veth'),
    () => {
      const built = async (change: Change): Promise<Rig> => {
        const rig = await Rig.build(plan);
        using nft = connect({ netns: rig.netns });
        const said = described({ ...change, backend, sets });
        const parsed = parseHost(said.host);
        const { policy } = parsePolicy(said.policy, { host: parsed });
        await apply(nft, render({ host: parsed, policy, facts: await factsOf(nft) }));
        return rig;
      };
      /** How many of the frames reached somebody. */
      const passed = (rig: Rig, { port }: Who, frames: readonly Buffer[]): number =>
        rig.deliverAll(frames.map((frame) => ({ port, frame }))).arrivedAt.filter((at) => at.length > 0)
          .length;

      test('so many frames to all and to groups, and no more; to one machine any number', async () => {
        using rig = await built({ bridge: '6/hour', log: sets === 'named' });
        assert.equal(
          passed(
            rig,
            alice,
            each(4, (n) => whoHas(alice, n)),
          ),
          4,
        );
        assert.equal(
          passed(
            rig,
            alice,
            each(5, (n) => toGroup(alice, n)),
          ),
          2,
          'both count together',
        );
        assert.equal(
          passed(
            rig,
            alice,
            each(3, (n) => whoHas(alice, 10 + n)),
          ),
          0,
        );
        assert.equal(
          passed(
            rig,
            alice,
            each(20, (n) => toRouter(alice, n)),
          ),
          20,
        );
        assert.equal(
          passed(
            rig,
            bob,
            each(8, (n) => whoHas(bob, n)),
          ),
          6,
          'every port has its own count',
        );
        assert.equal(
          passed(
            rig,
            router,
            each(20, (n) => whoHas(router, n)),
          ),
          20,
          'uplinks have no limit',
        );
      });

      test('nothing passes by it that may not', async () => {
        using rig = await built({ bridge: '6/hour' });
        const foreign = each(3, (n) => whoHas({ ...alice, ipv4: bob.ipv4 }, n));
        const spoofed = each(3, (n) => toGroup({ ...alice, mac: bob.mac }, n));
        assert.equal(passed(rig, alice, [...foreign, ...spoofed]), 0);
        assert.equal(
          passed(
            rig,
            alice,
            each(3, (n) => whoHas({ ...alice, ipv4: bob.ipv4 }, 10 + n)),
          ),
          0,
        );
      });

      test('a NIC has what it says itself, more or less than its bridge; a bridge without leaves it alone', async () => {
        using less = await built({ bridge: '6/hour', nic: '2/day' });
        assert.equal(
          passed(
            less,
            alice,
            each(5, (n) => whoHas(alice, n)),
          ),
          2,
        );
        assert.equal(
          passed(
            less,
            bob,
            each(8, (n) => whoHas(bob, n)),
          ),
          6,
        );
        using any = await built({ bridge: '6/hour', nic: 'any' });
        assert.equal(
          passed(
            any,
            alice,
            each(20, (n) => whoHas(alice, n)),
          ),
          20,
        );
        using alone = await built({ nic: '3/hour' });
        assert.equal(
          passed(
            alone,
            alice,
            each(5, (n) => whoHas(alice, n)),
          ),
          3,
        );
        assert.equal(
          passed(
            alone,
            bob,
            each(20, (n) => whoHas(bob, n)),
          ),
          20,
        );
      });
    },
  );
}
