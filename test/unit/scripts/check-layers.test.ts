import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import { checkLayers } from '../../../scripts/check-layers.ts';

/** What the check says of these files. */
function check(files: Record<string, string>): string[] {
  const directory = mkdtempSync(join(tmpdir(), 'nftjs-layers-'));
  try {
    for (const [file, source] of Object.entries(files)) {
      mkdirSync(dirname(join(directory, file)), { recursive: true });
      writeFileSync(join(directory, file), source);
    }
    return checkLayers(directory);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

test('imports that point downwards pass', () => {
  const files = {
    'datatype/mark.ts': "import { endianness } from 'node:os';",
    'protocol/ip.ts': "import { mark } from '../datatype/mark.ts';\nimport fs from 'node:fs';",
    'index.ts': "export * from './protocol/ip.ts';",
    'uncloud/host.ts': "import { ip } from '../index.ts';",
    'cli/main.ts': "import '../uncloud/host.ts';",
    'netlink/native.ts': "import { existsSync } from 'node:fs';",
    'netlink/connection.ts': "import { native } from './native.ts';",
  };
  assert.deepEqual(check(files), []);
});

test('an import that points upwards is refused, however it is written', () => {
  const ways = [
    "import { chain } from '../model/chain.ts';",
    "import type { Chain } from '../model/chain.ts';",
    "export { chain } from '../model/chain.ts';",
    "export * from '../model/chain.ts';",
    "const chain = await import('../model/chain.ts');",
    "type Chain = import('../model/chain.ts').Chain;",
  ];
  for (const way of ways) {
    assert.deepEqual(
      check({ 'bytecode/load.ts': way, 'model/chain.ts': '' }),
      ['bytecode/load.ts imports model/chain.ts: bytecode may not import model'],
      way,
    );
  }
});

test('the firewall uses the public API alone', () => {
  assert.deepEqual(check({ 'uncloud/host.ts': "import '../model/chain.ts';" }), [
    'uncloud/host.ts imports model/chain.ts: uncloud may not import model',
  ]);
  assert.deepEqual(check({ 'index.ts': "import './uncloud/host.ts';" }), [
    'index.ts imports uncloud/host.ts: index may not import uncloud',
  ]);
});

test('a package is for whom it is there for, and the addon for its layer alone', () => {
  for (const way of [
    "import { DOMParser } from '@xmldom/xmldom';",
    "createRequire(import.meta.url)('@xmldom/xmldom')",
  ]) {
    assert.deepEqual(check({ 'uncloud/import/xml.ts': way }), []);
    assert.deepEqual(check({ 'netlink/connection.ts': way }), [
      'netlink/connection.ts may not import the package @xmldom/xmldom',
    ]);
  }
  assert.deepEqual(check({ 'index.ts': "export * from './netlink/native.ts';" }), [
    'index.ts imports netlink/native.ts, which is for netlink alone',
  ]);
});

test('a package that the table lacks is refused', () => {
  assert.deepEqual(check({ 'model/chain.ts': "import _ from 'lodash';" }), [
    'model/chain.ts may not import the package lodash',
  ]);
});

test('a folder that is no layer is refused', () => {
  assert.deepEqual(check({ 'util/misc.ts': "import 'node:fs';" }), ['util/misc.ts: no layer is called util']);
});

test('a circle of files within a layer is refused, once', () => {
  const files = {
    'model/a.ts': "import './b.ts';",
    'model/b.ts': "import './c.ts';",
    'model/c.ts': "import './a.ts';",
  };
  assert.deepEqual(check(files), [
    'a circle of imports: model/a.ts -> model/b.ts -> model/c.ts -> model/a.ts',
  ]);
});

test('what is imported later closes a circle, too', () => {
  const files = {
    'model/a.ts': "export const b = () => import('./b.ts');",
    'model/b.ts': "import { b } from './a.ts';\nb();",
  };
  assert.deepEqual(check(files), ['a circle of imports: model/a.ts -> model/b.ts -> model/a.ts']);
});

test('types may refer to each other', () => {
  const files = {
    'model/a.ts': "import type { B } from './b.ts';",
    'model/b.ts': "import { a } from './a.ts';\na();",
  };
  assert.deepEqual(check(files), []);
});

test('the sources keep to their layers', () => {
  assert.deepEqual(checkLayers(fileURLToPath(new URL('../../../src', import.meta.url))), []);
});
