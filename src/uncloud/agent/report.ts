import { setTimeout as pause } from 'node:timers/promises';
import { waitAfter } from './backoff.ts';
import type { AgentOptions } from './options.ts';
import type { AgentState } from './state.ts';
import { type Status, statusKey } from './status.ts';

/** Statuses are written no more often than this, in milliseconds. */
const INTERVAL = 500;

/** Writes the status when it says something new, and before its lease ends. */
export async function report(
  prefix: string,
  { name, store, lease = 60_000, backoff, log }: AgentOptions,
  state: () => AgentState,
  signal: AbortSignal,
): Promise<never> {
  let reported: string | undefined;
  for (let last = 0, wrong = 0; ; ) {
    await pause(INTERVAL, undefined, { signal });
    const { learning, ...now } = statusOf(state());
    // What VMs could have change as often as they like is no reason to write.
    const news = JSON.stringify([now, learning?.ports]);
    if (news === reported && Date.now() - last < lease / 3) continue;
    try {
      const status = JSON.stringify({ ...now, ...(learning && { learning }) });
      await store.put(statusKey(prefix, name), status, { ttl: lease / 1000, signal });
      reported = news;
      last = Date.now();
      wrong = 0;
    } catch (error) {
      signal.throwIfAborted();
      if (wrong === 0) log?.('warning', 'no status written', { error: (error as Error).message });
      await pause(waitAfter(++wrong, backoff), undefined, { signal });
    }
  }
}

function statusOf(state: AgentState): Status {
  const { revision, hash, since, staleSince, leftOut, routes, learning, held, error } = state;
  return {
    version: 1,
    revision,
    hash,
    since: since.toISOString(),
    ...(staleSince && { staleSince: staleSince.toISOString() }),
    leftOut,
    ...(routes && { routes }),
    ...(learning && { learning }),
    held: held?.keys.length ?? 0,
    ...(error !== undefined && { error }),
  };
}
