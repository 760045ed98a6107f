import { type Data, type Instruction, OBJECT_TYPES, SET_FLAGS } from '../bytecode/index.ts';
import type { set as setSchema } from '../message/index.ts';
import type { ValueOf } from '../wire/schema.ts';
import type { ElementStore } from './element-store.ts';

/** A table of the fake kernel with everything in it. */
export interface Table {
  readonly family: number;
  readonly name: string;
  readonly handle: bigint;
  flags: number;
  /** The connection that owns it, where it has the flag. */
  owner: number | undefined;
  readonly userdata: Uint8Array | undefined;
  /** The last handle that was given to something in it; a failed transaction takes none back. */
  lastHandle: bigint;
  chains: Map<string, Chain>;
  sets: Map<string, NftSet>;
  /** By type and name: see {@link objectKey}. */
  objects: Map<string, NftObject>;
  flowtables: Map<string, Flowtable>;
  /** Whether what changed may have made a jump or an instruction illegal: it is looked at before the commit. */
  unproven: boolean;
}

export interface Chain {
  readonly table: Table;
  name: string;
  readonly handle: bigint;
  /** Absent for a regular chain. */
  readonly base: BaseChain | undefined;
  readonly userdata: Uint8Array | undefined;
  rules: Rule[];
  /** Jumps to it, from rules and from elements. */
  jumps: number;
}

export interface BaseChain {
  readonly type: string;
  readonly number: number;
  readonly priority: number;
  devices: string[];
  policy: number;
}

export interface Rule {
  readonly chain: Chain;
  readonly handle: bigint;
  expressions: readonly Instruction[];
  readonly userdata: Uint8Array | undefined;
  /** What its instructions hold on to. */
  readonly uses: readonly Use[];
}

/** Something that keeps another thing from being deleted. */
export type Use =
  | { readonly kind: 'chain'; readonly target: Chain }
  | { readonly kind: 'set'; readonly target: NftSet }
  | { readonly kind: 'object'; readonly target: NftObject }
  | { readonly kind: 'flowtable'; readonly target: Flowtable };

export interface NftSet {
  readonly table: Table;
  readonly name: string;
  readonly handle: bigint;
  readonly flags: number;
  /** As it was declared; its name and flags are those above. */
  declared: ValueOf<typeof setSchema>;
  elements: ElementStore;
  /** Rules that refer to it. */
  bindings: number;
  /** No element's time is up before this. */
  soonest: number;
}

/** An element, whether it is of a set, a map or an object map. */
export interface Element {
  readonly key: Uint8Array | undefined;
  readonly keyEnd: Uint8Array | undefined;
  readonly flags: number;
  readonly data: Data | undefined;
  readonly object: string | undefined;
  readonly userdata: Uint8Array | undefined;
  expressions: readonly Instruction[];
  /** Milliseconds; 0 for ever; absent where the set knows no time. */
  timeout: bigint | undefined;
  /** The time of the fake's clock at which it is gone. */
  expires: number | undefined;
  /** What it holds on to. */
  readonly use: Use | undefined;
}

export interface NftObject {
  readonly table: Table;
  readonly name: string;
  readonly type: number;
  readonly handle: bigint;
  data: Uint8Array;
  readonly userdata: Uint8Array | undefined;
  use: number;
}

export interface Flowtable {
  readonly table: Table;
  readonly name: string;
  readonly handle: bigint;
  readonly priority: number;
  devices: string[];
  readonly flags: number | undefined;
  use: number;
}

/** Objects of different types may have the same name. */
export function objectKey(type: number, name: string): string {
  return `${type} ${name}`;
}

/** Whether there are objects of a type. */
export function isObjectType(type: number): boolean {
  return Object.values<number>(OBJECT_TYPES).includes(type);
}

/** Whether a set gives something for a key: a value or a verdict. */
export function isMap({ flags }: NftSet): boolean {
  return (flags & SET_FLAGS.map) !== 0;
}

/** How many rules and jumps hold on to a chain. */
export function usesOf(chain: Chain): number {
  return chain.rules.length + chain.jumps;
}

/** Everything that the fake kernel has. */
export interface State {
  tables: Table[];
  /** The last handle of a table. */
  lastTable: bigint;
  generation: number;
}
