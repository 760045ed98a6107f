import type { Entry } from '../store/index.ts';

/** The kinds of records, by the name that stands in their keys, and where a policy has them. */
export const KINDS = { vm: 'vms', group: 'groups', network: 'networks', filter: 'filters' } as const;

/** What is under the store's prefix, as the value that `parsePolicy` reads. */
export interface DesiredPolicy {
  readonly value: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  /** The age of each VM's key. */
  readonly revisions: Readonly<Record<string, number>>;
}

/** Stands for a record that is no JSON: nothing that validation would take. */
const UNREADABLE = 'this is not JSON';

/** Puts records together; one that is no JSON is left to validation, which refuses it alone. */
export function desiredPolicy(prefix: string, entries: Iterable<Entry>): DesiredPolicy {
  const value = Object.fromEntries(
    Object.values(KINDS).map((name) => [name, Object.create(null) as Record<string, unknown>]),
  );
  const revisions: Record<string, number> = Object.create(null);
  for (const { key, value: text, created } of entries) {
    const [kind = '', ...rest] = key.slice(prefix.length).split('/');
    const id = rest.join('/');
    const records = Object.hasOwn(KINDS, kind) ? value[KINDS[kind as keyof typeof KINDS]] : undefined;
    if (records === undefined || id === '') continue;
    records[id] = recordOf({ value: text });
    if (kind === 'vm') revisions[id] = created;
  }
  return { value, revisions };
}

/** A record's JSON; nothing where there is no record. */
export function recordOf(entry: Pick<Entry, 'value'> | undefined): unknown {
  if (entry === undefined) return undefined;
  try {
    return JSON.parse(entry.value) ?? UNREADABLE;
  } catch {
    return UNREADABLE;
  }
}
