import type { Store } from '../store/index.ts';
import type { Imported } from './imported.ts';

/** What writing an import changed, by key. */
export interface Written {
  readonly put: readonly string[];
  readonly unchanged: readonly string[];
}

/**
 * Puts what was imported into a store: `<prefix>vm/<id>` and `<prefix>group/<name>`, and only what differs
 * from what is there. Nothing is deleted: a VM that an export leaves out may be on another host.
 *
 * @throws StoreError `conflict` where somebody else changes a key meanwhile
 */
export async function writeImport(store: Store, prefix: string, { vms, groups }: Imported): Promise<Written> {
  const wanted = new Map([
    ...Object.entries(vms).map(([id, record]) => [`${prefix}vm/${id}`, canonical(record)] as const),
    ...Object.entries(groups).map(([name, group]) => [`${prefix}group/${name}`, canonical(group)] as const),
  ]);
  const there = new Map((await store.list(prefix)).entries.map((entry) => [entry.key, entry]));
  const put: string[] = [];
  const unchanged: string[] = [];
  for (const [key, value] of wanted) {
    const entry = there.get(key);
    if (entry !== undefined && isSame(entry.value, value)) unchanged.push(key);
    else {
      await store.put(key, value, { expected: entry?.revision ?? 0 });
      put.push(key);
    }
  }
  return { put, unchanged };
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
