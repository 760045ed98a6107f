import { MESSAGE } from '../message/index.ts';
import { applyNames, deleteChain, newChain } from './chain.ts';
import { deleteElements, expire, newElements } from './element.ts';
import { deleteFlowtable, newFlowtable } from './flowtable.ts';
import { Journal } from './journal.ts';
import { News } from './news.ts';
import { deleteObject, newObject } from './object.ts';
import type { Batch, BatchMessage } from './program-reader.ts';
import { Refused } from './refusal.ts';
import { deleteRule, newRule } from './rule.ts';
import type { Machine, Run } from './run.ts';
import { applyDeclarations, deleteSet, newSet } from './set.ts';
import type { State } from './state.ts';
import { deleteTable, newTable } from './table.ts';
import { validate } from './validate.ts';

type Handler = (run: Run, message: BatchMessage) => void;

const handlers: ReadonlyMap<number, Handler> = new Map([
  [MESSAGE.NEWTABLE, newTable],
  [MESSAGE.DELTABLE, deleteTable],
  [MESSAGE.DESTROYTABLE, deleteTable],
  [MESSAGE.NEWCHAIN, newChain],
  [MESSAGE.DELCHAIN, deleteChain],
  [MESSAGE.DESTROYCHAIN, deleteChain],
  [MESSAGE.NEWRULE, newRule],
  [MESSAGE.DELRULE, deleteRule],
  [MESSAGE.DESTROYRULE, deleteRule],
  [MESSAGE.NEWSET, newSet],
  [MESSAGE.DELSET, deleteSet],
  [MESSAGE.DESTROYSET, deleteSet],
  [MESSAGE.NEWSETELEM, newElements],
  [MESSAGE.DELSETELEM, deleteElements],
  [MESSAGE.DESTROYSETELEM, deleteElements],
  [MESSAGE.NEWOBJ, newObject],
  [MESSAGE.DELOBJ, deleteObject],
  [MESSAGE.DESTROYOBJ, deleteObject],
  [MESSAGE.NEWFLOWTABLE, newFlowtable],
  [MESSAGE.DELFLOWTABLE, deleteFlowtable],
  [MESSAGE.DESTROYFLOWTABLE, deleteFlowtable],
]);

/** A message that was refused, and why. */
export interface Refusal {
  readonly refused: Refused;
  /** Absent where the batch as a whole was refused. */
  readonly message?: BatchMessage;
}

/** What became of a batch. */
export interface BatchResult {
  readonly refusals: readonly Refusal[];
  /** What is to be told of it. */
  readonly news: News;
  /** Whether it began a new generation. */
  readonly changed: boolean;
}

/** What the fake kernel is and has, for one batch. */
export interface Host {
  readonly state: State;
  readonly machine: Machine;
  readonly port: number;
}

/** Lets what has outlived its time go. */
export function collectExpired({ state, machine }: Pick<Host, 'state' | 'machine'>): void {
  const now = machine.now();
  for (const table of state.tables) {
    for (const set of table.sets.values()) expire(set, now, new Journal());
  }
}

/**
 * Carries out a batch: all of it where nothing is refused and it is no check, otherwise nothing. Further
 * messages are tried behind one that is refused, as the kernel does.
 */
export function runBatch(host: Host, batch: Batch): BatchResult {
  const refused = (refusals: readonly Refusal[]) => ({ refusals, news: new News(), changed: false });
  if (batch.generation !== 0 && batch.generation !== host.state.generation) {
    return refused([{ refused: new Refused('ERESTART') }]);
  }
  collectExpired(host);
  const journal = new Journal();
  const news = new News();
  const refusals = tryMessages(host, batch, journal, false, news);
  if (refusals.length > 0) {
    journal.rollBack();
    return refused(refusals);
  }
  if (!isValid(host.state)) {
    // The kernel goes through the batch again and looks after each message, to find the one to blame.
    journal.rollBack();
    const blamed = tryMessages(host, batch, journal, true, new News());
    journal.rollBack();
    return refused(blamed);
  }
  const changed = journal.changed && !batch.check;
  if (batch.check) journal.rollBack();
  else if (changed) host.state.generation += 1;
  for (const table of host.state.tables) table.unproven = false;
  return { refusals, news, changed };
}

function isValid(state: State): boolean {
  try {
    for (const table of state.tables) if (table.unproven) validate(table);
    return true;
  } catch (error) {
    if (error instanceof Refused) return false;
    throw error;
  }
}

function tryMessages(
  { state, machine, port }: Host,
  { messages }: Batch,
  journal: Journal,
  strict: boolean,
  news: News,
): Refusal[] {
  const run: Run = {
    state,
    machine,
    journal,
    port,
    setIds: new Map(),
    ruleIds: new Map(),
    redeclared: new Map(),
    renamed: new Map(),
    given: new Map(),
    deleted: new Map(),
    vacated: new Map(),
    news,
  };
  const refusals: Refusal[] = [];
  for (const message of messages) {
    try {
      const handle = handlers.get(message.type);
      if (handle === undefined) throw new Refused('EINVAL');
      handle(run, message);
      if (strict && (message.type === MESSAGE.NEWRULE || message.type === MESSAGE.NEWSETELEM)) {
        for (const table of state.tables) if (table.unproven) validate(table);
      }
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      refusals.push({ refused: error, message });
    }
  }
  applyDeclarations(run);
  applyNames(run);
  return refusals;
}
