import { setTimeout as pause } from 'node:timers/promises';
import type { Feed } from '../../index.ts';
import { waitAfter } from './backoff.ts';
import type { AgentOptions } from './options.ts';

/** How a feed is listened to. */
export interface Listening<T> extends Pick<AgentOptions, 'backoff' | 'log'> {
  /** What it is about, in the log. */
  readonly what: string;
  open(): Feed<T>;
  /** From now on nothing is missed; what was before has to be looked at. */
  begun(): void | Promise<void>;
  heard(event: T): void | Promise<void>;
  readonly signal: AbortSignal;
}

/** Listens to the kernel for as long as it is asked to: where that fails, again, after a while. */
export async function listen<T>(listening: Listening<T>): Promise<never> {
  const { what, signal, backoff, log } = listening;
  for (let failures = 0; ; ) {
    try {
      using feed = listening.open();
      await listening.begun();
      failures = 0;
      for await (const event of feed) await listening.heard(event);
      throw new Error('the connection is closed');
    } catch (error) {
      signal.throwIfAborted();
      if (failures++ === 0) log?.('warning', `not heard of: ${what}`, { error: (error as Error).message });
      await pause(waitAfter(failures, backoff), undefined, { signal });
    }
  }
}
