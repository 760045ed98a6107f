import { member } from '../check.ts';
import { canonical } from '../import/write.ts';

/** The kinds of records that a policy has. */
export const KINDS = ['vms', 'groups', 'networks', 'filters'] as const;

/** A policy's records as they were written, by kind and name; `null` for one that is not there. */
export type Records = Readonly<Record<(typeof KINDS)[number], Readonly<Record<string, unknown>>>>;

/** Records with others in the place of some, or without them. */
export function overlaid(records: Records, instead: Records): Records {
  return Object.fromEntries(
    KINDS.map((kind) => [
      kind,
      Object.fromEntries(
        Object.entries({ ...records[kind], ...instead[kind] }).filter(([, record]) => record !== null),
      ),
    ]),
  ) as Records;
}

/** A record that is not as it was. */
export interface RecordChange {
  readonly action: 'add' | 'change' | 'delete';
  /** `vm/343a`, `group/web`, `host`. */
  readonly key: string;
  /** Where it differs, if it was there before: `.nics[0].ipv4`. */
  readonly paths: readonly string[];
}

/** Differences that are told of one record. */
const MOST_PATHS = 8;

/** What differs between the records of before and after, in the order of their keys. */
export function recordChanges(before: Records, after: Records): RecordChange[] {
  return KINDS.flatMap((kind) => {
    const names = [...new Set([...Object.keys(before[kind]), ...Object.keys(after[kind])])].sort();
    return names.flatMap((name) =>
      recordChange(`${kind.slice(0, -1)}/${name}`, own(before[kind], name), own(after[kind], name)),
    );
  });
}

/** What became of one record. */
export function recordChange(key: string, before: unknown, after: unknown): RecordChange[] {
  if (before === undefined && after === undefined) return [];
  if (before === undefined) return [{ action: 'add', key, paths: [] }];
  if (after === undefined) return [{ action: 'delete', key, paths: [] }];
  const paths = [...differences(before, after, '')];
  if (paths.length === 0) return [];
  const told = paths.slice(0, MOST_PATHS);
  return [{ action: 'change', key, paths: paths.length > told.length ? [...told, '…'] : told }];
}

function own(records: Readonly<Record<string, unknown>>, name: string): unknown {
  return Object.hasOwn(records, name) ? records[name] : undefined;
}

function* differences(before: unknown, after: unknown, path: string): Generator<string> {
  if (canonical(before) === canonical(after)) return;
  const [a, b] = [partsOf(before), partsOf(after)];
  const isAlike = a !== undefined && b !== undefined && Array.isArray(before) === Array.isArray(after);
  if (!isAlike || (Array.isArray(before) && a.size !== b.size)) {
    yield path;
    return;
  }
  for (const key of [...new Set([...a.keys(), ...b.keys()])].sort())
    yield* differences(a.get(key), b.get(key), `${path}${Array.isArray(before) ? `[${key}]` : member(key)}`);
}

/** The members of an object, or of a list whose members are no words. */
function partsOf(value: unknown): Map<string, unknown> | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const isWords = Array.isArray(value) && value.every((one) => typeof one !== 'object');
  return isWords ? undefined : new Map(Object.entries(value));
}
