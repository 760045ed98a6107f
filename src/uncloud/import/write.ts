import { desiredPolicy, KINDS } from '../agent/desired.ts';
import { parsePolicy } from '../policy.ts';
import type { Problem } from '../problem.ts';
import type { Entry, Store } from '../store/index.ts';
import type { Imported } from './imported.ts';

/** What writing an import changed, by key. */
export interface Written {
  readonly put: readonly string[];
  readonly unchanged: readonly string[];
  /** Records that validation would not take: what the store has of them stays. */
  readonly refused: readonly Problem[];
}

/**
 * Puts what was imported into a store: `<prefix>vm/<id>`, `<prefix>group/<name>` and so on, and only what differs from
 * what is there. What would be refused, beside what else is in the store, is not written. Nothing is deleted: a VM that
 * an export leaves out may be on another host.
 *
 * @throws StoreError `conflict` where somebody else changes a key meanwhile
 */
export async function writeImport(store: Store, prefix: string, imported: Imported): Promise<Written> {
  const wanted = new Map(
    Object.entries(KINDS).flatMap(([kind, name]) =>
      Object.entries(imported[name] ?? {}).map(
        ([id, record]) => [`${prefix}${kind}/${id}`, canonical(record)] as const,
      ),
    ),
  );
  const there = new Map((await store.list(prefix)).entries.map((entry) => [entry.key, entry]));
  const refused = problemsOf(prefix, there, wanted);
  const put: string[] = [];
  const unchanged: string[] = [];
  for (const [key, value] of wanted) {
    const entry = there.get(key);
    if (entry !== undefined && isSame(entry.value, value)) unchanged.push(key);
    else if (!refused.some((problem) => problem.key === key)) {
      await store.put(key, value, { expected: entry?.revision ?? 0 });
      put.push(key);
    }
  }
  return { put, unchanged, refused };
}

/** What begins the keys in problems of validation. */
const TOLD = 'distributed-firewall/';

/** What validation would refuse of what is wanted, in the store as it will be. */
function problemsOf(
  prefix: string,
  there: ReadonlyMap<string, Entry>,
  wanted: ReadonlyMap<string, string>,
): Problem[] {
  const after = new Map(there);
  for (const [key, value] of wanted) {
    const known = there.get(key);
    after.set(key, { revision: 0, created: Number.MAX_SAFE_INTEGER, ...known, key, value });
  }
  const { value, revisions } = desiredPolicy(prefix, after);
  return parsePolicy(value, { revisions })
    .problems.map((problem) => ({ ...problem, key: prefix + problem.key.slice(TOLD.length) }))
    .filter(({ key }) => wanted.has(key));
}

/** Whether two texts are the same JSON, however it is written. */
function isSame(there: string, wanted: string): boolean {
  try {
    return canonical(JSON.parse(there)) === wanted;
  } catch (error) {
    if (error instanceof SyntaxError) return false;
    throw error;
  }
}

/** JSON with the keys of objects in order, so that the same value has the same text. */
export function canonical(value: unknown): string {
  const sorted = (_: string, one: unknown) =>
    typeof one === 'object' && one !== null && !Array.isArray(one)
      ? Object.fromEntries(Object.entries(one).sort(([a], [b]) => (a < b ? -1 : 1)))
      : one;
  return `${JSON.stringify(value, sorted)}\n`;
}
