import { constants } from 'node:os';
import { NetlinkSocketError } from './socket-error.ts';

/**
 * What was asked for was never read whole, however often it was read: somebody kept changing it. Its `code` is
 * `EINTR`, libmnl's for a dump that was interrupted.
 */
export class TornError extends NetlinkSocketError {
  override readonly name = 'TornError';

  constructor(what: string, tries: number) {
    super(
      constants.errno.EINTR,
      'netlink',
      tries === 1
        ? `${what} changed while it was read`
        : `${what} changed each of the ${tries} times that it was read; less of it is read faster`,
    );
  }
}

/** The ruleset changed while it was read: worth another try. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted';
}

/** How often something is read while somebody changes it. */
export const READS = 50;

/** The longest pause, in milliseconds. */
const LONGEST = 50;

/**
 * Waits before another try. Pauses grow with the tries that were made, and are partly chance, so as not to keep step
 * with whoever changes what is read.
 */
export async function pause(tries: number, signal?: AbortSignal): Promise<void> {
  // Loaded here: what it brings along takes a part of each start.
  const { setTimeout } = await import('node:timers/promises');
  const longest = Math.min(LONGEST, tries ** 2);
  await setTimeout(longest * (0.5 + Math.random() / 2), undefined, { signal }).catch(() =>
    signal?.throwIfAborted(),
  );
}
