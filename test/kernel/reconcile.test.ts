import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { type Connection, connect, plan, type Ruleset, reconcile, stringify } from '../../src/index.ts';
import { isKernelSince } from '../../src/netlink/kernel-release.ts';
import { nftjs } from '../support/cli.ts';
import { find, type Kernel, rulesOf, withKernel } from '../support/kernel.ts';
import { requires } from '../support/requirements.ts';
import { dport, place, port, ports } from './ports.ts';

/** A connection whose commits somebody is faster than, so many times. */
function overtaken(nft: Connection, other: Connection, times: number) {
  let left = times;
  let snapshots = 0;
  return {
    get snapshots() {
      return snapshots;
    },
    generation: nft.generation.bind(nft),
    snapshot: (...args: Parameters<Connection['snapshot']>) => {
      snapshots++;
      return nft.snapshot(...args);
    },
    commit: async (...args: Parameters<Connection['commit']>) => {
      if (left-- > 0) await other.commit([{ add: { table: { family: 'ip', name: `other${left}` } } }]);
      return nft.commit(...args);
    },
  };
}

suite('reconcile', requires('root', 'netns'), () => {
  test('makes a table where there is none, and then has nothing to do', () =>
    withKernel(async ({ nft }) => {
      const { changed, generation, attempts } = await reconcile(nft, ports(22, 80));
      assert.equal(changed, true);
      assert.equal(attempts, 1);
      assert.equal(generation, await nft.generation());
      const again = await reconcile(nft, ports(22, 80));
      assert.deepEqual(again.transaction.nftables, []);
      assert.equal(again.changed, false);
      assert.equal(again.generation, generation);
      assert.equal(await nft.generation(), generation, 'something was sent');
    }));

  test('keeps the counters of what stays', () =>
    withKernel(async ({ nft }) => {
      await reconcile(nft, ports(22, 80, 443));
      const { ruleset } = await nft.snapshot();
      const counted = ruleset.nftables.flatMap((item) => ('rule' in item ? [item.rule] : []));
      const [, , second] = counted;
      assert.ok(second);
      await nft.commit([
        { replace: { rule: { ...second, expr: [port(80), { counter: { packets: 7, bytes: 70 } }] } } },
      ]);
      await reconcile(nft, ports(443, 80, 8080));
      assert.deepEqual(rulesOf(await nft.list(), 'c').slice(1), [
        [port(443), { counter: { packets: 0, bytes: 0 } }],
        [port(80), { counter: { packets: 7, bytes: 70 } }],
        [port(8080), { counter: { packets: 0, bytes: 0 } }],
      ]);
    }));

  test('leaves alone what is not its own, whoever puts it there', () =>
    withKernel(async ({ nft }) => {
      const other = { nftables: [{ table: { family: 'ip6', name: 't' } }] } as const;
      await nft.commit(other);
      await reconcile(nft, ports(22));
      await reconcile(nft, ports(23));
      const names = (await nft.list()).nftables.flatMap((item) =>
        'table' in item ? [item.table.family] : [],
      );
      assert.deepEqual(names.sort(), ['inet', 'ip6']);
    }));

  test("deletes a table that is said to be the caller's and is not desired", () =>
    withKernel(async ({ nft }) => {
      await reconcile(nft, ports(22));
      const tables = [{ family: 'inet', name: 't' }] as const;
      const { transaction } = await reconcile(nft, { nftables: [] }, { tables });
      assert.deepEqual(transaction.nftables, [{ delete: { table: tables[0] } }]);
      assert.equal((await reconcile(nft, { nftables: [] }, { tables })).changed, false);
    }));

  test('starts again when somebody else was faster', () =>
    withKernel(async ({ nft, netns }) => {
      await using other = connect({ netns });
      const { attempts, changed } = await reconcile(overtaken(nft, other, 2), ports(22));
      assert.equal(changed, true);
      assert.equal(attempts, 3);
      assert.deepEqual((await plan(nft, ports(22))).transaction.nftables, []);
    }));

  test('gives up after so many attempts', () =>
    withKernel(async ({ nft, netns }) => {
      await using other = connect({ netns });
      const hurried = overtaken(nft, other, 5);
      await assert.rejects(reconcile(hurried, ports(22), { attempts: 3 }), {
        name: 'TransactionError',
        code: 'ERESTART',
        outcome: 'refused',
      });
      assert.equal(hurried.snapshots, 3);
      await assert.rejects(nft.list({ family: 'inet', table: 't' }), { code: 'ENOENT' });
    }));

  test('changes nothing where the kernel refuses a part', () =>
    withKernel(async ({ nft }) => {
      await reconcile(nft, ports(22));
      const { generation, ruleset } = await nft.snapshot();
      const loop = ['a', 'b'].map((name) => ({ chain: { ...place, name } }) as const);
      const jumps = [
        { rule: { ...place, chain: 'a', expr: [{ jump: { target: 'b' } }] } },
        { rule: { ...place, chain: 'b', expr: [{ jump: { target: 'a' } }] } },
        { rule: { ...place, chain: 'c', expr: [{ jump: { target: 'a' } }] } },
      ] as const;
      await assert.rejects(reconcile(nft, { nftables: [...ports(23).nftables, ...loop, ...jumps] }), {
        name: 'TransactionError',
        code: /^(ELOOP|EMLINK)$/,
      });
      assert.deepEqual(await nft.snapshot(), { generation, ruleset });
    }));

  test('adds and removes elements one by one', () =>
    withKernel(async ({ nft }) => {
      const many = (...list: number[]): Ruleset => ({
        nftables: [
          { table: { family: 'inet', name: 't' } },
          { set: { ...place, name: 's', type: 'inet_service', elem: list } },
        ],
      });
      const all = Array.from({ length: 5000 }, (_, i) => i + 1);
      await reconcile(nft, many(...all));
      const { transaction } = await reconcile(nft, many(...all.slice(1), 6000));
      assert.deepEqual(transaction.nftables, [
        { delete: { element: { ...place, name: 's', elem: [1] } } },
        { add: { element: { ...place, name: 's', elem: [6000] } } },
      ]);
    }));
});

