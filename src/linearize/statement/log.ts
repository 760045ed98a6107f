import { quoted } from '../../datatype/index.ts';
import type { Log } from '../../model/index.ts';
import { at, CompileError, type Path } from '../error.ts';
import type { Scope } from '../scope.ts';
import { MAX_16, MAX_32, whole } from '../whole.ts';

const LEVELS = ['emerg', 'alert', 'crit', 'err', 'warn', 'notice', 'info', 'debug', 'audit'] as const;
/** NF_LOG_* of linux/netfilter/nf_log.h. */
const FLAGS = { 'tcp sequence': 1, 'tcp options': 2, 'ip options': 4, skuid: 8, ether: 32, all: 47 } as const;
/** NF_LOG_PREFIXLEN less the closing zero. */
const MAX_PREFIX = 127;

export function evaluateLog(node: Log | null, scope: Scope, path: Path): void {
  const { prefix, group, snaplen, level, flags } = node ?? {};
  const threshold = node?.['queue-threshold'];
  if (prefix !== undefined && Buffer.byteLength(prefix) > MAX_PREFIX) {
    throw new CompileError(at(path, 'prefix'), `a prefix has at most ${MAX_PREFIX} bytes`);
  }
  const toGroup = group !== undefined;
  if (!toGroup && (snaplen !== undefined || threshold !== undefined))
    throw new CompileError(path, 'snaplen and queue-threshold are for a group: say group');
  if (toGroup && (level !== undefined || flags !== undefined))
    throw new CompileError(path, 'level and flags are for the kernel log: they do not go with group');
  if (level === 'audit' && (prefix !== undefined || flags !== undefined))
    throw new CompileError(path, 'the level audit stands alone');
  const common = prefix === undefined ? {} : { prefix };
  const log = toGroup
    ? {
        ...common,
        group: whole(group, MAX_16, at(path, 'group')),
        ...(snaplen === undefined ? {} : { snaplen: whole(snaplen, MAX_32, at(path, 'snaplen')) }),
        ...(threshold === undefined
          ? {}
          : { qthreshold: whole(threshold, MAX_16, at(path, 'queue-threshold')) }),
      }
    : {
        ...common,
        ...(level === undefined ? {} : { level: levelNumber(level, at(path, 'level')) }),
        ...(flags === undefined ? {} : { flags: flagBits(flags, at(path, 'flags')) }),
      };
  scope.action((emitter) => emitter.push({ name: 'log', ...log }));
}

function levelNumber(level: string, path: Path): number {
  const found = LEVELS.indexOf(level as (typeof LEVELS)[number]);
  if (found < 0) throw new CompileError(path, `expected one of ${LEVELS.join(', ')}`);
  return found;
}

function flagBits(flags: string | readonly string[], path: Path): number {
  let bits = 0;
  for (const flag of Array.isArray(flags) ? flags : [flags]) {
    const bit = FLAGS[flag as keyof typeof FLAGS];
    if (bit === undefined)
      throw new CompileError(path, `${quoted(flag)}: expected some of ${Object.keys(FLAGS).join(', ')}`);
    bits |= bit;
  }
  return bits;
}
