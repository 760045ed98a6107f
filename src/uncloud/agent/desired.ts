import type { Entry } from '../store/index.ts';

/** The kinds of records, by the name that stands in their keys, and where a policy has them. */
export const KINDS = { vm: 'vms', group: 'groups', network: 'networks', filter: 'filters' } as const;

/** Records by kind and name, as `parsePolicy` and `Firewall.change` read them. */
export type DesiredRecords = Readonly<
  Record<(typeof KINDS)[keyof typeof KINDS], Readonly<Record<string, unknown>>>
>;

/** What is under the store's prefix, as the value that `parsePolicy` reads. */
export interface DesiredPolicy {
  readonly value: DesiredRecords;
  /** The age of each VM's key. */
  readonly revisions: Readonly<Record<string, number>>;
}

/** Stands for a record that is no JSON: nothing that validation would take. */
const UNREADABLE = 'this is not JSON';

/** Puts everything together that there is. */
export function desiredPolicy(prefix: string, entries: ReadonlyMap<string, Entry>): DesiredPolicy {
  return {
    value: desiredRecords(prefix, entries.keys(), entries),
    revisions: revisionsOf(prefix, entries.keys(), entries),
  };
}

/** The age of the VMs' keys among some. */
export function revisionsOf(
  prefix: string,
  keys: Iterable<string>,
  entries: ReadonlyMap<string, Entry>,
): Record<string, number> {
  const revisions: Record<string, number> = Object.create(null);
  for (const key of keys) {
    const place = placeOf(prefix, key);
    const created = entries.get(key)?.created;
    if (place?.kind === 'vms' && created !== undefined) revisions[place.name] = created;
  }
  return revisions;
}

/** Puts the records of some keys together: nothing for what is gone; what is no JSON, validation refuses alone. */
export function desiredRecords(
  prefix: string,
  keys: Iterable<string>,
  entries: ReadonlyMap<string, Entry>,
): DesiredRecords {
  const none = (): Record<string, unknown> => Object.create(null);
  const records = { vms: none(), groups: none(), networks: none(), filters: none() };
  for (const key of keys) {
    const place = placeOf(prefix, key);
    if (place) records[place.kind][place.name] = recordOf(entries.get(key));
  }
  return records;
}

/** Where a policy has the record of a key. */
function placeOf(prefix: string, key: string): { kind: keyof DesiredRecords; name: string } | undefined {
  const slash = key.indexOf('/', prefix.length);
  const kind = key.slice(prefix.length, slash);
  const name = key.slice(slash + 1);
  if (slash < 0 || name === '' || !Object.hasOwn(KINDS, kind)) return undefined;
  return { kind: KINDS[kind as keyof typeof KINDS], name };
}

function recordOf(entry: Pick<Entry, 'value'> | undefined): unknown {
  if (entry === undefined) return undefined;
  try {
    return JSON.parse(entry.value) ?? UNREADABLE;
  } catch {
    return UNREADABLE;
  }
}