suite('reconcile in place', requires('root', 'netns'), () => {
  const uses = (expr: unknown) => ({ rule: { ...place, chain: 'c', expr: [expr, { counter: null }] } });
  const saddr = { payload: { protocol: 'ip', field: 'saddr' } };
  const whole = (kind: string, node: object, expr: unknown) =>
    ({
      nftables: [
        { table: { family: 'inet', name: 't' } },
        { [kind]: { ...place, name: 'x', ...node } },
        { chain: { ...place, name: 'c' } },
        uses(expr),
      ],
    }) as unknown as Ruleset;
  const lookup = { match: { op: '==', left: saddr, right: '@x' } };
  const timed = { type: 'ipv4_addr', flags: ['timeout'], timeout: 600, elem: ['192.0.2.1'] };

  for (const [title, since, kind, expr, before, after] of [
    ['a timeout', [6, 2], 'set', lookup, timed, { ...timed, timeout: 1200 }],
    ['no timeout any more', [6, 2], 'set', lookup, timed, { ...timed, timeout: undefined }],
    ['a gc-interval', [6, 2], 'set', lookup, timed, { ...timed, 'gc-interval': 5 }],
    [
      'a size',
      [6, 5],
      'set',
      lookup,
      { ...timed, size: 2 },
      { ...timed, size: 5, elem: ['192.0.2.1', '192.0.2.2'] },
    ],
    ['a quota', [5, 4], 'quota', { quota: 'x' }, { bytes: 1000 }, { bytes: 2000, inv: true }],
  ] as const) {
    test(
      `${title}: what refers to it goes on`,
      isKernelSince(...(since as readonly [number, number])) ? {} : { skip: `Linux ${since.join('.')}` },
      () =>
        withKernel(async ({ nft }) => {
          await reconcile(nft, whole(kind, before, expr));
          const old = await nft.list();
          const [rule] = old.nftables.flatMap((item) => ('rule' in item ? [item.rule] : []));
          const desired = whole(kind, after, expr);
          assert.equal((await reconcile(nft, desired)).changed, true);
          const now = await nft.list();
          assert.equal(find(now, kind, 'x').handle, find(old, kind, 'x').handle);
          const [kept] = now.nftables.flatMap((item) => ('rule' in item ? [item.rule] : []));
          assert.deepEqual(kept, rule);
          assert.deepEqual((await reconcile(nft, desired)).transaction.nftables, []);
          await withKernel(async (fresh) => {
            await fresh.nft.commit(desired);
            const thing = (listing: Ruleset) => {
              const { elem, handle: _, ...rest } = find(listing, kind, 'x');
              const keys = (elem as { elem: { val: string; timeout?: number } }[] | undefined)
                ?.map((one) => JSON.stringify([one.elem?.val ?? one, one.elem?.timeout]))
                .sort();
              return { ...rest, keys };
            };
            assert.deepEqual(thing(now), thing(await fresh.nft.list()));
          });
        }),
    );
  }

  test('a constant set is made anew', () =>
    withKernel(async ({ nft }) => {
      const constant = (...elem: string[]) =>
        whole('set', { type: 'ipv4_addr', flags: ['constant'], elem }, lookup);
      await reconcile(nft, constant('192.0.2.1'));
      await reconcile(nft, constant('192.0.2.1', '192.0.2.2'));
      assert.deepEqual(find(await nft.list(), 'set', 'x').elem, ['192.0.2.1', '192.0.2.2']);
      assert.equal((await reconcile(nft, constant('192.0.2.1', '192.0.2.2'))).changed, false);
    }));
});

