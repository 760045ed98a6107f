import type { SetDeclaration, SetElement } from '../linearize/index.ts';
import type { Family } from '../model/index.ts';

/**
 * What a transaction must know of the ruleset that it changes: the sets that its rules name, the
 * handles behind names and positions, and what is there at all.
 */
export interface KernelView {
  /** A named set or map that the kernel has. */
  set(family: Family, table: string, name: string): SetDeclaration | undefined;
  /** The handle of a chain. */
  chainHandle(family: Family, table: string, name: string): bigint | undefined;
  /** The handles of a chain's rules, in order. */
  ruleHandles(family: Family, table: string, chain: string): readonly bigint[];
  /** Whether an object is there; `kind` is its key in the model. */
  exists(kind: string, family: Family, table: string, name: string | undefined): boolean;
  /** The keys of a set's elements (see `elementKey`), where the kernel cannot destroy. */
  elementKeys(family: Family, table: string, name: string): ReadonlySet<string>;
  /** A set's elements, where intervals are merged with them. */
  elements(family: Family, table: string, name: string): readonly SetElement[];
  /** Whether the kernel has the DESTROY messages (Linux 6.3). */
  readonly canDestroy: boolean;
}

/** Parts of the ruleset that a {@link KernelView} must cover. */
export interface Needs {
  /** Tables, as `family table`, whose sets must be known. */
  readonly sets: ReadonlySet<string>;
  /** Tables whose chains must be known. */
  readonly chains: ReadonlySet<string>;
  /** Tables whose rules must be known. */
  readonly rules: ReadonlySet<string>;
  /** Objects that must be known to exist or not: everything of these tables. */
  readonly existence: ReadonlySet<string>;
}

/** The view of somebody who knows nothing: for compiling without a kernel. */
export const emptyView: KernelView = {
  set: () => undefined,
  chainHandle: () => undefined,
  ruleHandles: () => [],
  exists: () => false,
  elementKeys: () => new Set(),
  elements: () => [],
  canDestroy: true,
};
