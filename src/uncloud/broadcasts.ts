import { and, drop, ether, goto, type LimitState } from '../index.ts';
import type { Host } from './host.ts';
import { inPort } from './key.ts';
import type { Nic } from './policy.ts';
import type { Rate } from './rate.ts';
import type { TableWriter } from './table.ts';

/** What the rules of a rate are made from: the chain that says what else is checked stands behind it. */
interface Limited {
  readonly rate: Rate;
  readonly entrance: string;
}

/** How many frames to all and to groups a NIC may send, if that is limited. */
export function broadcastsOf({ bridges }: Host, { bridge, broadcasts }: Nic): Rate | undefined {
  const rate = broadcasts ?? bridges[bridge]?.broadcasts;
  return rate === 'any' ? undefined : rate;
}

/** The use that has {@link broadcastChains} write a chain of this name in front of an entrance. */
export function limitedUse(rate: Rate, entrance: string): { name: string; data: Limited } {
  return { name: `broadcasts/${rate.rate}/${rate.per}/${entrance}`, data: { rate, entrance } };
}

/**
 * One chain for each rate in front of what checks a port: it only drops, and leaves the rest to the checks. Each
 * port has a count of its own in the set of the rate; where the kernel has no room for one, nothing is limited.
 * Frames to one machine pass one comparison, those of ports without a limit none.
 */
export function broadcastChains(table: TableWriter): void {
  const limited = table.uses('limited');
  if (limited.length === 0) return;
  table.chain('too_many', [[table.verdicts('logs', inPort.key)], [drop()]]);
  for (const { name, data } of limited) {
    const { rate: each, entrance } = data as Limited;
    const over: LimitState = { ...each, burst: each.rate, inv: true };
    const count = table.limited(`broadcasts_${each.rate}_${each.per}`, inPort.key, over);
    const toGroup = and(ether.daddr, '01:00:00:00:00:00').ne('00:00:00:00:00:00');
    table.chain(name, [[toGroup, count, goto('too_many')], [goto(entrance)]]);
  }
}
