import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { type CompileLine, compileLine } from '../../src/format/compile-line.ts';
import { requires, vectorsDirectory } from '../support/requirements.ts';

// Times of day in the vectors are local.
process.env.TZ = 'UTC-2';

interface Vector extends CompileLine {
  readonly id: string;
  readonly rule: string;
  readonly bytecode: readonly string[];
}

/** Vectors that compile to something else, and why. */
const explained: ReadonlyMap<string, string> = new Map();

const fold = (text: string) => text.trim().replace(/\s+/g, ' ');

/** The lines that count: instructions as they are, the elements of a set in whatever order. */
function comparable(lines: readonly string[]): string[] {
  return lines.flatMap((line) => {
    if (line.includes('element') && line.includes('[end]')) {
      return [line.split('[end]').map(fold).filter(Boolean).sort().join(' [end] ')];
    }
    return line.trim().startsWith('[') ? [fold(line)] : [];
  });
}

function readVectors(): Vector[] {
  const lines = readFileSync(join(vectorsDirectory, 'rules.jsonl'), 'utf8').split('\n').filter(Boolean);
  return lines.map((line) => JSON.parse(line) as Vector);
}

test('every vector compiles to the bytecode that nft gives', requires('vectors'), () => {
  const vectors = readVectors();
  assert.ok(vectors.length > 2000);
  for (const vector of vectors) {
    const { id, rule, bytecode } = vector;
    const matches = () =>
      assert.deepEqual(comparable(compileLine(vector)), comparable(bytecode), `${id}: ${rule}`);
    if (explained.has(id)) assert.throws(matches, `${id} is explained, and yet the same`);
    else matches();
  }
});
