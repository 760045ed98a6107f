import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));

let directory: string;
let installed: string;
let files: string[];

// The package as npm unpacks it, its dependencies beside it, the addon where prebuildify puts it.
before(() => {
  directory = mkdtempSync(join(tmpdir(), 'nftjs-package-'));
  installed = join(directory, 'node_modules/nftjs');
  const pack = ['pack', '--json', '--ignore-scripts', '--pack-destination', directory];
  const [packed] = JSON.parse(
    execFileSync('npm', pack, { cwd: ROOT, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }),
  );
  files = packed.files.map(({ path }: { path: string }) => path);
  mkdirSync(installed, { recursive: true });
  execFileSync('tar', ['-xzf', join(directory, packed.filename), '-C', installed, '--strip-components=1']);
  for (const name of Object.keys(manifest.dependencies)) {
    const place = join(directory, 'node_modules', name);
    mkdirSync(dirname(place), { recursive: true });
    symlinkSync(join(ROOT, 'node_modules', name), place);
  }
  const prebuilds = join(installed, `prebuilds/linux-${process.arch}`);
  mkdirSync(prebuilds, { recursive: true });
  copyFileSync(join(ROOT, 'build/Release/nftjs.node'), join(prebuilds, 'nftjs.glibc.node'));
});

after(() => rmSync(directory, { recursive: true, force: true }));

/** What a program prints that depends on the package. */
function run(source: string): string {
  const args = ['--input-type=module', '--eval', source];
  return execFileSync(process.execPath, args, { cwd: directory, encoding: 'utf8' });
}

test('nothing runs when the package is installed', () => {
  assert.equal(manifest.gypfile, false);
  const scripts = Object.keys(manifest.scripts);
  assert.deepEqual(
    scripts.filter((name) => /^(pre|post)?install$|^(pre|post)?prepare$/.test(name)),
    [],
  );
});

test('the package carries what it needs, and no more', () => {
  const entries = [
    ...Object.values<string | Record<string, string>>(manifest.exports).flatMap((entry) =>
      typeof entry === 'string' ? entry : Object.values(entry),
    ),
    ...Object.values<string>(manifest.bin),
    'README.md',
    'LICENSE',
    'binding.gyp',
    'systemd/nftjs-uncloud.service',
  ];
  for (const entry of entries) assert.ok(files.includes(entry.replace(/^\.\//, '')), `${entry} is missing`);
  const allowed =
    /^(dist|src|prebuilds|systemd|native\/generated)\/|^native\/\w+\.(cc|h)$|^(binding\.gyp|package\.json|LICENSE|\w+\.md)$/;
  assert.deepEqual(
    files.filter((file) => !allowed.test(file)),
    [],
  );
});

test('every entry of the installed package loads', () => {
  const names = Object.keys(manifest.exports)
    .filter((name) => !name.endsWith('.json'))
    .map((name) => name.replace('.', 'nftjs'));
  for (const name of names)
    assert.match(run(`console.log(Object.keys(await import('${name}')).length)`), /^[1-9]/);
});

test('the command of the installed package explains itself', () => {
  const help = execFileSync(process.execPath, [join(installed, manifest.bin.nftjs), '--help'], {
    encoding: 'utf8',
  });
  assert.match(help, /nftjs/);
});
