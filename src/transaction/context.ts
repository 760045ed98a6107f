import { evaluate, type Names, Scope, type SetDeclaration } from '../linearize/index.ts';
import type { Chain, Family } from '../model/index.ts';
import { families } from '../protocol/index.ts';
import type { Schema, ValueOf } from '../wire/schema.ts';
import type { ParsedCommand } from './command.ts';
import type { KernelView } from './kernel-view.ts';
import type { OutgoingMessage } from './message.ts';
import { familyOf } from './reference.ts';

/** A rule of a chain, as far as positions go: one that the kernel has, or one of this transaction. */
export type RulePlace = { readonly handle: bigint } | { readonly id: number };

/** What is known while a transaction is compiled: the kernel's view and what earlier commands declared. */
export class TransactionContext {
  readonly view: KernelView;
  readonly messages: OutgoingMessage[] = [];
  readonly #sets = new Map<string, SetDeclaration>();
  readonly #chains = new Map<string, Chain>();
  readonly #rules = new Map<string, RulePlace[]>();
  /** What earlier commands made (true) or deleted (false). */
  readonly #made = new Map<string, boolean>();
  /** Tables that this transaction deleted: what the kernel has in them is no more. */
  readonly #gone = new Set<string>();
  #setIds = 0;
  #ruleIds = 0;

  /** Whether many elements need not be looked at before their messages are encoded. */
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
    this.#sets.set(key(family, table, set.name), set);
  }

  set(family: Family, table: string, name: string): SetDeclaration | undefined {
    const declared = this.#sets.get(key(family, table, name));
    if (declared !== undefined) return declared;
    return this.#gone.has(key(family, table)) ? undefined : this.view.set(family, table, name);
  }

  declareChain(chain: Chain): void {
    this.#chains.set(key(chain.family, chain.table, chain.name), chain);
  }

  chain(family: Family, table: string, name: string): Chain | undefined {
    return this.#chains.get(key(family, table, name));
  }

  /** Forgets what was in a table, or in all of them. */
  forget(family?: Family, table?: string): void {
    const gone = (name: string) => table === undefined || name.startsWith(key(family as Family, table, ''));
    for (const map of [this.#sets, this.#chains, this.#rules, this.#made]) {
      for (const name of map.keys()) if (gone(name)) map.delete(name);
    }
    if (family !== undefined && table !== undefined) this.#gone.add(key(family, table));
  }

  /** Whether this transaction deleted the table, with all that the kernel had in it. */
  isGone(family: Family, table: string): boolean {
    return this.#gone.has(key(family, table));
  }

  /** Remembers what a command made or deleted. */
  record(command: ParsedCommand): void {
    if (command.kind === 'rule' || command.kind === 'element') return;
    const makes = command.verb === 'add' || command.verb === 'create';
    if (makes || command.verb === 'delete' || command.verb === 'destroy')
      this.#made.set(madeKey(command), makes);
  }

  /** Whether earlier commands made the object of this one, or deleted it; undefined where none did either. */
  isMade(command: ParsedCommand): boolean | undefined {
    return this.#made.get(madeKey(command));
  }

  /** The rules of a chain in their order; to be changed along with what is sent. */
  rules(family: Family, table: string, chain: string): RulePlace[] {
    const name = key(family, table, chain);
    let places = this.#rules.get(name);
    if (places === undefined) {
      const handles = this.#gone.has(key(family, table)) ? [] : this.view.ruleHandles(family, table, chain);
      places = handles.map((handle) => ({ handle }));
      this.#rules.set(name, places);
    }
    return places;
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
  return key(family, table ?? name ?? '', kind === 'map' ? 'set' : kind, name ?? '');
}

function key(...parts: readonly string[]): string {
  return parts.join('\0');
}

/** NFPROTO_* of the command's object; 0 where it says none. */
export function familyNumber(command: ParsedCommand): number {
  return command.node.family === undefined ? 0 : families[familyOf(command)].number;
}
