import { time } from '../datatype/index.ts';
import type {
  CounterState,
  CtCount,
  Integer,
  LastState,
  LimitState,
  QuotaState,
  SynproxyState,
} from '../model/index.ts';
import { words } from './selector.ts';
import { listOf } from './text.ts';

const scale = { bytes: 1n, kbytes: 1024n, mbytes: 1048576n } as const;

type Unit = keyof typeof scale;

/** A number of bytes in the largest unit that divides it: `25 mbytes`. */
export function bytesText(amount: Integer, unit: Unit = 'bytes'): string {
  const bytes = BigInt(amount) * scale[unit];
  const largest = (['mbytes', 'kbytes'] as const).find((name) => bytes > 0n && bytes % scale[name] === 0n);
  return `${bytes / scale[largest ?? 'bytes']} ${largest ?? 'bytes'}`;
}

/** Seconds, as sets' timeouts have them: `1d2h`. */
export function secondsText(seconds: number): string {
  return millisecondsText(Math.round(seconds * 1000));
}

/** Milliseconds: `2m30s`. */
export function millisecondsText(milliseconds: Integer): string {
  return time.formatText?.(BigInt(milliseconds)) as string;
}

/** `packets 0 bytes 0` */
export function counterValues({ packets = 0, bytes = 0 }: CounterState): string {
  return `packets ${packets} bytes ${bytes}`;
}

/** `over 25 mbytes used 3 bytes` */
export function quotaValues({ val, val_unit, used = 0, used_unit, inv }: QuotaState): string {
  const spent = BigInt(used) > 0n && `used ${bytesText(used, used_unit)}`;
  return words(inv && 'over', bytesText(val, val_unit), spent);
}

const packetsAtOnce = 5n;

/** `over 10/second burst 3 packets`; the usual burst goes without saying. */
export function limitValues(limit: Omit<LimitState, 'per'> & { readonly per?: LimitState['per'] }): string {
  const { rate, rate_unit = 'packets', per = 'second', burst, burst_unit, inv } = limit;
  const over = inv && 'over';
  if (rate_unit === 'packets') {
    const most = BigInt(burst ?? packetsAtOnce);
    return words(over, `${rate}/${per}`, most !== packetsAtOnce && most > 0n && `burst ${most} packets`);
  }
  const unit = burst_unit === undefined || burst_unit === 'packets' ? 'bytes' : burst_unit;
  const most = BigInt(burst ?? 0) > 0n && `burst ${bytesText(burst as Integer, unit)}`;
  return words(over, `${bytesText(rate, rate_unit)}/${per}`, most);
}

function last(node: LastState | null): string {
  return node?.used === undefined ? 'last used never' : `last used ${millisecondsText(node.used)}`;
}

/** `mss 1460`, `wscale 7`, `timestamp sack-perm` */
export function synproxyValues({ mss, wscale, flags }: SynproxyState): string[] {
  const set = listOf(flags);
  const known = ['timestamp', 'sack-perm'] as const;
  return [
    mss === undefined ? '' : `mss ${mss}`,
    wscale === undefined ? '' : `wscale ${wscale}`,
    known.filter((flag) => set.includes(flag)).join(' '),
  ].filter((part) => part !== '');
}

/** Statements with a state, which elements of sets carry too, by their key in the JSON. */
export const stateful: Readonly<Record<string, (node: never) => string>> = {
  counter: (node: CounterState | null) => (node === null ? 'counter' : `counter ${counterValues(node)}`),
  quota: (node: QuotaState) => `quota ${quotaValues(node)}`,
  limit: (node: LimitState) => `limit rate ${limitValues(node)}`,
  'ct count': ({ val, inv }: CtCount) => words('ct count', inv && 'over', val),
  last,
};
