import { setTimeout as pause } from 'node:timers/promises';
import { type Listing, type Store, type StoreChange, StoreError } from '../store/index.ts';
import { type Backoff, waitAfter } from './backoff.ts';

/** What following a store tells. */
export type Followed =
  /** Everything under a prefix, as it is at one revision: what is not in it is gone. */
  | { readonly kind: 'listed'; readonly prefix: string; readonly listing: Listing }
  /** What changed since; without changes: the store is well. */
  | { readonly kind: 'changed'; readonly changes: readonly StoreChange[]; readonly revision: number }
  /** The store cannot be followed now; another attempt is made after so many milliseconds. */
  | { readonly kind: 'lost'; readonly error: StoreError; readonly wait: number };

export interface FollowOptions {
  /** Ends the iteration with its reason. */
  readonly signal: AbortSignal;
  readonly backoff?: Backoff;
}

/**
 * Follows the keys under a prefix for as long as it is asked to: lists, watches from the revision after, and
 * goes on from there when the store was away. It lists again, and never skips a change, where the store no
 * longer knows all changes, is at an earlier revision than before, or is another one.
 */
export async function* follow(
  store: Store,
  prefix: string,
  { signal, backoff }: FollowOptions,
): AsyncGenerator<Followed, never> {
  let place: Place | undefined;
  for (let failures = 0; ; ) {
    try {
      if (place === undefined) {
        const listing = await store.list(prefix, { signal });
        place = { cluster: listing.cluster, revision: listing.revision };
        yield { kind: 'listed', prefix, listing };
      }
      for await (const { cluster, revision, changes } of store.watch(prefix, place.revision + 1, {
        signal,
      })) {
        if (cluster !== place.cluster) throw new StoreError('compacted', 'this is another store');
        failures = 0;
        place.revision = Math.max(place.revision, revision);
        yield { kind: 'changed', changes, revision: place.revision };
      }
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof StoreError)) throw error;
      failures++;
      const isLostTrack = error.code !== 'unavailable';
      if (isLostTrack) place = undefined;
      // Once lost track of, listing is the answer, not patience; more than once, it is not.
      const wait = isLostTrack && failures === 1 ? 0 : waitAfter(failures, backoff);
      yield { kind: 'lost', error, wait };
      await pause(wait, undefined, { signal });
    }
  }
}

interface Place {
  readonly cluster: string;
  revision: number;
}
