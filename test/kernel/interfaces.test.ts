import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { CompileError, type Rule } from '../../src/index.ts';
import { elementsOf, withKernel } from '../support/kernel.ts';
import { requires } from '../support/requirements.ts';
import { limit } from '../support/wait.ts';

const place = { family: 'inet', table: 't', chain: 'c' } as const;
const base = [
  { add: { table: { family: 'inet', name: 't' } } },
  { add: { chain: { family: 'inet', table: 't', name: 'c' } } },
] as const;
const iif = (name: string) => ({ match: { op: '==', left: { meta: { key: 'iif' } }, right: name } }) as const;
const rule = (name: string) => ({ add: { rule: { ...place, expr: [iif(name)] } } }) as const;

suite(
  'interfaces by their index, in another network namespace',
  requires('root', 'netns', 'ip', 'nft', 'bridge'),
  () => {
    test('are those of the namespace, in rules and sets, both ways', () =>
      withKernel(async ({ nft, run, json }) => {
        // Indices that the process's own namespace does not have, for names that it may have.
        run('ip', ['link', 'add', 'eth0', 'index', '7001', 'type', 'bridge']);
        run('ip', ['link', 'add', 'only-here', 'index', '7002', 'type', 'bridge']);
        const set = { family: 'inet', table: 't', name: 's' } as const;
        await nft.commit([...base, rule('only-here')]);
        nft.commitSync([
          rule('eth0'),
          { add: { set: { ...set, type: 'iface_index', elem: ['eth0', 'only-here'] } } },
        ]);
        await nft.check([rule('eth0')]);
        const rules = (listing: ReturnType<typeof json>) =>
          elementsOf(listing).flatMap((one) => ('rule' in one ? [(one.rule as Rule).expr] : []));
        const expected = [[iif('only-here')], [iif('eth0')]];
        assert.deepEqual(rules(json()), expected, 'as nft sees it there');
        assert.deepEqual(rules(await nft.list()), expected);
        const elements: unknown[] = [];
        for await (const element of nft.elements(set)) elements.push(element);
        assert.deepEqual(new Set(elements), new Set(['eth0', 'only-here']));
      }));

    test('are refused where the namespace has none of that name, and nothing is changed', () =>
      withKernel(async ({ nft, run }) => {
        const generation = await nft.generation();
        for (const name of ['nftjs-none', 'eth0']) {
          const wrong = (error: unknown) =>
            error instanceof CompileError && error.path.startsWith('[2].add.rule.expr[0]');
          await assert.rejects(nft.commit([...base, rule(name)]), wrong);
          assert.throws(() => nft.commitSync([...base, rule(name)]), wrong);
        }
        assert.equal(await nft.generation(), generation);
        run('ip', ['link', 'add', 'eth0', 'index', '7003', 'type', 'bridge']);
        await nft.commit([...base, rule('eth0')]);
      }));

    test('transactions keep their order, whether they name interfaces or not', () =>
      withKernel(async ({ nft }) => {
        const counters = Array.from({ length: 6 }, (_, i) => `n${i}`);
        await nft.commit(base);
        const commits = counters.flatMap((name, i) => [
          nft.commit([i % 2 === 0 ? rule('lo') : { add: { counter: { family: 'inet', table: 't', name } } }]),
        ]);
        const generations = (await Promise.all(commits)).map(({ generation }) => generation);
        assert.deepEqual(
          generations,
          [...generations].sort((a, b) => a - b),
        );
      }));

    test('are named in what a monitor tells', () =>
      withKernel(async ({ nft, run }) => {
        await nft.commit(base);
        using feed = nft.monitor({ signal: limit('the rule is told') });
        run('ip', ['link', 'add', 'late', 'index', '7004', 'type', 'bridge']);
        await nft.commit([rule('late')]);
        for await (const event of feed) {
          if (event.overrun) continue;
          assert.ok(JSON.stringify(event.changes).includes('"late"'), JSON.stringify(event.changes));
          break;
        }
      }));
  },
);
