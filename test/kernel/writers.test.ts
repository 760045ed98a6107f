import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { suite, test } from 'node:test';
import {
  type Connection,
  connect,
  diff,
  plan,
  type Ruleset,
  reconcile,
  TransactionError,
} from '../../src/index.ts';
import { find, rulesOf, withKernel } from '../support/kernel.ts';
import { requires } from '../support/requirements.ts';
import { place, port, ports } from './ports.ts';

/** How long writers get in each other's way: NFTJS_SECONDS=60 is what a release is tried with. */
const seconds = Number(process.env.NFTJS_SECONDS ?? 3);

/** A shell that makes one transaction of nft for each line that it reads, and says which one is through. */
const WRITER = `
i=0
while read -r _; do
  i=$((i + 1))
  printf '%s\\n' \\
    'flush set inet t left' 'flush set inet t right' \\
    "add element inet t left { $i }" "add element inet t right { $i }" \\
    "insert rule inet t c tcp dport $i drop" "add element ip theirs noted { $i }" | cat | nft -f - || exit 1
  echo $i
done`;

suite('several writers', requires('root', 'netns', 'nft'), () => {
  const counter = (name: string) =>
    ({ set: { ...place, name, type: 'inet_service', flags: ['dynamic'], size: 65535 } }) as const;
  const desired = (...list: number[]): Ruleset => ({
    nftables: [...ports(...list).nftables, counter('left'), counter('right')],
  });
  const noted = { family: 'ip', table: 'theirs', name: 'noted', type: 'inet_service' } as const;

  test('nft and reconcile lose nothing of each other, and no snapshot is torn', (t) =>
    withKernel(async ({ nft, netns }) => {
      await nft.commit([...desired().nftables, { table: { family: 'ip', name: 'theirs' } }, { set: noted }]);
      // Gaps that a reconcile sometimes fits into, on machines of any speed.
      const start = performance.now();
      await plan(nft, desired(1, 2));
      const alone = performance.now() - start;
      const pause = () => Math.random() * 4 * alone;
      const writer = spawn('nsenter', [`--net=${netns}`, 'sh', '-c', WRITER], {
        stdio: ['pipe', 'pipe', 'inherit'],
      });
      const exited = once(writer, 'exit');
      let written = 0;
      createInterface({ input: writer.stdout }).on('line', (line) => {
        written = Number(line);
        setTimeout(() => !writer.stdin.writableEnded && writer.stdin.write('\n'), pause());
      });
      writer.stdin.write('\n');

      const guarded = {
        generation: nft.generation.bind(nft),
        snapshot: nft.snapshot.bind(nft),
        commit: async (...[commands, options]: Parameters<Connection['commit']>) => {
          const result = await nft.commit(commands, options);
          assert.equal(
            result.generation,
            (options?.generation ?? 0) + 1,
            'committed over what nobody had read',
          );
          return result;
        },
      };
      let committed = 0;
      let snapshots = 0;
      const end = Date.now() + seconds * 1000;
      try {
        for (let i = 0; Date.now() < end; i++) {
          const { changed } = await reconcile(guarded, desired(30_000 + (i % 7), 40_000 + (i % 5)), {
            attempts: 1000,
          });
          committed += changed ? 1 : 0;
          const { ruleset } = await nft.snapshot({ family: 'inet', table: 't' });
          assert.deepEqual(find(ruleset, 'set', 'left').elem, find(ruleset, 'set', 'right').elem, 'torn');
          snapshots++;
        }
      } finally {
        writer.stdin.end();
        await exited;
      }
      assert.equal(writer.exitCode, 0);
      t.diagnostic(`commits: ${committed} of reconcile, ${written} of nft; snapshots: ${snapshots}`);
      assert.ok(written > 0 && committed > 0 && snapshots > 0);

      await reconcile(nft, desired(22));
      const listing = await nft.list();
      assert.deepEqual(
        find(listing, 'set', 'noted').elem,
        Array.from({ length: written }, (_, i) => i + 1),
      );
      assert.deepEqual(find(listing, 'set', 'left').elem, [written]);
      assert.deepEqual(
        rulesOf(listing, 'c').map((expr) => (expr as unknown[])[0]),
        [port('@ports'), port(22)],
      );
    }));

  test('three reconcilers and nft keep four tables, each its own', (t) =>
    withKernel(async ({ nft, netns }) => {
      const names = ['a', 'b', 'c'] as const;
      const tableOf = (name: string, ...list: number[]): Ruleset => ({
        nftables: ports(...list).nftables.map((item) => {
          const [[kind, node]] = Object.entries(item) as [[string, object]];
          return { [kind]: { ...node, ...(kind === 'table' ? { name } : { table: name }) } } as never;
        }),
      });
      const end = Date.now() + seconds * 1000;
      const commits = { ours: 0, theirs: 0, attempts: 0 };
      const keep = async (name: string, salt: number) => {
        await using own = connect({ netns });
        for (let i = 0; Date.now() < end; i++) {
          const wanted = tableOf(name, salt + (i % 5), salt + 10 + (i % 3));
          const { changed, attempts, generation } = await reconcile(own, wanted, { attempts: 10_000 });
          commits.ours += changed ? 1 : 0;
          commits.attempts += attempts;
          assert.ok(generation > 0);
          // Nobody but itself changes its table: what it made is there, whole, whatever others do.
          const { ruleset } = await own.snapshot({ family: 'inet', table: name });
          assert.deepEqual(diff(ruleset, wanted).nftables, [], `the table ${name} is not what was committed`);
        }
      };
      const disturb = async () => {
        while (Date.now() < end) {
          const child = spawn(
            'nsenter',
            [
              `--net=${netns}`,
              'nft',
              `add table ip z; flush table ip z; add chain ip z c${commits.theirs % 50}`,
            ],
            { stdio: 'inherit' },
          );
          assert.deepEqual(await once(child, 'close'), [0, null]);
          commits.theirs++;
        }
      };
      await Promise.all([...names.map((name, i) => keep(name, 1000 * (i + 1))), disturb()]);
      t.diagnostic(`commits: ${commits.ours} in ${commits.attempts} attempts, ${commits.theirs} of nft`);
      assert.ok(commits.ours > 3 && commits.theirs > 0, JSON.stringify(commits));
      const chains = (await nft.list({ family: 'ip', table: 'z' })).nftables.filter(
        (item) => 'chain' in item,
      );
      assert.equal(chains.length, Math.min(50, commits.theirs));
    }));

  test('no update of three guarded writers is lost', (t) =>
    withKernel(async ({ nft, netns }) => {
      const elem = (n: number) => ({ element: { ...place, name: 'n', elem: [n] } });
      await nft.commit([
        { add: { table: { family: 'inet', name: 't' } } },
        { add: { set: { ...place, name: 'n', type: 'inet_service' } } },
        { add: elem(1) },
      ]);
      const end = Date.now() + seconds * 1000;
      let refused = 0;
      const count = async () => {
        await using own = connect({ netns });
        let done = 0;
        while (Date.now() < end && done < 20_000) {
          const { ruleset, generation } = await own.snapshot({ family: 'inet', table: 't' });
          const [n] = find(ruleset, 'set', 'n').elem as number[];
          assert.ok(n !== undefined, 'torn');
          try {
            await own.commit([{ delete: elem(n) }, { add: elem(n + 1) }], { generation });
            done++;
          } catch (error) {
            assert.ok(error instanceof TransactionError && error.code === 'ERESTART');
            refused++;
          }
        }
        return done;
      };
      const done = await Promise.all([count(), count(), count()]);
      assert.ok(refused > 0, 'nobody was in the way');
      t.diagnostic(`commits of each: ${done.join(', ')}; refused because of another: ${refused}`);
      const total = done.reduce((sum, one) => sum + one, 1);
      assert.deepEqual(find(await nft.list(), 'set', 'n').elem, [total]);
    }));
});
