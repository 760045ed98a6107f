import { at, CompileError, checkKinds, type Path } from '../linearize/index.ts';
import type { Ruleset } from '../model/index.ts';
import { withDynamicSets } from './dynamic.ts';
import { objectShapes } from './shape.ts';

/** The verbs of a transaction; `list` only reads and is none. */
export const VERBS = [
  'add',
  'create',
  'insert',
  'replace',
  'delete',
  'destroy',
  'flush',
  'reset',
  'rename',
] as const;
export type Verb = (typeof VERBS)[number];

const verbs = new Map<string, Verb>(VERBS.map((verb) => [verb, verb]));

/** One command of a transaction, taken apart. */
export interface ParsedCommand {
  readonly verb: Verb;
  /** The object's key in the model: `table`, `chain`, `rule` … */
  readonly kind: string;
  readonly node: Readonly<Record<string, unknown>>;
  /** Its place in the caller's list. */
  readonly index: number;
  readonly path: Path;
}

/** A transaction as it may be given: libnftables JSON, or only its list of commands. */
export type Commands = Ruleset | Ruleset['nftables'];

/** The list of commands. */
export function commandList(commands: Commands): Ruleset['nftables'] {
  const list = Array.isArray(commands) ? commands : (commands as Ruleset | undefined)?.nftables;
  if (!Array.isArray(list))
    throw new CompileError(undefined, 'expected { nftables: […] } or a list of commands');
  return list as Ruleset['nftables'];
}

/** Takes commands apart; an object without a verb is added and its handle ignored, `metainfo` says nothing. */
export function parseCommands(commands: Commands): readonly ParsedCommand[] {
  const parsed: ParsedCommand[] = [];
  const root = Array.isArray(commands) ? undefined : at(undefined, 'nftables');
  for (const [index, entry] of commandList(commands).entries()) {
    const path = at(root, index);
    const key = only(entry, path);
    const value = (entry as unknown as Readonly<Record<string, unknown>>)[key];
    if (key === 'metainfo') continue;
    const verb = verbs.get(key);
    if (verb === undefined) {
      // As a listing has it: its handle says which object it was there, not which one this is to stand beside.
      const { handle: _, ...node } = nodeOf(value, key, at(path, key));
      parsed.push({ verb: 'add', kind: key, node, index, path: at(path, key) });
      continue;
    }
    const inside = at(path, key);
    const kind = only(value, inside);
    const place = at(inside, kind);
    const node = nodeOf((value as Readonly<Record<string, unknown>>)[kind], kind, place);
    parsed.push({ verb, kind, node, index, path: place });
  }
  return withDynamicSets(parsed);
}

function only(value: unknown, path: Path): string {
  const keys = typeof value === 'object' && value !== null ? Object.keys(value) : [];
  const [key] = keys;
  if (keys.length !== 1 || key === undefined)
    throw new CompileError(path, `expected an object with one key, not ${keys.join(', ') || 'none'}`);
  return key;
}

function nodeOf(value: unknown, kind: string, path: Path): Readonly<Record<string, unknown>> {
  if (value === null) return {};
  if (typeof value !== 'object' || Array.isArray(value)) throw new CompileError(path, 'expected an object');
  const node = value as Readonly<Record<string, unknown>>;
  const shape = Object.hasOwn(objectShapes, kind) ? objectShapes[kind] : undefined;
  if (shape !== undefined) checkKinds(node, shape, path);
  return node;
}

/** What of an object stands in front of what, so that everything is there before it is named. */
const ORDER = ['table', 'flowtable', 'chain', 'set'];

function rank(kind: string): number {
  if (kind === 'rule') return ORDER.length + 2;
  if (kind === 'element') return ORDER.length + 1;
  const found = ORDER.indexOf(kind === 'map' ? 'set' : kind);
  return found < 0 ? 1 : found;
}

/**
 * Puts runs of additions into an order in which nothing names what does not exist yet: tables, objects,
 * chains, sets, elements, rules. Among themselves they stay as they were.
 */
export function inDependencyOrder(commands: readonly ParsedCommand[]): readonly ParsedCommand[] {
  if (commands.length < 2) return commands;
  const ordered: ParsedCommand[] = [];
  let run: ParsedCommand[] = [];
  const finish = () => {
    run.sort((a, b) => rank(a.kind) - rank(b.kind) || a.index - b.index);
    ordered.push(...run);
    run = [];
  };
  for (const command of commands) {
    if (command.verb === 'add' || command.verb === 'create') run.push(command);
    else {
      finish();
      ordered.push(command);
    }
  }
  finish();
  return ordered;
}
