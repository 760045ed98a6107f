import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { requires, vectorsDirectory } from '../../support/requirements.ts';

const root = fileURLToPath(new URL('../../..', import.meta.url));

/** What the compiler says about values of a model type, as if they stood in a file of this folder. */
function complaints(type: 'Ruleset' | 'Statement', values: readonly string[]): string[] {
  const lines = [
    `import type { ${type} } from '../../../src/model/index.ts';`,
    ...values.map((value, i) => `export const value${i}: ${type} = ${value};`),
  ];
  const name = join(root, 'test/unit/model/vectors.virtual.ts');
  const { config } = ts.readConfigFile(join(root, 'tsconfig.json'), ts.sys.readFile);
  const { options } = ts.parseJsonConfigFileContent({ ...config, include: [], files: [name] }, ts.sys, root);
  const host = ts.createCompilerHost(options);
  const { readFile, fileExists } = host;
  host.readFile = (file) => (file === name ? lines.join('\n') : readFile(file));
  host.fileExists = (file) => file === name || fileExists(file);
  const program = ts.createProgram([name], options, host);
  return ts
    .getPreEmitDiagnostics(program, program.getSourceFile(name))
    .map(({ messageText, file, start }) => {
      const line = file && start !== undefined ? file.getLineAndCharacterOfPosition(start).line : 0;
      return `${lines[line]?.slice(0, 300)}\n  ${ts.flattenDiagnosticMessageText(messageText, '\n  ')}`;
    });
}

test('the types hold every statement of the shared vectors', requires('vectors'), () => {
  const text = readFileSync(join(vectorsDirectory, 'rules.jsonl'), 'utf8').trim();
  const statements = new Set<string>();
  for (const line of text.split('\n')) {
    const { expr, expr_output } = JSON.parse(line);
    for (const statement of [...expr, ...(expr_output ?? [])]) statements.add(JSON.stringify(statement));
  }
  assert.ok(statements.size > 0);
  assert.deepEqual(complaints('Statement', [...statements]), []);
});

test('the types hold every ruleset of the shared vectors', requires('vectors'), () => {
  const directory = join(vectorsDirectory, 'rulesets');
  const files = readdirSync(directory).filter((file) => file.endsWith('.json'));
  assert.ok(files.length > 0);
  const text = (file: string) => JSON.stringify(JSON.parse(readFileSync(join(directory, file), 'utf8')));
  assert.deepEqual(complaints('Ruleset', files.map(text)), []);
});

test('the types refuse what nft does not know', () => {
  const wrong = [
    "{ match: { op: '==', left: { meta: { key: 'iifnam' } }, right: 'lo' } }",
    "{ match: { op: '==', left: { payload: { protocol: 'ip', field: 'dport' } }, right: 22 } }",
    '{ accpet: null }',
  ];
  assert.equal(complaints('Statement', wrong).length, wrong.length);
  assert.equal(complaints('Ruleset', ["{ nftables: [{ table: { family: 'ip7', name: 't' } }] }"]).length, 1);
});
