import { type Datatype, DatatypeError, type Literal } from './datatype.ts';
import { formatNumber, parseNumber, readNumber } from './number.ts';
import { quote } from './strings.ts';
import { symbolic } from './symbolic.ts';

const nanoseconds = 1_000_000_000n;
const secondsADay = 86_400;
const most = 1n << 64n;
const timeBits = 32;

const units = [
  ['d', 86_400_000n],
  ['h', 3_600_000n],
  ['m', 60_000n],
  ['s', 1000n],
  ['ms', 1n],
] as const;
const durationPattern = /^(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m(?!s))?(?:(\d+)s)?(?:(\d+)ms)?$/;

function writeDuration(value: bigint): string {
  let rest = value;
  let text = '';
  for (const [unit, length] of units) {
    if (rest >= length) text += `${rest / length}${unit}`;
    rest %= length;
  }
  return text || '0s';
}

/**
 * A span of time, in milliseconds: `1d2h3m4s500ms`, or a number of seconds. It is listed in seconds, or,
 * where those would round it, in the longer form. Conntrack's times have 32 bits, a good 49 days; a set's
 * timeouts have 64, which `parse` is to be told.
 */
export const time: Datatype = Object.freeze({
  name: 'time',
  id: 18,
  bits: timeBits,
  byteorder: 'host',
  base: 'integer',
  parse(literal: Literal, bits = timeBits) {
    const seconds = readNumber(literal);
    const parts = typeof literal === 'string' && literal !== '' ? durationPattern.exec(literal) : null;
    const value =
      seconds !== undefined
        ? seconds * 1000n
        : parts && units.reduce((sum, [, length], i) => sum + BigInt(parts[i + 1] ?? 0) * length, 0n);
    if (value === null || value >> BigInt(bits) !== 0n) {
      throw new DatatypeError(
        'time',
        literal,
        `seconds, or days to milliseconds such as 1d2h3m4s500ms, up to ${writeDuration((1n << BigInt(bits)) - 1n)}`,
      );
    }
    return value;
  },
  format: (value: bigint) => (value % 1000n === 0n ? formatNumber(value / 1000n) : writeDuration(value)),
  formatText: writeDuration,
});

/** How far local time is ahead of UTC now, in seconds; nft reckons every time with the present offset. */
function offset(): number {
  return -new Date().getTimezoneOffset() * 60;
}

const datePattern =
  /^(\d{4})-(\d{1,2})-(\d{1,2})(?:[ T](\d{1,2}):(\d{1,2})(?::(\d{1,2})(?:\.(\d{1,9}))?)?)?$/;

/** The nanoseconds since 1970 of a local date, or undefined when there is no such date. */
function readDate(text: string): bigint | undefined {
  const parts = datePattern.exec(text);
  if (parts === null) return undefined;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = parts
    .slice(1, 7)
    .map((part) => Number(part ?? 0));
  const moment = new Date(Date.UTC(year, month - 1, day, hour, minute, second));
  const kept =
    moment.getUTCMonth() === month - 1 &&
    moment.getUTCDate() === day &&
    moment.getUTCHours() === hour &&
    moment.getUTCMinutes() === minute &&
    moment.getUTCSeconds() === second;
  const fraction = BigInt((parts[7] ?? '').padEnd(9, '0'));
  return kept ? BigInt(moment.getTime() / 1000 - offset()) * nanoseconds + fraction : undefined;
}

function writeDate(value: bigint): string {
  const moment = new Date((Number(value / nanoseconds) + offset()) * 1000);
  const fraction = value % nanoseconds;
  const digits = fraction === 0n ? '' : `.${String(fraction).padStart(9, '0')}`;
  return moment.toISOString().slice(0, 19).replace('T', ' ') + digits;
}

/**
 * A moment, in nanoseconds since 1970: `2019-12-31 23:59:59`, `2019-12-31 23:59` or `2019-12-31` in local
 * time (environment variable `TZ`), or a number of seconds since 1970. As in nft, local time is reckoned
 * with the offset from UTC that holds now, also for moments in the other half of the year. nft's own name
 * for the type is `time` too.
 */
export const date: Datatype = Object.freeze({
  name: 'date',
  id: 43,
  bits: 64,
  byteorder: 'host',
  base: 'integer',
  parse(literal: Literal) {
    const seconds = readNumber(literal);
    const value =
      seconds !== undefined
        ? seconds * nanoseconds
        : typeof literal === 'string'
          ? readDate(literal)
          : undefined;
    if (value === undefined || value < 0n || value >= most) {
      throw new DatatypeError(
        'date',
        literal,
        'a local date such as 2019-12-31 23:59:59, or seconds, between the years 1970 and 2554',
      );
    }
    return value;
  },
  format: writeDate,
  formatText: (value: bigint) => quote(writeDate(value)),
});

const hourPattern = /^(\d{1,2}):(\d{1,2})(?::(\d{1,2}))?$/;
const twoDigits = (part: number) => String(part).padStart(2, '0');

function readHour(text: string): number | undefined {
  const parts = hourPattern.exec(text);
  if (parts === null) return undefined;
  const [hour = 0, minute = 0, second = 0] = parts.slice(1).map((part) => Number(part ?? 0));
  if (hour > 23 || minute > 59 || second > 59) return undefined;
  return turnOfDay(hour * 3600 + minute * 60 + second - offset());
}

function turnOfDay(seconds: number): number {
  return ((seconds % secondsADay) + secondsADay) % secondsADay;
}

function writeHour(value: bigint): string {
  const seconds = turnOfDay(Number(value) + offset());
  const parts = [Math.trunc(seconds / 3600), Math.trunc(seconds / 60) % 60];
  if (seconds % 60 !== 0) parts.push(seconds % 60);
  return parts.map(twoDigits).join(':');
}

/**
 * A time of day, in seconds since midnight UTC: `17:00` or `17:00:20` in local time (environment variable
 * `TZ`), or the number of seconds itself.
 */
export const hour: Datatype = Object.freeze({
  name: 'hour',
  id: 44,
  bits: 32,
  byteorder: 'host',
  base: 'integer',
  parse(literal: Literal) {
    const seconds = typeof literal === 'string' ? readHour(literal) : undefined;
    if (seconds !== undefined) return BigInt(seconds);
    return parseNumber(
      'hour',
      literal,
      32,
      'a local time such as 17:00 or 17:00:20, or seconds since midnight',
    );
  },
  format: (value: bigint) => (value < secondsADay ? writeHour(value) : Number(value)),
  formatText: (value: bigint) => (value < secondsADay ? quote(writeHour(value)) : String(value)),
});

const weekday = symbolic({
  name: 'day',
  id: 45,
  bits: 8,
  byteorder: 'host',
  greatest: 6n,
  quoted: true,
  symbols: {
    Sunday: 0,
    Monday: 1,
    Tuesday: 2,
    Wednesday: 3,
    Thursday: 4,
    Friday: 5,
    Saturday: 6,
  },
});

/** A day of the week, in any letter case and shortened to two letters or more; Sunday is 0. */
export const day: Datatype = Object.freeze({
  ...weekday,
  parse(literal: Literal) {
    if (typeof literal !== 'string' || literal.length < 2) return weekday.parse(literal);
    const start = literal.toLowerCase();
    const full = [...(weekday.symbols as ReadonlyMap<string, bigint>).keys()];
    return weekday.parse(full.find((name) => name.toLowerCase().startsWith(start)) ?? literal);
  },
});
