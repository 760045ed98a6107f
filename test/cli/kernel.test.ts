import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { suite, test } from 'node:test';
import { parse } from '../../src/index.ts';
import { isKernelSince } from '../../src/netlink/kernel-release.ts';
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

/** Since when the kernel resets more than objects. */
const RESETS: Readonly<Record<string, readonly [major: number, minor: number]>> = {
  'reset-rules': [6, 2],
  'reset-elements': [6, 5],
};

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

suite('reset', requires('root', 'netns', 'nft'), () => {
  const loaded = `
    table inet t {
      counter k { packets 3 bytes 9; }
      counter l { packets 4 bytes 16; }
      quota q { over 100 bytes used 40 bytes; }
      set s { type ipv4_addr; counter; elements = { 192.0.2.1 counter packets 5 bytes 25 } }
      map m { type ipv4_addr : verdict; counter; elements = { 192.0.2.1 counter packets 6 bytes 36 : drop } }
      chain c { counter packets 7 bytes 49 accept; counter packets 8 bytes 64; }
      chain d { counter packets 9 bytes 81; }
    }
    table ip u {
      counter k { packets 1 bytes 1; }
      chain c { counter packets 2 bytes 4; }
    }`;
  /** Numbers of packets and of used bytes, in the order of nft's listing. */
  const counted = (text: string) => [...text.matchAll(/(?:packets|used) (\d+)/g)].map(([, n]) => Number(n));
  const inet = ['--family', 'inet', '--table', 't'];

  for (const [args, before, after, need] of [
    [
      ['counters', ...inet],
      [3, 4],
      [0, 0, 40, 5, 6, 7, 8, 9, 1, 2],
    ],
    [['counters', ...inet, '--name', 'l'], [4], [3, 0, 40, 5, 6, 7, 8, 9, 1, 2]],
    [['counters'], [3, 4, 1], [0, 0, 40, 5, 6, 7, 8, 9, 0, 2]],
    [['quotas', ...inet], [40], [3, 4, 5, 6, 7, 8, 9, 1, 2]],
    [['quotas', ...inet, '--name', 'q'], [40], [3, 4, 5, 6, 7, 8, 9, 1, 2]],
    [['rules', ...inet], [7, 8, 9], [3, 4, 40, 5, 6, 0, 0, 0, 1, 2], 'reset-rules'],
    [['rules', ...inet, '--chain', 'c'], [7, 8], [3, 4, 40, 5, 6, 0, 0, 9, 1, 2], 'reset-rules'],
    [['elements', ...inet, '--set', 's'], [5], [3, 4, 40, 0, 6, 7, 8, 9, 1, 2], 'reset-elements'],
    [
      ['elements', ...inet, '--set', 's', '--element', '192.0.2.1'],
      [5],
      [3, 4, 40, 0, 6, 7, 8, 9, 1, 2],
      'reset-elements',
    ],
    [
      ['elements', ...inet, '--set', 'm', '--element', '["192.0.2.1", {"drop": null}]'],
      [6],
      [3, 4, 40, 5, 0, 7, 8, 9, 1, 2],
      'reset-elements',
    ],
    [['elements', ...inet, '--set', 'm'], [6], [3, 4, 40, 5, 0, 7, 8, 9, 1, 2], 'reset-elements'],
  ] as const) {
    const skip = isKernelSince(...(RESETS[need ?? ''] ?? [0, 0]))
      ? {}
      : { skip: `${need}: not in this kernel` };
    test(args.join(' '), skip, () =>
      withKernel(async (kernel) => {
        kernel.load(loaded);
        const { code, out, err } = await nftjs(['reset', ...args, '--netns', kernel.netns]);
        assert.deepEqual([code, err], [0, '']);
        assert.deepEqual(counted(out), before);
        assert.deepEqual(counted(kernel.text()), after);
      }),
    );
  }

  test('one rule, by its handle, as JSON', () =>
    withKernel(async (kernel) => {
      kernel.load(loaded);
      const { nftables } = kernel.json();
      const second = nftables.flatMap((item) => ('rule' in item ? [item.rule] : []))[1];
      const args = ['rules', ...inet, '--chain', 'c', '--handle', String(second?.handle), '--json'];
      const { code, out, err } = await nftjs(['reset', ...args, '--netns', kernel.netns]);
      assert.deepEqual([code, err], [0, '']);
      assert.deepEqual(JSON.parse(out).nftables[0].rule.expr, [{ counter: { packets: 8, bytes: 64 } }]);
      assert.deepEqual(counted(kernel.text()), [3, 4, 40, 5, 6, 7, 0, 9, 1, 2]);
    }));

  test('what is not there is exit code 1; what cannot be meant, 2', () =>
    withKernel(async (kernel) => {
      const run = (...args: string[]) => nftjs(['reset', ...args, '--netns', kernel.netns]);
      assert.equal((await run('counters', ...inet, '--name', 'none')).code, 1);
      assert.match((await run('rules', '--table', 't')).err, /family/);
      assert.equal((await run('rules', '--table', 't')).code, 1);
      for (const args of [
        [],
        ['limits'],
        ['counters', '--name', 'k'],
        ['counters', ...inet, '--chain', 'c'],
        ['rules', ...inet, '--handle', '3'],
        ['rules', ...inet, '--chain', 'c', '--handle', 'x'],
        ['elements', ...inet],
      ]) {
        assert.equal((await run(...args)).code, 2, args.join(' '));
      }
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
