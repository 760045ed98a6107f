import { claims } from './claim.ts';
import type { Host } from './host.ts';
import type { Vm } from './policy.ts';
import { Refused } from './problem.ts';

/** Which record of each VM is in force. */
export interface Settlement {
  /** By id: the new record, or the last good one of a VM that is refused. */
  readonly vms: ReadonlyMap<string, Vm>;
  /** Why the new records of some VMs are not in force. */
  readonly refused: ReadonlyMap<string, Refused>;
}

/**
 * Decides who has what: what a VM had before stays its own until its new record gives it up, whoever else
 * asks for it; of new claims the first in `order` stands.
 *
 * @param order - every VM's id, the oldest first
 * @param records - each VM's record, or why it is not valid
 * @param previous - the records that were in force, as far as they still make sense
 */
export function settle(
  order: readonly string[],
  records: ReadonlyMap<string, Vm | Refused>,
  previous: ReadonlyMap<string, Vm>,
  host: Host | undefined,
): Settlement {
  const vms = new Map<string, Vm>();
  const refused = new Map<string, Refused>();
  let book = claims(host);

  const attempt = (id: string, record: Vm | Refused | undefined) => {
    try {
      if (record instanceof Refused) throw record;
      if (!record) return;
      book.claim(id, record);
      vms.set(id, record);
      refused.delete(id);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      refused.set(id, error);
    }
  };

  for (const id of order) attempt(id, previous.get(id));
  refused.clear();
  for (const id of order) attempt(id, records.get(id));
  // What a new record gave up is free now, for those who asked for it in the same change. Who is refused in the end is
  // told why by what stands then.
  for (let before = Infinity; refused.size > 0 && refused.size < before; ) {
    before = refused.size;
    book = claims(host);
    for (const [id, record] of vms) book.claim(id, record);
    for (const id of order) if (refused.has(id)) attempt(id, records.get(id));
  }
  return { vms, refused };
}
