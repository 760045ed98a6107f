import { parsePriority } from '../../protocol/priorities.ts';
import type { Chain, ChainPolicy, ChainType, Hook, Priority } from '../chain.ts';
import { ModelError } from '../error.ts';
import type { Flowtable, FlowtableFlag } from '../flowtable.ts';
import type { NamedSet, SetPolicy } from '../set.ts';
import type { Statement } from '../statement.ts';
import type { ObjectRef, TableFlag } from '../table.ts';
import { checkComment } from './name.ts';
import { plain } from './plain.ts';
import type { DataType, KeyType, MapElement, SetElement, SetFlags } from './set-type.ts';

/** What a table may have besides its name. */
export interface TableOptions {
  readonly flags?: TableFlag | readonly TableFlag[];
  readonly comment?: string;
}

type NothingOf<T> = { readonly [P in keyof T]?: never };

/** A base chain: where the kernel calls it, and what happens at its end. */
export interface BaseChain {
  readonly type: ChainType;
  readonly hook: Hook;
  readonly priority: Priority;
  /** Interfaces, in family netdev, and in inet at `ingress`. */
  readonly devices?: string | readonly string[];
  readonly policy?: ChainPolicy;
  readonly comment?: string;
}

/** A regular chain: none of what makes a base chain. */
export interface RegularChain extends NothingOf<Omit<BaseChain, 'comment'>> {
  readonly comment?: string;
}

interface SetProperties<T extends KeyType, F extends SetFlags> {
  readonly type: T;
  readonly flags?: F;
  readonly policy?: SetPolicy;
  /** Seconds until an element expires, unless it says otherwise. */
  readonly timeout?: number;
  /** Seconds between two searches for expired elements. */
  readonly gcInterval?: number;
  /** Greatest number of elements. */
  readonly size?: number;
  /** Overlapping and neighbouring intervals are merged, not refused. */
  readonly autoMerge?: boolean;
  /** Statements that each element carries a copy of. */
  readonly statements?: readonly Statement[];
  readonly comment?: string;
}

/** A named set and its first elements. */
export interface SetOptions<T extends KeyType, F extends SetFlags> extends SetProperties<T, F> {
  readonly elements?: readonly NoInfer<SetElement<T, F>>[];
}

/** A named map and its first elements. */
export interface MapOptions<T extends KeyType, D extends DataType, F extends SetFlags>
  extends SetProperties<T, F> {
  /** The type of the values; `verdict` makes a verdict map. */
  readonly map: D;
  readonly elements?: readonly NoInfer<MapElement<T, D, F>>[];
}

/** A flowtable. */
export interface FlowtableOptions {
  readonly priority: Priority;
  readonly devices?: string | readonly string[];
  readonly flags?: FlowtableFlag | readonly FlowtableFlag[];
}

/**
 * The chain as the model has it, its priority as a number: nft makes a regular chain of one with a name.
 *
 * @throws ModelError when it has a part of what makes a base chain, and not all
 * @throws ProtocolLookupError when the family has no priority of that name at the hook
 */
export function chainDefinition(ref: ObjectRef, options: BaseChain | RegularChain): Chain {
  const comment = options.comment === undefined ? undefined : checkComment(options.comment);
  const { type, hook, priority, devices, policy } = options;
  const required = { type, hook, priority };
  const missing = Object.keys(required).filter(
    (word) => required[word as keyof typeof required] === undefined,
  );
  const isBase = missing.length < 3 || devices !== undefined || policy !== undefined;
  if (isBase && missing.length > 0) {
    throw new ModelError(`base chain ${ref.name} has no ${missing.join(', no ')}`);
  }
  const prio = hook && priority !== undefined ? parsePriority(ref.family, hook, priority) : undefined;
  return plain({ ...ref, type, hook, prio, dev: devices, policy, comment });
}

/** The set, or with `map` the map, as the model has it, without its elements. */
export function setDefinition<S extends NamedSet>(
  ref: ObjectRef,
  options: SetProperties<KeyType, SetFlags> & { readonly map?: DataType },
): S {
  const { type, flags, gcInterval, autoMerge, statements, comment } = options;
  if (Array.isArray(type) && type.length === 0) throw new ModelError(`set ${ref.name} has no key type`);
  return plain({
    ...ref,
    type: Array.isArray(type) && type.length === 1 ? type[0] : type,
    map: options.map,
    policy: options.policy,
    flags: typeof flags === 'string' ? [flags] : flags,
    timeout: options.timeout,
    'gc-interval': gcInterval,
    size: options.size,
    comment: comment === undefined ? undefined : checkComment(comment),
    'auto-merge': autoMerge,
    stmt: statements,
  }) as unknown as S;
}

/** The flowtable as the model has it. */
export function flowtableDefinition(ref: ObjectRef, options: FlowtableOptions): Flowtable {
  const { priority, devices, flags } = options;
  const prio = parsePriority(ref.family, 'ingress', priority);
  return plain({ ...ref, hook: 'ingress', prio, dev: devices, flags });
}
