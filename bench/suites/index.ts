import type { Suite } from '../suite.ts';
import { bulk } from './bulk.ts';
import { churn } from './churn.ts';
import { compilation } from './compilation.ts';
import { listing } from './listing.ts';
import { machines } from './machines.ts';
import { memory } from './memory.ts';
import { packet } from './packet.ts';
import { rules } from './rules.ts';
import { startup } from './startup.ts';
import { tiny } from './tiny.ts';
import { turns } from './turns.ts';

/** Every suite, by the name that `--suite` takes. */
export const suites: Readonly<Record<string, Suite>> = {
  bulk,
  churn,
  packet,
  rules,
  compile: compilation,
  list: listing,
  tiny,
  uncloud: machines,
  memory,
  startup,
  turns,
};