suite('reconcile what packets fill', requires('root', 'netns', 'nft'), () => {
  const add = { op: 'add', elem: { payload: { protocol: 'ip', field: 'saddr' } } } as const;
  const filled: Ruleset = {
    nftables: [
      { table: { family: 'inet', name: 't' } },
      { set: { ...place, name: 's', type: 'ipv4_addr' } },
      { map: { ...place, name: 'm', type: 'ipv4_addr', map: 'inet_service' } },
      { chain: { ...place, name: 'c' } },
      { rule: { ...place, chain: 'c', expr: [{ set: { ...add, set: '@s' } }] } },
      { rule: { ...place, chain: 'c', expr: [{ map: { ...add, data: dport, map: '@m' } }] } },
    ],
  };

  test('has no difference where the kernel gave a size', () =>
    withKernel(async ({ nft }) => {
      await reconcile(nft, filled);
      const listing = await nft.list();
      assert.deepEqual([find(listing, 'set', 's').size, find(listing, 'map', 'm').size], [65535, 65535]);
      assert.deepEqual((await reconcile(nft, filled)).transaction.nftables, []);
      assert.deepEqual((await reconcile(nft, listing)).transaction.nftables, []);
    }));

  test('a listing of it can be committed elsewhere, whoever made it', () =>
    withKernel((kernel) =>
      withKernel(async (copy) => {
        kernel.load(
          `table inet t {
            set s { type ipv4_addr; }
            map m { type ipv4_addr : inet_service; }
            chain c { add @s { ip saddr }; add @m { ip saddr : tcp dport }; }
          }`,
        );
        const listing = await kernel.nft.list();
        await copy.nft.commit(listing);
        assert.equal(copy.text(), kernel.text());
        assert.deepEqual((await reconcile(copy.nft, listing)).transaction.nftables, []);
      }),
    ));
});

/** A ruleset for devices of these names, and the names that the kernel has for it afterwards. */
async function devicesAfter(
  kernel: Kernel,
  kind: 'chain' | 'flowtable',
  desired: (...dev: string[]) => Ruleset,
  ...steps: readonly (readonly string[])[]
): Promise<unknown[]> {
  for (const name of new Set(steps.flat())) kernel.run('ip', ['link', 'add', name, 'type', 'bridge']);
  const seen: unknown[] = [];
  for (const step of steps) {
    await reconcile(kernel.nft, desired(...step));
    seen.push([find(await kernel.nft.list(), kind, 'f').dev].flat().sort());
    assert.equal((await reconcile(kernel.nft, desired(...[...step].reverse()))).changed, false);
  }
  return seen;
}

const steps = [['d0'], ['d0', 'd1'], ['d1', 'd2'], ['d2']] as const;

test('reconcile devices of a chain', requires('root', 'netns', 'ip', 'bridge'), () =>
  withKernel(async (kernel) => {
    const at = { family: 'netdev', table: 't' } as const;
    const desired = (...dev: string[]): Ruleset => ({
      nftables: [
        { table: { family: 'netdev', name: 't' } },
        { chain: { ...at, name: 'f', type: 'filter', hook: 'ingress', prio: 0, dev } },
        { rule: { ...at, chain: 'f', expr: [{ counter: null }] } },
      ],
    });
    assert.deepEqual(await devicesAfter(kernel, 'chain', desired, ...steps), steps);
  }),
);

