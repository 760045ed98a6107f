import type { HostPlan, Plan } from './plan.ts';
import { overlaid, type RecordChange, type Records, recordChange, recordChanges } from './records.ts';

const NONE: Records = { vms: {}, groups: {}, networks: {}, filters: {} };

/**
 * What a plan changes on each of its hosts, beside the plan that was pushed before. A host that is new there, or
 * starts from nothing, gets all of its records.
 */
export function planChanges(plan: Plan, previous?: Plan): Map<string, readonly RecordChange[]> {
  // Hosts that have the same records, before and after, have the same changes.
  const known = new Map<string, readonly RecordChange[]>();
  return new Map(
    Object.entries(plan.hosts).map(([name, host]) => {
      const last = previous && Object.hasOwn(previous.hosts, name) ? previous.hosts[name] : undefined;
      const key = JSON.stringify([host.instead, last?.instead]);
      let records = known.get(key);
      if (records === undefined) {
        records = recordChanges(last && previous ? ofHost(previous, last) : NONE, ofHost(plan, host));
        known.set(key, records);
      }
      return [name, [...recordChange('host', last?.host, host.host), ...records]];
    }),
  );
}

function ofHost({ policy }: Plan, { instead }: HostPlan): Records {
  return overlaid(policy, instead);
}
