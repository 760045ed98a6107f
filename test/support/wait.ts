import { setTimeout as sleep } from 'node:timers/promises';

/** Waits until something is so. Where it is not in time, the error says what was waited for. */
export async function until(
  what: string | (() => string),
  isSo: () => boolean | Promise<boolean>,
  seconds = 20,
): Promise<void> {
  for (const end = Date.now() + seconds * 1000; !(await isSo()); await sleep(20))
    if (Date.now() > end) throw late(typeof what === 'string' ? what : what(), seconds);
}

/** A signal that ends a wait after so long, and whose reason says what was waited for. */
export function limit(what: string, seconds = 30): AbortSignal {
  const controller = new AbortController();
  setTimeout(() => controller.abort(late(what, seconds)), seconds * 1000).unref();
  return controller.signal;
}

const late = (what: string, seconds: number) => new Error(`not within ${seconds} seconds: ${what}`);
