import { createRequire } from 'node:module';
import { dirname } from 'node:path';

/** The directory of the package, whether this file is a source or built. */
export const root = dirname(createRequire(import.meta.url).resolve('nftjs/package.json'));
