import type { Connection } from '../../index.ts';
import { TABLE } from '../table.ts';
import type { AgentOptions } from './options.ts';

/** Tells when somebody else changed our tables, until `signal` is aborted. */
export async function guardTables(
  nft: Connection,
  changed: () => Promise<void>,
  { signal, log }: Pick<AgentOptions, 'log'> & { readonly signal: AbortSignal },
): Promise<void> {
  for await (const event of nft.monitor({ table: TABLE, signal })) {
    if (!event.overrun && (event.own || event.partial)) continue;
    if (event.overrun) log?.('warning', 'changes of the ruleset were missed', {});
    else log?.('warning', 'somebody changed our tables', { ...event.process });
    await changed();
  }
  signal.throwIfAborted();
}
