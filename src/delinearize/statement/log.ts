import type { Log, LogFlag, LogLevel } from '../../model/index.ts';
import type { StatementReaders } from '../step.ts';
import { Inexpressible } from '../term.ts';

const LEVELS: readonly LogLevel[] = [
  'emerg',
  'alert',
  'crit',
  'err',
  'warn',
  'notice',
  'info',
  'debug',
  'audit',
];
/** What nft does not list: the kernel's own default. */
const DEFAULT_LEVEL = 4;
/** NF_LOG_* of linux/netfilter/nf_log.h. */
const FLAGS: readonly (readonly [number, LogFlag])[] = [
  [1, 'tcp sequence'],
  [2, 'tcp options'],
  [4, 'ip options'],
  [8, 'skuid'],
  [32, 'ether'],
];
const ALL = 47;

export const logReaders: StatementReaders = {
  log: ({ group, prefix, snaplen, qthreshold, level, flags }) => {
    const log: Log = {
      ...(prefix === undefined ? {} : { prefix }),
      ...(group === undefined ? {} : { group }),
      ...(snaplen === undefined ? {} : { snaplen }),
      ...(qthreshold === undefined ? {} : { 'queue-threshold': qthreshold }),
      ...(level === undefined || level === DEFAULT_LEVEL ? {} : { level: levelName(level) }),
      ...(flags ? { flags: flagNames(flags) } : {}),
    };
    const statement = { log: Object.keys(log).length === 0 ? null : log };
    return { terms: [], run: (describer) => void describer.push(statement) };
  },
};

function levelName(level: number): LogLevel {
  const name = LEVELS[level];
  if (name === undefined) throw new Inexpressible(`the log level ${level}`);
  return name;
}

function flagNames(flags: number): LogFlag | LogFlag[] {
  if (flags === ALL) return 'all';
  const names = FLAGS.filter(([bit]) => flags & bit);
  if (names.reduce((sum, [bit]) => sum | bit, 0) !== flags) throw new Inexpressible('unknown log flags');
  return names.length === 1 ? (names[0] as readonly [number, LogFlag])[1] : names.map(([, name]) => name);
}
