import type { Chain } from './chain.ts';
import type { Family } from './family.ts';
import type { Flowtable } from './flowtable.ts';
import type {
  Counter,
  CtExpectation,
  CtHelper,
  CtTimeout,
  Limit,
  Quota,
  Secmark,
  Synproxy,
  Tunnel,
} from './object.ts';
import type { Rule } from './rule.ts';
import type { Element, Meter, NamedMap, NamedSet } from './set.ts';
import type { Table } from './table.ts';

/** The kinds of named object, by their key in the JSON. */
export interface StatefulObjects {
  counter: Counter;
  quota: Quota;
  limit: Limit;
  'ct helper': CtHelper;
  'ct timeout': CtTimeout;
  'ct expectation': CtExpectation;
  synproxy: Synproxy;
  secmark: Secmark;
  tunnel: Tunnel;
}

/** Everything that a ruleset is made of, by its key in the JSON. */
export interface RulesetElements extends StatefulObjects {
  table: Table;
  chain: Chain;
  rule: Rule;
  set: NamedSet;
  map: NamedMap;
  element: Element;
  flowtable: Flowtable;
}

/** An object with exactly one of the keys of `Kinds`. */
export type OneOf<Kinds> = { [K in keyof Kinds]: { readonly [P in K]: Kinds[K] } }[keyof Kinds];

/** One element of a ruleset, named by its key: `{ table: … }`, `{ chain: … }` … */
export type RulesetElement = OneOf<RulesetElements>;

/** A named object: counter, quota, limit, ct helper … */
export type StatefulObject = OneOf<StatefulObjects>;

/** Limits a listing or flush to a family, and (not for tables and the ruleset) to a table. */
export interface Scope {
  readonly family?: Family;
  readonly table?: string;
}

/** Whole kinds at once. */
export type Plural =
  | { readonly ruleset: { readonly family?: Family } | null }
  | OneOf<{
      tables: Scope | null;
      chains: Scope | null;
      rules: (Scope & { readonly chain?: string }) | null;
      sets: Scope | null;
      maps: Scope | null;
      meters: Scope | null;
      flowtables: Scope | null;
      counters: Scope | null;
      quotas: Scope | null;
      limits: Scope | null;
      'ct helpers': Scope | null;
      'ct timeouts': Scope | null;
      'ct expectations': Scope | null;
      synproxys: Scope | null;
      secmarks: Scope | null;
    }>;

/** What `flush` empties: a ruleset, the rules of a table or chain, the elements of a set, map or meter. */
export type Flushable =
  | { readonly ruleset: { readonly family?: Family } | null }
  | OneOf<Pick<RulesetElements, 'table' | 'chain' | 'set' | 'map'> & { meter: Meter }>;

/** What `reset` sets back to zero and lists; rules since Linux 6.2, elements since 6.5: of a set all, or those named. */
export type Resettable =
  | OneOf<Pick<RulesetElements, 'counter' | 'quota' | 'rule' | 'set' | 'map' | 'element' | 'chain' | 'table'>>
  | Extract<Plural, { counters: unknown } | { quotas: unknown } | { rules: unknown } | { ruleset: unknown }>;

/** The command that makes something; where it exists already that is fine, except for rules. */
export interface AddCommand {
  readonly add: RulesetElement;
}

/**
 * A command: what to do, and to what.
 *
 * - `add`: make it, {@link AddCommand}
 * - `create`: make it, fail with EEXIST where it exists
 * - `insert`: a rule before others; `replace`: a rule in another's place
 * - `delete`: fail with ENOENT where it does not exist; `destroy`: be content then (Linux 6.3)
 * - `flush`: empty it; `reset`: list it and zero its counters; `rename`: a chain; `list`: read it
 */
export type Command =
  | AddCommand
  | { readonly create: RulesetElement }
  | { readonly insert: { readonly rule: Rule } }
  | { readonly replace: { readonly rule: Rule } }
  | { readonly delete: RulesetElement }
  | { readonly destroy: RulesetElement }
  | { readonly flush: Flushable }
  | { readonly list: RulesetElement | Plural | { readonly meter: Meter } }
  | { readonly reset: Resettable }
  | { readonly rename: { readonly chain: Chain } };

/** First in every listing: which program and which version of the schema wrote it. */
export interface Metainfo {
  readonly metainfo: {
    readonly version?: string;
    readonly release_name?: string;
    /** 1 is the only one there is. */
    readonly json_schema_version?: number;
  };
}

/**
 * The root of libnftables JSON. As input an element without a command means `add`; as output there are
 * elements and a {@link Metainfo} only.
 */
export interface Ruleset {
  readonly nftables: readonly (Command | RulesetElement | Metainfo)[];
}
