// Builds `dist`: declarations file by file, and the code bundled, because a process that imports hundreds of small
// files spends most of its start on finding and linking them.
import { execFileSync } from 'node:child_process';
import { chmodSync, readFileSync, rmSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type BuildOptions, build, type Plugin } from 'esbuild';

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
  // White space is a quarter of what is parsed at each start; names stay, for those who read stack traces.
  minifyWhitespace: true,
  minifySyntax: true,
  logLevel: 'warning',
} as const satisfies BuildOptions;

/** What the package exports, and the parts that the benchmarks measure on their own. */
const entries = ['index', 'testing/index', 'uncloud/index', 'cli/main'];
const measured = [...readFileSync('bench/library.ts', 'utf8').matchAll(/'([\w/-]+)\.js'/g)].map(
  ([, path]) => path as string,
);
const pathOf = (entry: string) => `src/${entry}.ts`;

/**
 * Keeps the library in one file, but for what is loaded later: esbuild would make a file of whatever a part of it
 * shares with another, and each takes half a millisecond of the start. Where all parts import the whole, there is
 * nothing to divide.
 */
const undivided: Plugin = {
  name: 'undivided',
  setup({ onLoad }) {
    const whole = resolve(pathOf('index'));
    const parts = new Set(
      ['testing/index', 'netlink/reading', ...measured].map((part) => resolve(pathOf(part))),
    );
    parts.delete(whole);
    onLoad({ filter: /\.ts$/ }, ({ path }) =>
      parts.has(path)
        ? { contents: `${readFileSync(path, 'utf8')}\nimport ${JSON.stringify(whole)};`, loader: 'ts' }
        : undefined,
    );
  },
};

await build({
  ...common,
  plugins: [undivided],
  entryPoints: [...new Set([...entries, ...measured])].map(pathOf),
  outbase: 'src',
  outdir: 'dist',
  chunkNames: 'chunks/[name]-[hash]',
});
await build({ ...common, entryPoints: ['bench/run.ts', 'bench/trial.ts'], outdir: 'dist/bench' });
chmodSync('dist/cli/main.js', 0o755);
