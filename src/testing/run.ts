import type { Instruction } from '../bytecode/index.ts';
import type { Journal } from './journal.ts';
import type { News } from './news.ts';
import type { BatchMessage } from './program-reader.ts';
import { demand } from './refusal.ts';
import type { Chain, Flowtable, NftObject, NftSet, Rule, State, Table, Use } from './state.ts';

/** What may differ between kernels and machines, as far as it decides what is legal. */
export interface Machine {
  /** The fake's clock, in milliseconds. */
  now(): number;
  /** The names of the network interfaces. */
  hasInterface(name: string): boolean;
  /** The code that refuses an instruction which the kernel does not know in this family. */
  refusalOf(instruction: Instruction, family: number): string | undefined;
  readonly hasFlowtables: boolean;
}

/** What can be declared anew of a set that is there. */
export interface Redeclared {
  readonly timeout: bigint | undefined;
  readonly gcInterval: number | undefined;
  readonly size: number | undefined;
}

/** One transaction while it is carried out. */
export interface Run {
  readonly state: State;
  readonly machine: Machine;
  readonly journal: Journal;
  /** The connection that made it. */
  readonly port: number;
  /** What the transaction made, by the numbers that it gave. */
  readonly setIds: Map<number, NftSet>;
  readonly ruleIds: Map<number, Rule>;
  /** What of sets is declared anew, from the end on. */
  readonly redeclared: Map<NftSet, Redeclared>;
  /** Chains that get another name at the end. */
  readonly renamed: Map<Chain, string>;
  /** Devices that chains of a table got: none gets one that another got before it. */
  readonly given: Map<Table, ReadonlySet<string>>;
  /** Rules that it deleted: the kernel still finds them, to say that they are gone. */
  readonly deleted: Map<Chain, Set<bigint>>;
  /** Elements that it took from each set: their room can be used again. */
  readonly vacated: Map<NftSet, number>;
  /** What is told of it when it takes effect: to whoever asked for echoes, and to monitors. */
  readonly news: News;
}

/** Finds a table, which must not be somebody else's. */
export function findTable(
  { state, port }: Pick<Run, 'state' | 'port'>,
  family: number,
  name: string | undefined,
): Table | undefined {
  const table = state.tables.find((one) => one.family === family && one.name === name);
  demand(table?.owner === undefined || table.owner === port, 'EPERM', NAME_IN_TABLE);
  return table;
}

const NAME_IN_TABLE = 1;

/** The table that a message's object is in: NFTA_*_TABLE is 1 everywhere. */
export function tableOf(run: Run, message: BatchMessage, name: string | undefined): Table {
  demand(name !== undefined, 'EINVAL');
  const table = findTable(run, message.family, name);
  demand(table, 'ENOENT', NAME_IN_TABLE);
  return table;
}

/** A new handle for something in a table: never given back. */
export function nextHandle(table: Table): bigint {
  table.lastHandle += 1n;
  return table.lastHandle;
}

/** Counts a use, or one less. */
export function hold(journal: Journal, use: Use, by: 1 | -1 = 1): void {
  switch (use.kind) {
    case 'chain':
      journal.set(use.target, 'jumps', use.target.jumps + by);
      break;
    case 'set':
      journal.set(use.target, 'bindings', use.target.bindings + by);
      break;
    case 'object':
    case 'flowtable':
      journal.set(use.target as NftObject | Flowtable, 'use', use.target.use + by);
      break;
  }
}

/** A set by its name or, where this transaction made it, by its number. */
export function findSet(
  run: Pick<Run, 'setIds'>,
  table: Table,
  name: string | undefined,
  id: number | undefined,
): NftSet | undefined {
  const named = table.sets.get(name ?? '');
  if (named !== undefined || id === undefined) return named;
  const made = run.setIds.get(id);
  return made !== undefined && table.sets.get(made.name) === made ? made : undefined;
}
