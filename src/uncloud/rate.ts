import { text } from './check.ts';
import { Refused } from './problem.ts';

/** So many in so much time: at most as many at once, and no more on the average. */
export interface Rate {
  readonly rate: number;
  readonly per: 'second' | 'minute' | 'hour' | 'day';
}

/** Reads `5/second`. */
export function parseRate(value: unknown, path: string): Rate {
  const [, number, per] = /^([1-9]\d{0,5})\/(second|minute|hour|day)$/.exec(text(value, path)) ?? [];
  if (number === undefined) throw new Refused(path, 'not N/second, minute, hour or day');
  return { rate: Number(number), per: per as Rate['per'] };
}
