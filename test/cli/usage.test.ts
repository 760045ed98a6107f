import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { nftjs } from '../support/cli.ts';

const main = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));

/** The command line in a process of its own. */
function spawned(args: readonly string[], input = '') {
  return spawnSync(process.execPath, ['--import', 'tsx', main, ...args], { input, encoding: 'utf8' });
}

test('--help names every command, and every command explains itself', async () => {
  const { code, out, err } = await nftjs(['--help']);
  assert.deepEqual([code, err], [0, '']);
  const names = [...out.matchAll(/^ {2}([a-z]+) {2,}\S/gm)].map(([, name]) => name as string);
  for (const name of ['apply', 'list', 'compile', 'uncloud']) assert.ok(names.includes(name), name);
  for (const name of names) {
    for (const flag of ['--help', '-h']) {
      const help = await nftjs([name, flag]);
      assert.deepEqual([help.code, help.err], [0, ''], name);
      assert.ok(help.out.startsWith(`Usage: nftjs ${name}`), name);
      assert.match(help.out, /^Example/m, name);
    }
  }
  assert.deepEqual(await nftjs(['help']), { code: 0, out, err });
});

test('a wrong command line is exit code 2, with a way out, and nothing on standard output', async () => {
  const wrong: [string[], RegExp][] = [
    [[], /^Usage: nftjs COMMAND/],
    [['aply'], /no command aply: expected apply/],
    [['apply'], /argument is missing.*--help/s],
    [['apply', 'a', 'b'], /unexpected argument: b/],
    [['apply', '--chek', 'a'], /--chek/],
    [['list', 'a'], /unexpected argument: a/],
    [['list', '--json', '--text'], /either --json or --text/],
    [['list', '--chain', 'c'], /need --table/],
    [['list', '--set', 's'], /need --table/],
    [['list', '--table'], /--table/],
    [['compile'], /argument is missing/],
    [['compile', '--jsonl', 'a'], /unexpected argument: a/],
    [['uncloud'], /argument is missing/],
    [['uncloud', 'rendr'], /expected render, apply, check, .*teardown, not rendr/],
    [['uncloud', 'render'], /--host and --policy/],
  ];
  for (const [args, pattern] of wrong) {
    const { code, out, err } = await nftjs(args);
    assert.deepEqual([code, out], [2, ''], args.join(' '));
    assert.match(err, pattern, args.join(' '));
  }
});

test('a file that is not there, or is no JSON, is exit code 1 and named', async () => {
  const missing = await nftjs(['apply', '/none/of/that/name']);
  assert.equal(missing.code, 1);
  assert.match(missing.err, /^nftjs apply: .*\/none\/of\/that\/name/);
  const torn = await nftjs(['apply', '-'], '{"nftables": [');
  assert.equal(torn.code, 1);
  assert.match(torn.err, /^nftjs apply: -: .*JSON/);
});

test('the program itself: exit codes, standard input and output', () => {
  const help = spawned(['--help']);
  assert.deepEqual([help.status, help.stderr], [0, '']);
  const wrong = spawned(['aply']);
  assert.deepEqual([wrong.status, wrong.stdout], [2, '']);
  const line = '{"family":"ip","table":"t","chain":"c","expr":[{"accept":null}]}\n';
  const compiled = spawned(['compile', '--jsonl'], line);
  assert.deepEqual([compiled.status, compiled.stderr], [0, '']);
  assert.deepEqual(JSON.parse(compiled.stdout), { bytecode: ['ip t c', '[ immediate reg 0 accept ]'] });
  const refused = spawned(['compile', '-'], '{"nftables":[{"add":{"rule":{}}}]}');
  assert.deepEqual([refused.status, refused.stdout], [1, '']);
  assert.match(refused.stderr, /nftables\[0\]\.add\.rule/);
});
