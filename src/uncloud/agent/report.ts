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
    const status = JSON.stringify(statusOf(state()));
    if (status === reported && Date.now() - last < lease / 3) continue;
    try {
      await store.put(statusKey(prefix, name), status, { ttl: lease / 1000, signal });
      reported = status;
      last = Date.now();
      wrong = 0;
    } catch (error) {
      signal.throwIfAborted();
      if (wrong === 0) log?.('warning', 'no status written', { error: (error as Error).message });
      await pause(waitAfter(++wrong, backoff), undefined, { signal });
    }
  }
}

function statusOf({ revision, hash, since, staleSince, leftOut, routes, held, error }: AgentState): Status {
  return {
    version: 1,
    revision,
    hash,
    since: since.toISOString(),
    ...(staleSince && { staleSince: staleSince.toISOString() }),
    leftOut,
    ...(routes && { routes }),
    held: held?.keys.length ?? 0,
    ...(error !== undefined && { error }),
  };
}