test('reconcile a device that two chains get', requires('root', 'netns', 'ip', 'bridge'), () =>
  withKernel(async ({ nft, run }) => {
    for (const name of ['d0', 'd1', 'd2']) run('ip', ['link', 'add', name, 'type', 'bridge']);
    const at = { family: 'netdev', table: 't', type: 'filter', prio: 0 } as const;
    const desired = (...dev: string[]): Ruleset => ({
      nftables: [
        { table: { family: 'netdev', name: 't' } },
        { chain: { ...at, name: 'in', hook: 'ingress', dev } },
        { chain: { ...at, name: 'out', hook: 'egress', dev } },
        { rule: { family: 'netdev', table: 't', chain: 'out', expr: [{ counter: null }] } },
      ],
    });
    for (const dev of [['d0'], ['d0', 'd1'], ['d1', 'd2'], ['d0']]) {
      await reconcile(nft, desired(...dev));
      assert.equal((await reconcile(nft, desired(...dev))).changed, false);
    }
  }),
);

test(
  'reconcile devices of a flowtable, in place',
  requires('root', 'netns', 'ip', 'bridge', 'flowtable'),
  () =>
    withKernel(async (kernel) => {
      const desired = (...dev: string[]): Ruleset => ({
        nftables: [
          { table: { family: 'inet', name: 't' } },
          { flowtable: { ...place, name: 'f', hook: 'ingress', prio: 0, dev } },
          { chain: { ...place, name: 'c', type: 'filter', hook: 'forward', prio: 0 } },
          { rule: { ...place, chain: 'c', expr: [{ flow: { op: 'add', flowtable: '@f' } }] } },
        ],
      });
      assert.deepEqual(await devicesAfter(kernel, 'flowtable', desired, ...steps), steps);
    }),
);

/** Runs the command line in the kernel's namespace, on a text as its standard input. */
function inside(kernel: Kernel, args: readonly string[], input: string) {
  return nftjs([...args, '--netns', kernel.netns, '-'], input);
}

suite('nftjs diff and apply --reconcile', requires('root', 'netns', 'nft'), () => {
  test('say what differs, and make it agree', () =>
    withKernel(async (kernel) => {
      const file = stringify(ports(22, 80));
      await kernel.nft.commit(ports(22));
      const { code, out } = await inside(kernel, ['diff'], file);
      assert.equal(code, 1);
      assert.equal(
        out,
        ['add element inet t ports { 80 }', 'add rule inet t c tcp dport 80 counter', ''].join('\n'),
      );
      const json = await inside(kernel, ['diff', '--json'], file);
      assert.equal(json.code, 1);
      assert.deepEqual(
        JSON.parse(json.out),
        JSON.parse(stringify((await plan(kernel.nft, ports(22, 80))).transaction)),
      );
      assert.deepEqual(await inside(kernel, ['apply', '--reconcile'], file), { code: 0, out: '', err: '' });
      assert.deepEqual(await inside(kernel, ['diff'], file), { code: 0, out: '', err: '' });
    }));

  test('nft makes the same of the commands that are shown', () =>
    withKernel(async (kernel) => {
      const file = stringify(ports(80, 443, 8443));
      await kernel.nft.commit(ports(22, 80, 8080));
      kernel.load((await inside(kernel, ['diff'], file)).out);
      assert.deepEqual(await inside(kernel, ['diff'], file), { code: 0, out: '', err: '' });
    }));

  test('tell trouble from difference', () =>
    withKernel(async (kernel) => {
      const bad = await inside(kernel, ['diff'], '{"nftables":[{"flush":{"ruleset":null}}]}');
      assert.equal(bad.code, 2);
      assert.match(bad.err, /^nftjs diff: nftables\[0\]\.flush\.ruleset: flush says what to do/);
      assert.equal((await inside(kernel, ['diff', '--what'], '{}')).code, 2);
      assert.equal((await inside(kernel, ['apply', '--check', '--reconcile'], '{}')).code, 2);
    }));
});
