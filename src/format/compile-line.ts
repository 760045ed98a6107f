import { DatatypeError, datatype } from '../datatype/index.ts';
import {
  at,
  CompileError,
  checkKinds,
  compileRule,
  declareNamedSet,
  evaluate,
  type Names,
  type Path,
  Scope,
  type SetDeclaration,
  type Shape,
} from '../linearize/index.ts';
import type { Chain, NamedMap, Statement } from '../model/index.ts';
import { type FamilyName, findFamily, ProtocolLookupError } from '../protocol/index.ts';
import { bytecodeText } from './bytecode.ts';

/** A rule with what it needs to be compiled alone: one line of `nftjs compile --jsonl`. */
export interface CompileLine {
  readonly family: FamilyName;
  readonly table: string;
  readonly chain: string;
  /** The chain's definition in nft's words: `type filter hook input priority 0`. */
  readonly base?: string;
  /** The named sets and maps that the rule may name. */
  readonly sets?: readonly Partial<NamedMap>[];
  /** The named objects that the rule may name; their contents do not matter to it. */
  readonly objects?: readonly { readonly name: string; readonly kind: string }[];
  readonly expr: readonly Statement[];
}

const LINE: Shape = {
  family: 'text!',
  table: 'text!',
  chain: 'text!',
  base: 'text',
  sets: 'list',
  objects: 'list',
  expr: 'list!',
};

/** What of a set a rule depends on. */
const SET: Shape = { name: 'text!', type: 'any!', map: 'any', flags: 'texts', size: 'whole', elem: 'any' };

/**
 * Compiles one rule without a kernel.
 *
 * @returns its bytecode as `nft --debug=netlink` prints it, anonymous sets first
 * @throws CompileError at the place that cannot be meant
 */
export function compileLine(line: CompileLine): string[] {
  if (typeof line !== 'object' || line === null || Array.isArray(line))
    throw new CompileError(undefined, `expected an object with the keys ${Object.keys(LINE).join(', ')}`);
  checkKinds(line as never, LINE, undefined);
  const { table, chain } = line;
  const family = familyOf(line);
  const sets = new Map<string, SetDeclaration>();
  let id = 0;
  const names: Names = {
    set: (name) => sets.get(name),
    nextSetId: () => {
      id += 1;
      return id;
    },
  };
  const place = at(undefined, 'sets');
  for (const [i, set] of (line.sets ?? []).entries()) {
    if (typeof set !== 'object' || set === null)
      throw new CompileError(at(place, i), 'expected a set or map');
    checkKinds(set as never, SET, at(place, i));
    const scope = new Scope(family, undefined, names, evaluate);
    const declared = {
      ...set,
      family,
      table,
      name: set.name as string,
      ...secondsOf(set.timeout, at(place, i)),
    };
    sets.set(declared.name, declareNamedSet(declared, scope, at(place, i)));
  }
  const definition: Chain = { family, table, name: chain, ...baseOf(line.base) };
  const compiled = compileRule(line.expr, family, definition, names, at(undefined, 'expr'));
  return bytecodeText(compiled, family, table, chain);
}

function familyOf(line: CompileLine): FamilyName {
  try {
    return findFamily(line.family).name;
  } catch (error) {
    if (error instanceof ProtocolLookupError)
      throw new CompileError(at(undefined, 'family'), error.message, { cause: error });
    throw error;
  }
}

/** A timeout may be in nft's words here: `1h30m`. */
function secondsOf(timeout: unknown, path: Path): { timeout?: number } {
  if (timeout === undefined || typeof timeout === 'number') return timeout === undefined ? {} : { timeout };
  try {
    return { timeout: Number(datatype('time').parse(timeout as string, 64)) / 1000 };
  } catch (error) {
    if (error instanceof DatatypeError)
      throw new CompileError(at(path, 'timeout'), error.message, { cause: error });
    throw error;
  }
}

/** Type, hook, device and priority of a chain's definition. */
function baseOf(base: string | undefined): Partial<Chain> {
  const match = /type (\S+) hook (\S+)(?: device (\S+))? priority ([^;]+)/.exec(base ?? '');
  if (match === null) return {};
  const [, type, hook, dev, prio] = match;
  const priority = Number(prio);
  return {
    type: type as NonNullable<Chain['type']>,
    hook: hook as NonNullable<Chain['hook']>,
    ...(dev === undefined ? {} : { dev: dev.replaceAll('"', '') }),
    prio: Number.isNaN(priority) ? (prio?.trim() as NonNullable<Chain['prio']>) : priority,
  };
}
