import { type LogLevel, limit, log, type Statement } from '../index.ts';
import { object, text, word } from './check.ts';
import { Refused } from './problem.ts';
import { parseRate, type Rate } from './rate.ts';

/** What is written to the kernel's log, and how often at most. */
export interface Log extends Rate {
  readonly prefix?: string;
  readonly level: LogLevel;
}

const LEVELS = ['info', 'emerg', 'alert', 'crit', 'err', 'warn', 'notice', 'debug'] as const;
const MOST_PREFIX = 100;

/** Reads `true` or `{ "prefix": "web: ", "level": "info", "rate": "5/second" }`. */
export function parseLog(value: unknown, path: string): Log {
  const fields = value === true ? {} : object(value, path, ['prefix', 'level', 'rate']);
  const prefix = fields.prefix === undefined ? undefined : text(fields.prefix, `${path}.prefix`);
  if (prefix !== undefined && (/["\p{Cc}]/u.test(prefix) || Buffer.byteLength(prefix) > MOST_PREFIX)) {
    throw new Refused(
      `${path}.prefix`,
      `at most ${MOST_PREFIX} bytes, without quotes and control characters`,
    );
  }
  return {
    ...(prefix !== undefined && { prefix }),
    level: word(fields.level, `${path}.level`, LEVELS),
    ...parseRate(fields.rate ?? '5/second', `${path}.rate`),
  };
}

/** Statements that log as often as they may, and go on. */
export function logging({ prefix, level, rate, per }: Log, fallback: string): Statement[] {
  return [limit({ rate, per }), log({ prefix: prefix ?? fallback, level })];
}
