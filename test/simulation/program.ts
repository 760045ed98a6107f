import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** The command line as the sources have it now, in one file: twenty processes start at once. */
export interface Bundle extends Disposable {
  readonly main: string;
  /** Makes the clock of the process that preloads it wrong; see {@link CLOCK}. */
  readonly clock: string;
}

/** The variable with the path of a file that says by how many milliseconds; read at the start and on SIGUSR2. */
export const CLOCK = 'NFTJS_SIMULATED_CLOCK';

/** Wall clock time alone: a kernel shifts the monotonic clock for nobody either. */
const SKEW = `
import { readFileSync } from 'node:fs';
const True = Date;
let offset = 0;
const read = () => {
  try {
    offset = Number(readFileSync(process.env.${CLOCK}, 'utf8'));
  } catch {
    offset = 0;
  }
};
globalThis.Date = class extends True {
  constructor(...given) {
    if (given.length === 0) super(True.now() + offset);
    else super(...given);
  }
  static now() {
    return True.now() + offset;
  }
};
process.on('SIGUSR2', read);
read();
`;

/** Bundles it beside the package, where it finds the addon. */
export async function bundle(): Promise<Bundle> {
  mkdirSync(join(ROOT, '.cache'), { recursive: true });
  const directory = mkdtempSync(join(ROOT, '.cache/simulation-'));
  const [main, clock] = [join(directory, 'main.mjs'), join(directory, 'clock.mjs')];
  const common = {
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    packages: 'external',
    logLevel: 'warning',
  } as const;
  await build({ ...common, entryPoints: [join(ROOT, 'src/cli/main.ts')], outfile: main });
  await build({ ...common, stdin: { contents: SKEW, loader: 'js' }, outfile: clock });
  return { main, clock, [Symbol.dispose]: () => rmSync(directory, { recursive: true, force: true }) };
}
