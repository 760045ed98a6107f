import { evaluate, joinedBits, type Names, Scope, type SetDeclaration } from '../linearize/index.ts';
import type { Chain, Family } from '../model/index.ts';
import { families } from '../protocol/index.ts';
import type { Schema, ValueOf } from '../wire/schema.ts';
import { RulesAlike } from './alike.ts';
import type { ParsedCommand } from './command.ts';
import type { KernelView } from './kernel-view.ts';
import { intervalsOf, type MergingSet } from './merge.ts';
import type { OutgoingMessage } from './message.ts';
import { familyOf } from './reference.ts';

/** A rule of a chain, as far as positions go: one that the kernel has, or one of this transaction. */
export type RulePlace = { readonly handle: bigint } | { readonly id: number };

/** What is known while a transaction is compiled: the kernel's view and what earlier commands declared. */
export class TransactionContext {
  readonly view: KernelView;
  readonly messages: OutgoingMessage[] = [];
  // Made when they are needed: many a transaction is one element in or out, and needs none.
  #sets: Map<string, SetDeclaration> | undefined;
  #chains: Map<string, Chain> | undefined;
  #rules: Map<string, RulePlace[]> | undefined;
  #merging: Map<string, MergingSet> | undefined;
  /** What earlier commands made (true) or deleted (false). */
  #made: Map<string, boolean> | undefined;
  /** What this transaction deleted, tables or all of a family: what the kernel has in them is no more. */
  #gone: Set<string> | undefined;
  #alike: RulesAlike | undefined;
  #setIds = 0;
  #ruleIds = 0;

  /** Messages are only to be encoded: many elements need not be looked at before, rules may be encoded already. */
  readonly defers: boolean;

  constructor(view: KernelView, defers = false) {
    this.view = view;
    this.defers = defers;
  }

  send<S extends Schema>(
    command: ParsedCommand,
    type: number,
    flags: number,
    schema: S,
    value: ValueOf<S>,
  ): void {
    const family = familyNumber(command);
    this.messages.push({
      kind: 'message',
      type,
      flags,
      family,
      operation: command.index,
      schema,
      value: value as ValueOf<Schema>,
    });
  }

  declareSet(family: Family, table: string, set: SetDeclaration): void {
    this.#sets ??= new Map();
    this.#sets.set(key(family, table, set.name), set);
  }

  set(family: Family, table: string, name: string): SetDeclaration | undefined {
    const declared = this.#sets?.get(key(family, table, name));
    if (declared !== undefined) return declared;
    return this.isGone(family, table) ? undefined : this.view.set(family, table, name);
  }

  /** A set that merges, as it is by now. */
  merging(family: Family, table: string, set: SetDeclaration): MergingSet {
    const known = this.#merging?.get(key(family, table, set.name));
    if (known !== undefined) return known;
    const elements = this.isGone(family, table) ? [] : this.view.elements(family, table, set.name);
    const there = intervalsOf(elements, Math.ceil(joinedBits(set.key) / 8));
    return { there, now: there, sent: [], isNew: false };
  }

  /** Remembers a set that merges. */
  keepMerging(family: Family, table: string, name: string, set: MergingSet): void {
    this.#merging ??= new Map();
    this.#merging.set(key(family, table, name), set);
  }

  /** Remembers that a set is empty from here on. */
  empty(family: Family, table: string, name: string): void {
    this.keepMerging(family, table, name, { there: [], now: [], sent: [], isNew: false });
  }

  /** Whether messages may still be taken back. */
  get mayWithdraw(): boolean {
    return this.#merging !== undefined;
  }

  /** Takes back messages. */
  withdraw(messages: readonly OutgoingMessage[]): void {
    for (const message of messages) this.messages.splice(this.messages.lastIndexOf(message), 1);
  }

  declareChain(chain: Chain): void {
    this.#chains ??= new Map();
    this.#chains.set(key(chain.family, chain.table, chain.name), chain);
  }

  chain(family: Family, table: string, name: string): Chain | undefined {
    return this.#chains?.get(key(family, table, name));
  }

  /** Forgets what was in a table, or in all of them. */
  forget(family?: Family, table?: string): void {
    const start = partOf(family, table);
    for (const map of [this.#sets, this.#chains, this.#rules, this.#made, this.#merging]) {
      for (const name of map?.keys() ?? []) if (name.startsWith(start)) map?.delete(name);
    }
    this.#gone ??= new Set();
    this.#gone.add(start);
  }

  /** Whether this transaction deleted the table, with all that the kernel had in it. */
  isGone(family: Family, table: string): boolean {
    const gone = this.#gone;
    return (
      gone !== undefined && [partOf(), partOf(family), partOf(family, table)].some((part) => gone.has(part))
    );
  }

  /** Remembers what a command made or deleted. */
  record(command: ParsedCommand): void {
    if (command.kind === 'rule') return;
    this.#alike = undefined;
    if (command.kind === 'element') return;
    const makes = command.verb === 'add' || command.verb === 'create';
    if (!makes && command.verb !== 'delete' && command.verb !== 'destroy') return;
    this.#made ??= new Map();
    this.#made.set(madeKey(command), makes);
  }

  /** Whether earlier commands made the object of this one, or deleted it; undefined where none did either. */
  isMade(command: ParsedCommand): boolean | undefined {
    return this.#made?.get(madeKey(command));
  }

  /** The rules of a chain in their order; to be changed along with what is sent. */
  rules(family: Family, table: string, chain: string): RulePlace[] {
    const name = key(family, table, chain);
    this.#rules ??= new Map();
    let places = this.#rules.get(name);
    if (places === undefined) {
      const handles = this.isGone(family, table) ? [] : this.view.ruleHandles(family, table, chain);
      places = handles.map((handle) => ({ handle }));
      this.#rules.set(name, places);
    }
    return places;
  }

  /** The rules since something else was compiled. */
  get alike(): RulesAlike {
    this.#alike ??= new RulesAlike();
    return this.#alike;
  }

  nextRuleId(): number {
    this.#ruleIds += 1;
    return this.#ruleIds;
  }

  /** What rules and sets of a table can name. */
  names(family: Family, table: string): Names {
    return {
      set: (name) => this.set(family, table, name),
      nextSetId: () => {
        this.#setIds += 1;
        return this.#setIds;
      },
    };
  }

  /** A scope for expressions outside of rules. */
  scope(family: Family, table: string): Scope {
    return new Scope(family, undefined, this.names(family, table), evaluate);
  }
}

/** Starts with family and table, so that it goes with its table. */
function madeKey({ kind, node }: ParsedCommand): string {
  const { family, table, name } = node as { family: string; table?: string; name?: string };
  return key(family, table ?? name ?? '', `${kind === 'map' ? 'set' : kind}\0${name ?? ''}`);
}

/** What the keys of everything in a table begin with, of a family, or of all. */
function partOf(...parts: readonly (string | undefined)[]): string {
  return parts.map((part) => (part === undefined ? '' : `${part}\0`)).join('');
}

function key(family: string, table: string, name: string): string {
  return `${family}\0${table}\0${name}`;
}

/** NFPROTO_* of the command's object; 0 where it says none. */
export function familyNumber(command: ParsedCommand): number {
  return command.node.family === undefined ? 0 : families[familyOf(command)].number;
}
