import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { type CompiledRule, CompileError } from '../../src/linearize/index.ts';
import { requires } from '../support/requirements.ts';
import {
  asListed,
  type Compiler,
  compilerOf,
  isSame,
  readBack,
  readVectors,
  type Vector,
  wire,
  withoutState,
} from '../unit/delinearize/vector.ts';

// Times of day in the vectors are local.
process.env.TZ = 'UTC-2';

interface Case {
  readonly vector: Vector;
  readonly compiler: Compiler;
  readonly compiled: CompiledRule;
}

/** The vectors that compile. */
function cases(): Case[] {
  return readVectors().flatMap((vector) => {
    try {
      const compiler = compilerOf(vector);
      return [{ vector, compiler, compiled: compiler.compile(vector.expr) }];
    } catch (error) {
      if (error instanceof CompileError) return [];
      throw error;
    }
  });
}

const available = requires('vectors');

test('the vectors list as nft lists them', available, () => {
  const all = cases();
  assert.ok(all.length > 2000);
  const differing = all.filter(({ vector, compiler, compiled }) => {
    const read = withoutState(readBack(vector.family, compiler, compiled, { verified: false }));
    return !isDeepStrictEqual(read, withoutState(vector.expr_output ?? vector.expr));
  });
  const ids = differing.map(({ vector }) => vector.id).join('\n');
  assert.ok(differing.length <= all.length * 0.005, `${differing.length} of ${all.length} differ:\n${ids}`);
});

test('what is read compiles to the bytes it was read from', available, () => {
  for (const { vector, compiler, compiled } of cases()) {
    const read = readBack(vector.family, compiler, compiled, { verified: true });
    if (!read.some((statement) => 'opaque' in statement)) {
      assert.ok(isSame(compiler, read, compiled), vector.id);
      continue;
    }
    // Opaque instructions keep the names of the sets that they use, which are not made again.
    assert.deepEqual(wire(asListed(compiler.compile(read))), wire(asListed(compiled)), vector.id);
  }
});

test('few rules need opaque nodes', available, () => {
  const all = cases();
  const opaque = all.filter(({ vector, compiler, compiled }) =>
    readBack(vector.family, compiler, compiled, { verified: true }).some(
      (statement) => 'opaque' in statement,
    ),
  );
  const ids = opaque.map(({ vector }) => vector.id).join('\n');
  assert.ok(opaque.length <= all.length * 0.005, `${opaque.length} of ${all.length} are opaque:\n${ids}`);
});
