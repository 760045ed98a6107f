import type { Connection } from '../../index.ts';
import { TABLE } from '../table.ts';
import type { AgentOptions } from './options.ts';
import type { OwnCommits } from './own-commits.ts';

/**
 * Tells when somebody else changed our tables, until `signal` is aborted.
 *
 * @param changed - where changes were missed, `isSpoiled` says whether some may have been of others: once what is
 *   being committed has been
 */
export async function guardTables(
  nft: Connection,
  own: OwnCommits,
  changed: (isSpoiled: () => boolean) => Promise<void>,
  { signal, log }: Pick<AgentOptions, 'log'> & { readonly signal: AbortSignal },
): Promise<void> {
  let last = await nft.generation();
  for await (const event of nft.monitor({ table: TABLE, changes: false, signal })) {
    const [before, now] = [last, event.generation];
    last = now;
    if (event.overrun) {
      await changed(() => {
        const isSpoiled = !own.areAll(before, now);
        if (isSpoiled) log?.('warning', 'changes of the ruleset were missed', {});
        return isSpoiled;
      });
    } else if (!event.own) {
      log?.('warning', 'somebody changed our tables', { ...event.process });
      await changed(() => true);
    }
    own.forget(now);
  }
  signal.throwIfAborted();
}
