import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { suite, test } from 'node:test';
import { parse } from '../../src/index.ts';
import { nftjs, withFiles } from '../support/cli.ts';
import { elementsOf, withKernel } from '../support/kernel.ts';
import { withNetns } from '../support/netns.ts';
import { requires } from '../support/requirements.ts';

const place = { family: 'inet', table: 't' };
const commands = {
  nftables: [
    { add: { table: { family: 'inet', name: 't' } } },
    { add: { chain: { ...place, name: 'c', type: 'filter', hook: 'input', prio: 0, policy: 'drop' } } },
    { add: { chain: { ...place, name: 'd' } } },
    { add: { set: { ...place, name: 's', type: 'ipv4_addr', elem: ['192.0.2.1'] } } },
    { add: { set: { ...place, name: 'u', type: 'ipv6_addr' } } },
    { add: { rule: { ...place, chain: 'c', expr: [{ accept: null }] } } },
    { add: { table: { family: 'ip', name: 'other' } } },
  ],
};
const json = JSON.stringify(commands);

/** The kinds and names of what is listed as JSON. */
function names(text: string): string[] {
  return elementsOf(parse(text)).map((element) => {
    const [[kind, node]] = Object.entries(element) as [[string, { name?: string; chain?: string }]];
    return `${kind} ${node.name ?? node.chain}`;
  });
}

suite('apply', requires('root', 'netns'), () => {
  test('commits a file or standard input, and says nothing', () =>
    withFiles((write) =>
      withKernel(async ({ nft, netns }) => {
        assert.deepEqual(await nftjs(['apply', '--netns', netns, write('r.json', json)]), {
          code: 0,
          out: '',
          err: '',
        });
        assert.equal(elementsOf(await nft.list()).length, 7);
        const flush = '{"nftables":[{"flush":{"ruleset":null}}]}';
        assert.equal((await nftjs(['apply', '--netns', netns, '-'], flush)).code, 0);
        assert.equal(elementsOf(await nft.list()).length, 0);
      }),
    ));

  test('--check commits nothing', () =>
    withKernel(async ({ nft, netns }) => {
      const before = await nft.generation();
      assert.deepEqual(await nftjs(['apply', '--check', '--netns', netns, '-'], json), {
        code: 0,
        out: '',
        err: '',
      });
      assert.equal(await nft.generation(), before);
      const wrong = '{"nftables":[{"delete":{"table":{"family":"ip","name":"none"}}}]}';
      const { code, err } = await nftjs(['apply', '--check', '--netns', netns, '-'], wrong);
      assert.equal(code, 1);
      assert.match(err, /nftables\[0\]\.delete\.table: ENOENT/);
    }));

  test('what is refused is exit code 1: where, and why', () =>
    withKernel(async ({ nft, netns }) => {
      const apply = (...list: readonly object[]) =>
        nftjs(['apply', '--netns', netns, '-'], JSON.stringify({ nftables: list }));
      const table = { add: { table: { family: 'inet', name: 't' } } };
      const byKernel = await apply(table, { delete: { chain: { ...place, name: 'x' } } });
      assert.deepEqual([byKernel.code, byKernel.out], [1, '']);
      assert.match(byKernel.err, /^nftjs apply: nftables\[1\]\.delete\.chain: ENOENT.*does not exist/);
      const here = await apply(table, { add: { set: { ...place, name: 's', type: 'ipv5_addr' } } });
      assert.equal(here.code, 1);
      assert.match(here.err, /nftables\[1\]\.add\.set.*ipv5_addr/);
      assert.deepEqual(elementsOf(await nft.list()), []);
    }));
});

suite('list', requires('root', 'netns'), () => {
  test('text by default, JSON on request, which apply takes back', () =>
    withKernel(async ({ nft, netns }) => {
      await nftjs(['apply', '--netns', netns, '-'], json);
      const text = await nftjs(['list', '--netns', netns]);
      assert.deepEqual([text.code, text.err], [0, '']);
      assert.match(text.out, /^table inet t \{\n/);
      assert.match(text.out, /policy drop;/);
      assert.equal((await nftjs(['list', '--text', '--netns', netns])).out, text.out);
      const listed = await nftjs(['list', '--json', '--netns', netns]);
      assert.equal(names(listed.out).length, 7);
      await nft.commit([{ flush: { ruleset: null } }]);
      assert.equal((await nftjs(['apply', '--netns', netns, '-'], listed.out)).code, 0);
      assert.equal((await nftjs(['list', '--netns', netns])).out, text.out);
    }));

  test('as much as is asked for', () =>
    withKernel(async ({ netns }) => {
      await nftjs(['apply', '--netns', netns, '-'], json);
      const scoped = async (...args: string[]) => {
        const { code, out, err } = await nftjs(['list', '--json', '--netns', netns, ...args]);
        assert.deepEqual([code, err], [0, '']);
        return names(out).sort();
      };
      assert.deepEqual(await scoped('--family', 'ip'), ['table other']);
      const all = ['chain c', 'chain d', 'rule c', 'set s', 'set u', 'table t'];
      assert.deepEqual(await scoped('--family', 'inet'), all);
      assert.deepEqual(await scoped('--table', 't'), all);
      assert.deepEqual(await scoped('--table', 't', '--chain', 'c'), ['chain c', 'rule c']);
      assert.deepEqual(await scoped('--table', 't', '--set', 's'), ['set s']);
      const none = await nftjs(['list', '--family', 'ip', '--table', 'none', '--netns', netns]);
      assert.deepEqual([none.code, none.out], [1, '']);
      assert.match(none.err, /ENOENT/);
      const terse = await nftjs(['list', '--json', '--terse', '--netns', netns]);
      assert.doesNotMatch(terse.out, /192\.0\.2\.1/);
      assert.equal((await nftjs(['list', '--family', 'ipv4', '--netns', netns])).code, 1);
    }));
});

suite('--netns', requires('root', 'netns', 'ip'), () => {
  const make = '{"nftables":[{"add":{"table":{"family":"ip","name":"here"}}}]}';

  test('takes a process', () =>
    withNetns(async (path, pid) => {
      assert.equal((await nftjs(['apply', '--netns', String(pid), '-'], make)).code, 0);
      assert.deepEqual(names((await nftjs(['list', '--json', '--netns', path])).out), ['table here']);
    }));

  test('takes a name of ip netns', async () => {
    const name = `nftjs-test-${process.pid}`;
    const ip = (...args: string[]) => {
      const { status, stderr } = spawnSync('ip', ['netns', ...args, name], { encoding: 'utf8' });
      assert.equal(status, 0, stderr);
    };
    ip('add');
    try {
      assert.equal((await nftjs(['apply', '--netns', name, '-'], make)).code, 0);
      const listed = await nftjs(['list', '--json', '--netns', `/run/netns/${name}`]);
      assert.deepEqual(names(listed.out), ['table here']);
    } finally {
      ip('delete');
    }
  });

  test('that is not there is exit code 1, and named', async () => {
    const { code, err } = await nftjs(['list', '--netns', 'none-of-that-name']);
    assert.equal(code, 1);
    assert.match(err, /none-of-that-name/);
  });
});
