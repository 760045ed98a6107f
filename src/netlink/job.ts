import { elementList, MESSAGE } from '../message/index.ts';
import type { Family } from '../model/index.ts';
import { families, findFamily } from '../protocol/index.ts';
import {
  type Commands,
  emptyView,
  type KernelView,
  type Needs,
  needsOf,
  type ParsedCommand,
} from '../transaction/index.ts';
import { query } from './query.ts';
import type { DumpRequest } from './request.ts';
import { canDestroy } from './view.ts';

/** So many elements are compiled while others have to wait; with more of them, others go in between. */
const MANY = 10_000;

/** A transaction, and what must be known to compile it. */
export interface Job {
  readonly commands: Commands;
  readonly parsed: readonly ParsedCommand[];
  readonly needs: Needs;
  /** Whether the kernel has to tell something. */
  readonly asks: boolean;
}

export function jobOf(parsed: readonly ParsedCommand[], commands: Commands): Job {
  const needs = needsOf(parsed, canDestroy);
  const { sets, chains, rules, existence } = needs;
  const asks =
    sets.size + chains.size + rules.size + existence.size > 0 ||
    elementQuestions(parsed, emptyView).length > 0;
  return { commands, parsed, needs, asks };
}

/** Whether others have to be let in between while it is compiled. */
export function isLarge(commands: readonly ParsedCommand[]): boolean {
  let elements = 0;
  for (const { node } of commands) elements += (node.elem as { length?: number } | undefined)?.length ?? 0;
  return elements > MANY;
}

/**
 * Which elements are there: where the kernel cannot destroy those that are, and of sets that merge what is added with
 * what they hold.
 */
export function elementQuestions(
  commands: readonly ParsedCommand[],
  view: KernelView,
): readonly DumpRequest[] {
  let asked: Map<string, DumpRequest> | undefined;
  for (const { verb, kind, node } of commands) {
    const { family, table, name } = node as { family: Family; table: string; name: string };
    const destroys = !canDestroy && verb === 'destroy' && kind === 'element';
    const merges =
      (kind === 'set' && verb === 'add' && node['auto-merge'] === true) ||
      (kind === 'element' && view.set(family, table, name)?.autoMerge === true);
    if ((!destroys && !merges) || !Object.hasOwn(families, family)) continue;
    const request = query(MESSAGE.GETSETELEM, findFamily(family).number, elementList, { table, set: name });
    asked ??= new Map();
    asked.set(`${family} ${table} ${name}`, request);
  }
  return asked === undefined ? NO_QUESTIONS : [...asked.values()];
}

const NO_QUESTIONS: readonly DumpRequest[] = [];
