// Builds `dist`: declarations file by file, and the code bundled, because a process that imports hundreds of small
// files spends most of its start on finding and linking them.
import { execFileSync } from 'node:child_process';
import { chmodSync, readFileSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type BuildOptions, build } from 'esbuild';

process.chdir(fileURLToPath(new URL('..', import.meta.url)));
rmSync('dist', { recursive: true, force: true });
const declarations = ['-p', 'tsconfig.build.json', '--emitDeclarationOnly', '--noEmitOnError'];
execFileSync('node_modules/.bin/tsc', declarations, { stdio: 'inherit' });

const common = {
  bundle: true,
  splitting: true,
  platform: 'node',
  format: 'esm',
  target: 'node20',
  packages: 'external',
  sourcemap: true,
  sourcesContent: false,
  logLevel: 'warning',
} as const satisfies BuildOptions;

/** What the package exports, and the parts that the benchmarks measure on their own. */
const entries = new Set(['index', 'testing/index', 'uncloud/index', 'cli/main']);
for (const [, path] of readFileSync('bench/library.ts', 'utf8').matchAll(/'([\w/-]+)\.js'/g))
  entries.add(path as string);
await build({
  ...common,
  entryPoints: [...entries].map((path) => `src/${path}.ts`),
  outbase: 'src',
  outdir: 'dist',
  chunkNames: 'chunks/[name]-[hash]',
});
await build({ ...common, entryPoints: ['bench/run.ts', 'bench/trial.ts'], outdir: 'dist/bench' });
chmodSync('dist/cli/main.js', 0o755);
