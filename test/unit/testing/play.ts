import assert from 'node:assert/strict';
import {
  CompileError,
  type Connection,
  type Feed,
  type MonitorEvent,
  type Ruleset,
  TransactionError,
} from '../../../src/index.ts';
import type { Command } from './commands.ts';
import type { Scenario } from './scenario.ts';

/** What a transaction did, as far as a user can see it. */
export interface Played {
  /** `ok`, or the code of the first refusal and the index of its command, or `CompileError` and its place. */
  readonly outcome: string;
  /** All that the error tells: codes, operations, paths, elements, attributes. */
  readonly refusals: readonly unknown[];
  readonly handles: readonly (readonly [operation: number, handle: bigint])[];
  /** By how much it raised the generation. */
  readonly generations: number;
  /** What is there afterwards. */
  readonly listing: readonly unknown[];
  /** What a monitor tells of it. */
  readonly changes: readonly unknown[];
}

/** Plays a scenario, from an empty ruleset to an empty one. */
export async function play(nft: Connection, { steps }: Scenario): Promise<Played[]> {
  using events = nft.monitor();
  const played: Played[] = [];
  for (const { commands } of steps) played.push(await playStep(nft, events, commands));
  await nft.commit([{ flush: { ruleset: null } }] as unknown as Ruleset['nftables']);
  return played;
}

/** Carries out one transaction and looks at what it did. */
export async function playStep(
  nft: Connection,
  events: Feed<MonitorEvent>,
  commands: readonly Command[],
): Promise<Played> {
  const before = await nft.generation();
  const told = await commit(nft, commands);
  const { ruleset, generation } = await nft.snapshot();
  const changes = generation === before ? [] : await changesUpTo(events, generation);
  return { ...told, generations: generation - before, listing: comparable(ruleset), changes };
}

/** The changes of the commit that began a generation: every commit before it was waited for as well. */
async function changesUpTo(events: Feed<MonitorEvent>, generation: number): Promise<unknown[]> {
  for (;;) {
    const { value, done } = await events.next();
    assert.ok(!done && !value.overrun && value.own && !value.partial);
    if (value.generation === generation) return value.changes.map(timeless);
  }
}

async function commit(
  nft: Connection,
  commands: readonly Command[],
): Promise<Pick<Played, 'outcome' | 'refusals' | 'handles'>> {
  try {
    const { handles } = await nft.commit([...commands]);
    return { outcome: 'ok', refusals: [], handles: [...handles].sort(([a], [b]) => a - b) };
  } catch (error) {
    if (error instanceof CompileError) return { outcome: 'CompileError', refusals: [], handles: [] };
    if (!(error instanceof TransactionError)) throw error;
    const outcome = error.operation === undefined ? error.code : `${error.code} ${error.operation}`;
    const refusals = error.refusals.map(({ command: _, ...rest }) => rest);
    return { outcome, refusals, handles: [] };
  }
}

/** A listing without what passes with time; the elements of hash sets have an order of the kernel's own. */
function comparable({ nftables }: Ruleset): unknown[] {
  return nftables.slice(1).map((item) => timeless(item));
}

function timeless(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(timeless);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key]) => key !== 'expires')
      .map(([key, part]) => [key, key === 'elem' && Array.isArray(part) ? sorted(part) : timeless(part)]),
  );
}

function sorted(list: readonly unknown[]): unknown[] {
  const text = (item: unknown) =>
    JSON.stringify(item, (_, part) => (typeof part === 'bigint' ? `${part}n` : part));
  return list.map(timeless).sort((a, b) => (text(a) < text(b) ? -1 : 1));
}
