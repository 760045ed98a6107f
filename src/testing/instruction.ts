import { type Instruction, SET_FLAGS, type VerdictData } from '../bytecode/index.ts';
import { demand } from './refusal.ts';
import { findSet, hold, type Run } from './run.ts';
import { isMap, type NftSet, objectKey, type Table, type Use } from './state.ts';

/** An instruction in the kernel, and what it holds on to. */
export interface TakenUp {
  readonly instruction: Instruction;
  readonly uses: readonly Use[];
}

/**
 * Takes an instruction of a rule up: finds what it names, which must be of the right kind, and holds on to it.
 * Numbers that stood for sets of the same transaction become their names.
 */
export function takeUp(run: Run, table: Table, instruction: Instruction): TakenUp {
  switch (instruction.name) {
    case 'immediate': {
      const { data } = instruction;
      if (data instanceof Uint8Array) return { instruction, uses: [] };
      return { instruction, uses: held(run, jump(table, data)) };
    }
    case 'lookup': {
      const set = findSet(run, table, instruction.set, instruction.setId);
      demand(set, 'ENOENT');
      checkLookup(instruction, set);
      return { instruction: naming(instruction, set), uses: bind(run, set) };
    }
    case 'dynset': {
      const set = findSet(run, table, instruction.set, instruction.setId);
      demand(set, 'ENOENT');
      checkUpdate(instruction, set);
      limitGrowth(set);
      return { instruction: withoutInherited(naming(instruction, set), set), uses: bind(run, set) };
    }
    case 'objref': {
      if (instruction.sreg === undefined) {
        const object = table.objects.get(objectKey(instruction.type ?? 0, instruction.object ?? ''));
        demand(object, 'ENOENT');
        return { instruction, uses: held(run, { kind: 'object', target: object }) };
      }
      const set = findSet(run, table, instruction.set, instruction.setId);
      demand(set, 'ENOENT');
      demand(set.flags & SET_FLAGS.object, 'EINVAL');
      return { instruction: naming(instruction, set), uses: bind(run, set) };
    }
    case 'flow_offload': {
      const target = table.flowtables.get(instruction.table);
      demand(target, 'ENOENT');
      return { instruction, uses: held(run, { kind: 'flowtable', target }) };
    }
    case 'limit':
      demand(instruction.unit > 0n, 'EINVAL');
      demand(instruction.rate > 0n, 'EINVAL');
      return { instruction, uses: [] };
    default:
      return { instruction, uses: [] };
  }
}

/** The chain that a verdict jumps or goes to: a regular one of the same table. */
export function jump(table: Table, { code, chain }: VerdictData): Use | undefined {
  if (code !== 'jump' && code !== 'goto') return undefined;
  demand(chain !== undefined, 'EINVAL');
  const target = table.chains.get(chain);
  demand(target, 'ENOENT');
  demand(target.base === undefined, 'EOPNOTSUPP');
  return { kind: 'chain', target };
}

function held({ journal }: Run, use: Use | undefined): Use[] {
  if (use === undefined) return [];
  hold(journal, use);
  return [use];
}

/** An anonymous set serves one rule. */
function bind(run: Run, target: NftSet): Use[] {
  demand(!(target.flags & SET_FLAGS.anonymous) || target.bindings === 0, 'EBUSY');
  return held(run, { kind: 'set', target });
}

function naming<T extends Instruction & { readonly set?: string | undefined }>(
  instruction: T,
  set: NftSet,
): T {
  const { setId: _, ...rest } = instruction as T & { setId?: number };
  return { ...rest, set: set.name } as T;
}

type Lookup = Extract<Instruction, { name: 'lookup' }>;

const INVERT = 1;

function checkLookup({ dreg, flags = 0 }: Lookup, set: NftSet): void {
  if (dreg !== undefined) {
    demand(!(flags & INVERT), 'EINVAL');
    demand(isMap(set), 'EINVAL');
  } else if (isMap(set)) {
    demand(!(set.flags & SET_FLAGS.anonymous), 'EINVAL');
  }
}

type Update = Extract<Instruction, { name: 'dynset' }>;

/** What the packet path may do to a set: its kind must be able to, and nothing that the set is not for. */
function checkUpdate({ op, timeout, sregData, expression, expressions }: Update, set: NftSet): void {
  demand(!(set.flags & SET_FLAGS.object), 'EOPNOTSUPP');
  demand(takesUpdates(set), 'EOPNOTSUPP');
  demand(!(set.flags & SET_FLAGS.constant), 'EBUSY');
  demand(timeout === undefined || set.flags & SET_FLAGS.timeout, 'EOPNOTSUPP');
  demand((sregData !== undefined) === isMap(set) || op === 'delete', 'EINVAL');
  const own = set.declared.expressions ?? (set.declared.expression ? [set.declared.expression] : []);
  const given = expressions ?? (expression ? [expression] : []);
  if (own.length > 0 && given.length > 0) {
    const same = own.length === given.length && own.every((one, i) => one.name === given[i]?.name);
    demand(same, 'EOPNOTSUPP');
  }
}

/** What the set says of all its elements is not said again by the rule. */
function withoutInherited(instruction: Update, set: NftSet): Update {
  if (set.declared.expression === undefined && set.declared.expressions === undefined) return instruction;
  const { expression: _one, expressions: _several, ...rest } = instruction;
  return rest;
}

/** What packets add to never grows without bounds; the kernel does not take that back. */
function limitGrowth(set: NftSet): void {
  const { description } = set.declared;
  if (!description?.size)
    set.declared = { ...set.declared, description: { ...description, size: MOST_BY_PACKETS } };
}

const MOST_BY_PACKETS = 0xffff;

/** Bitmaps, fixed hashes and intervals are filled by commands alone; the growing hash by packets as well. */
function takesUpdates({ flags, declared }: NftSet): boolean {
  if (flags & SET_FLAGS.interval) return false;
  if (flags & (SET_FLAGS.eval | SET_FLAGS.timeout)) return true;
  const small = (declared.keyLength ?? 0) <= 2 && !(flags & (SET_FLAGS.map | SET_FLAGS.object));
  return !small && declared.description?.size === undefined;
}
