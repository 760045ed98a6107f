import type { Command, Ruleset, RulesetElement } from '../model/index.ts';
import { shown } from '../model/inspect.ts';

/**
 * A list of commands to be carried out all together or not at all. It is plain data behind a few verbs:
 * print it, keep it, check it, commit it, more than once if it pleases.
 *
 * ```ts
 * const tx = transaction().add({ table: { family: 'inet', name: 'filter' } });
 * await nft.commit(tx);
 * ```
 */
export class Transaction implements Ruleset {
  readonly nftables: Ruleset['nftables'];

  /** @internal use {@link transaction} */
  constructor(commands: Ruleset['nftables']) {
    this.nftables = Object.freeze([...commands]);
    Object.freeze(this);
  }

  /** Makes objects; those that exist already are fine, except for rules, which are added at the end. */
  add(...objects: readonly RulesetElement[]): Transaction {
    return this.#with(objects.map((add) => ({ add })));
  }

  /** Makes objects; EEXIST where one exists already. */
  create(...objects: readonly RulesetElement[]): Transaction {
    return this.#with(objects.map((create) => ({ create })));
  }

  /** Puts rules at the beginning of their chain, or in front of the one that `handle` or `index` names. */
  insert(...rules: readonly Extract<Command, { insert: unknown }>['insert'][]): Transaction {
    return this.#with(rules.map((insert) => ({ insert })));
  }

  /** Puts rules in the place of those that have their `handle`. */
  replace(...rules: readonly Extract<Command, { replace: unknown }>['replace'][]): Transaction {
    return this.#with(rules.map((replace) => ({ replace })));
  }

  /** Deletes objects; ENOENT where one does not exist. */
  delete(...objects: readonly RulesetElement[]): Transaction {
    return this.#with(objects.map((element) => ({ delete: element })));
  }

  /** Deletes objects that exist. Native since Linux 6.3; before, done by looking first. */
  destroy(...objects: readonly RulesetElement[]): Transaction {
    return this.#with(objects.map((destroy) => ({ destroy })));
  }

  /** Empties: the rules of a table or chain, the elements of a set or map, a whole ruleset. */
  flush(...objects: readonly Extract<Command, { flush: unknown }>['flush'][]): Transaction {
    return this.#with(objects.map((flush) => ({ flush })));
  }

  /** Reads objects and sets their counters and quotas back to zero, after everything else is committed. */
  reset(...objects: readonly Extract<Command, { reset: unknown }>['reset'][]): Transaction {
    return this.#with(objects.map((reset) => ({ reset })));
  }

  /** Gives chains the name in `newname`. */
  rename(...chains: readonly Extract<Command, { rename: unknown }>['rename'][]): Transaction {
    return this.#with(chains.map((rename) => ({ rename })));
  }

  /** These commands, then those of another transaction or ruleset. */
  concat(other: Ruleset | Ruleset['nftables']): Transaction {
    return this.#with(Array.isArray(other) ? other : (other as Ruleset).nftables);
  }

  #with(commands: Ruleset['nftables']): Transaction {
    return new Transaction([...this.nftables, ...commands]);
  }
}

shown(Transaction.prototype);

/** A transaction of these commands; without any, an empty one to add to. */
export function transaction(commands: Ruleset | Ruleset['nftables'] = []): Transaction {
  return new Transaction(Array.isArray(commands) ? commands : (commands as Ruleset).nftables);
}
