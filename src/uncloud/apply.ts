import {
  type Commands,
  type Connection,
  diff,
  NetlinkSocketError,
  type Ruleset,
  type RulesetElement,
  type Transaction,
  TransactionError,
  transaction,
} from '../index.ts';
import { appliedOf, UnexpectedStateError } from './applied.ts';
import { type Desired, type Rendering, render } from './render.ts';
import { TABLE } from './table.ts';

/** What begins so in our tables is the administrator's: chains, sets, maps and objects. */
export const CUSTOM = 'custom_';

/** What of a connection is needed. */
export type Appliable = Pick<Connection, 'snapshot' | 'commit'>;

/** What would be sent, and whether anything. */
export interface Planned {
  readonly rendering: Rendering;
  /** Empty where nothing differs. */
  readonly transaction: Transaction;
  /** The state of the kernel that it is true of. */
  readonly generation: number;
  /** What was in force before, where rules that say so were: see `marked`. */
  readonly before: string;
}

export interface ApplyOptions {
  readonly signal?: AbortSignal;
  readonly attempts?: number;
  readonly expected?: readonly string[];
}

export interface Applied extends Planned {
  /** Whether anything was sent. */
  readonly changed: boolean;
}

type Named = {
  readonly family: string;
  readonly table?: string;
  readonly name?: string;
  readonly chain?: string;
};

const bodyOf = (element: RulesetElement): Named => Object.values(element)[0] as Named;

function isCustom(element: RulesetElement): boolean {
  const { name, chain } = bodyOf(element);
  return ('rule' in element ? chain : 'table' in element ? undefined : name)?.startsWith(CUSTOM) === true;
}

/** What a listing holds, or what a rendering makes once it has cleared its tables. */
function elementsOf({ nftables }: Ruleset): RulesetElement[] {
  const cleared = nftables.findLastIndex((item) => 'delete' in item) + 1;
  return nftables.slice(cleared).flatMap((item) => {
    if ('metainfo' in item) return [];
    return ['add' in item ? (item.add as RulesetElement) : (item as RulesetElement)];
  });
}

/** A named set that is large enough stays as large as it is: another size would make it anew. */
function withRoom(element: RulesetElement, sizes: ReadonlyMap<string, number>): RulesetElement {
  const body = 'set' in element ? element.set : 'map' in element ? element.map : undefined;
  if (!body) return element;
  const now = sizes.get(`${body.family} ${body.name}`);
  if (now === undefined) return element;
  const elements = Array.isArray(body.elem) ? body.elem.length : 0;
  if (now < elements || now > 8 * (body.size ?? now)) return element;
  const sized = { ...body, size: now };
  return 'set' in element ? { set: sized as never } : { map: sized as never };
}

/** What our tables have to be: what was rendered, and what in them is the administrator's. */
export function wanted(rendering: Rendering, current: Ruleset): Ruleset {
  const there = elementsOf(current);
  const sizes = new Map(
    there.flatMap((element): [string, number][] => {
      const body = 'set' in element ? element.set : 'map' in element ? element.map : undefined;
      return body?.size === undefined ? [] : [[`${body.family} ${body.name}`, body.size]];
    }),
  );
  const ours = elementsOf(rendering.ruleset).map((element) => withRoom(element, sizes));
  const custom = there.filter(isCustom);
  const tables = new Set(ours.flatMap((element) => ('table' in element ? [element.table.family] : [])));
  const missing = new Set(
    custom.map((element) => bodyOf(element).family as typeof tables extends Set<infer F> ? F : never),
  );
  const rules = custom.filter((element) => 'rule' in element);
  const things = custom.filter((element) => !('rule' in element));
  return {
    nftables: [
      ...[...missing]
        .filter((family) => !tables.has(family))
        .map((family) => ({ table: { family, name: TABLE } })),
      ...ours.filter((element) => 'table' in element),
      ...things,
      ...ours.filter((element) => !('table' in element)),
      ...rules,
    ],
  };
}

/** Our tables as they are. */
async function current(nft: Appliable, signal?: AbortSignal) {
  try {
    return await nft.snapshot({ table: TABLE, ...(signal && { signal }) });
  } catch (error) {
    if (!(error instanceof NetlinkSocketError && error.code === 'ENOENT')) throw error;
    return await nft
      .snapshot({ terse: true, ...(signal && { signal }) })
      .then(({ generation }) => ({ ruleset: { nftables: [] }, generation }));
  }
}

const allOf = ({ nftables }: Ruleset): Transaction =>
  transaction((nftables as readonly RulesetElement[]).map((add) => ({ add })));

const OURS = (['bridge', 'inet', 'netdev'] as const).map((family) => ({ family, name: TABLE }));

/**
 * What {@link apply} would send just now. Nothing is changed.
 *
 * @throws as {@link apply}
 */
export async function planOf(
  nft: Appliable,
  given: Desired | Rendering,
  { signal, expected }: Omit<ApplyOptions, 'attempts'> = {},
): Promise<Planned> {
  const rendering = 'ruleset' in given ? given : render(given);
  const { ruleset, generation } = await current(nft, signal);
  const before = appliedOf(ruleset);
  if (expected !== undefined && before !== rendering.hash && !expected.includes(before))
    throw new UnexpectedStateError(before, expected);
  const there = { nftables: elementsOf(ruleset) };
  const desired = wanted(rendering, ruleset);
  return {
    rendering,
    // Where nothing is there, nothing has to be compared: who was flushed is back the sooner.
    transaction: there.nftables.length === 0 ? allOf(desired) : diff(there, desired, { tables: OURS }),
    generation,
    before,
  };
}

/**
 * Brings our tables to what is desired by the smallest transaction: the same input a second time sends
 * nothing, a changed VM changes elements. Other tables are not touched, nor is what is called `custom_…` in
 * ours. Where somebody else changes the ruleset meanwhile, it starts again.
 *
 * @param options.expected - what may be in force before, beside what is desired: hashes of `marked` renderings,
 *   or `none`
 * @throws TransactionError when the kernel refused: nothing was changed
 * @throws UnexpectedStateError when something else is in force than what is expected
 */
export async function apply(
  nft: Appliable,
  desired: Desired | Rendering,
  { attempts = 20, ...options }: ApplyOptions = {},
): Promise<Applied> {
  const rendering = 'ruleset' in desired ? desired : render(desired);
  for (let attempt = 1; ; attempt++) {
    const planned = await planOf(nft, rendering, options);
    const { transaction, generation } = planned;
    if (transaction.nftables.length === 0) return { ...planned, changed: false };
    try {
      const { signal } = options;
      await nft.commit(transaction as Commands, { generation, ...(signal && { signal }) });
      return { ...planned, changed: true };
    } catch (error) {
      if (attempt >= attempts || !mayTryAgain(error)) throw error;
    }
  }
}

/** Somebody was faster; or nobody knows what became of it, and looking again tells. */
function mayTryAgain(error: unknown): boolean {
  if (!(error instanceof TransactionError)) return false;
  return error.outcome === 'unknown' || (error.code === 'ERESTART' && error.operation === undefined);
}
