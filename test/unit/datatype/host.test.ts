import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, mock, test } from 'node:test';
import { hostTable } from '../../../src/datatype/host-table.ts';
import { named } from '../../../src/datatype/named.ts';
import { requires } from '../../support/requirements.ts';

let directory = '';
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'nftjs-'));
});
afterEach(() => {
  mock.restoreAll();
  rmSync(directory, { recursive: true });
});

test('names come from the first file that exists, the first name of a number is listed', () => {
  const path = join(directory, 'rt_marks');
  writeFileSync(path, '# marks\n0x10\tblue # the VPN\n16 navy\n\nred 3\n12 green\n');
  const table = hostTable([join(directory, 'missing'), path]);
  assert.deepEqual(
    [...table.symbols()],
    [
      ['blue', 16n],
      ['navy', 16n],
      ['green', 12n],
    ],
  );
  assert.equal(table.nameOf(16n), 'blue');
  assert.equal(table.nameOf(3n), undefined);
});

test('a table follows its file as that is written, changed and removed', () => {
  let now = 0;
  mock.method(performance, 'now', () => now);
  const path = join(directory, 'group');
  const table = hostTable([path]);
  assert.equal(table.nameOf(1n), undefined);
  for (const name of ['lan', 'uplink']) {
    writeFileSync(path, `1 ${name}\n`);
    now += 2000;
    assert.equal(table.nameOf(1n), name);
  }
  rmSync(path);
  now += 2000;
  assert.equal(table.symbols().size, 0);
});

test('a named number is listed by its name, in quotes in nft syntax', () => {
  const path = join(directory, 'rt_marks');
  writeFileSync(path, '16 blue\n');
  const type = named({ name: 'mark', id: 19, table: hostTable([path]), source: path, hexDigits: 8 });
  assert.equal(type.parse('blue'), 16n);
  assert.equal(type.format(16n), 'blue');
  assert.equal(type.formatText?.(16n), '"blue"');
  assert.equal(type.formatText?.(17n), '0x00000011');
  assert.throws(() => type.parse('bleu'), /expected a number from 0 to 4294967295 or a name from .*blue/);
});

/** Runs code in a network namespace of its own, with links that are up, down, and without IPv6. */
function inNamespace(code: string): unknown {
  const links = [
    'ip link add nftjs0 index 40 type veth peer name nftjs1 index 41',
    'ip link set nftjs0 up',
    'ip link add nftjs2 index 42 type bridge',
    'echo 1 >/proc/sys/net/ipv6/conf/nftjs1/disable_ipv6',
  ].join(' && ');
  const module = join(import.meta.dirname, '../../../src/datatype/index.ts');
  const script = `import { ifaceIndex } from ${JSON.stringify(module)}; console.log(JSON.stringify(${code}));`;
  const node = [process.execPath, '--import', 'tsx', '--input-type=module', '--eval', script];
  const output = execFileSync('unshare', ['--net', 'sh', '-c', `${links} && exec "$@"`, 'sh', ...node], {
    encoding: 'utf8',
    cwd: import.meta.dirname,
  });
  return JSON.parse(output);
}

test(
  'interfaces are those of the network namespace the process is in, also where sysfs shows another',
  requires('root', 'netns', 'ip', 'veth', 'bridge'),
  () => {
    const indices = inNamespace(
      `['lo', 'nftjs0', 'nftjs1', 'nftjs2'].map((name) => Number(ifaceIndex.parse(name)))`,
    );
    assert.deepEqual(indices, [1, 40, 41, 42]);
    assert.deepEqual(inNamespace('[1n, 40n, 41n, 42n, 43n].map((index) => ifaceIndex.format(index))'), [
      'lo',
      'nftjs0',
      'nftjs1',
      'nftjs2',
      '43',
    ]);
  },
);
