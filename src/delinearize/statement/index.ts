import type { StatementReaders } from '../step.ts';
import { comparisons } from './compare.ts';
import { forwardReaders } from './forward.ts';
import { logReaders } from './log.ts';
import { mangleReaders } from './mangle.ts';
import { natReaders } from './nat.ts';
import { rejectReaders } from './reject.ts';
import { setUpdateReaders } from './set-update.ts';
import { statefulReaders } from './stateful.ts';

/** One row for each instruction that does something; loads are none. */
export const statementReaders: StatementReaders = {
  ...comparisons,
  ...forwardReaders,
  ...logReaders,
  ...mangleReaders,
  ...natReaders,
  ...rejectReaders,
  ...setUpdateReaders,
  ...statefulReaders,
};
