import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { requires } from '../support/requirements.ts';

const root = join(import.meta.dirname, '../..');
const readme = readFileSync(join(root, 'README.md'), 'utf8');
const examples = [...readme.matchAll(/^```ts\n(.*?)^```$/gms)].map(([, code]) => code as string);

/** Runs all examples one after the other in one fresh network namespace. */
function runExamples(directory: string): string[] {
  const files = examples.map((code, i) => {
    const file = join(directory, `example-${i}.mts`);
    writeFileSync(file, code);
    return file;
  });
  const script = 'for file in "$@"; do node --import tsx "$file" && printf "\\0" || exit 1; done';
  const output = execFileSync('unshare', ['--net', 'sh', '-c', script, 'examples', ...files], {
    cwd: root,
    encoding: 'utf8',
  });
  return output.split('\0').slice(0, -1);
}

describe('the examples of README.md', () => {
  it('are there', () => {
    assert.equal(examples.length, 7);
  });

  it('run, and print what they promise', requires('root', 'netns'), () => {
    // Inside the repository, so that they find the package by its name.
    const directory = mkdtempSync(join(root, '.readme-'));
    try {
      const [first = '', second = '', third, fourth = '', elements = '', fifth, sixth] =
        runExamples(directory);
      assert.match(first, /^generation \d+, \d+ objects\n$/);
      assert.deepEqual(Object.keys(JSON.parse(second)), ['nftables']);
      assert.equal(third, 'refused: command 1: ENOENT\n');
      assert.match(fourth, /chain input \{\n\t\ttype filter hook input priority filter; policy drop;\n/);
      assert.match(fourth, /ct state established,related accept/);
      assert.match(fourth, /2001:db8::1/);
      assert.match(elements, /^192\.0\.2\.1\n1 4 Uint8Array\(4\) \[ 192, 0, 2, 1 \]\n$/);
      assert.equal(fifth, 'a set of 16000\n');
      assert.equal(sixth, 'true, then false\n');
    } finally {
      rmSync(directory, { recursive: true });
    }
  });
});
