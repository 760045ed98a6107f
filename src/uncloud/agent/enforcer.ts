import { type Connection, TransactionError } from '../../index.ts';
import { apply } from '../apply.ts';
import type { Facts } from '../facts.ts';
import { Firewall } from '../firewall.ts';
import { completed, type Host } from '../host.ts';
import type { Policy, Vm } from '../policy.ts';
import type { Problem } from '../problem.ts';
import type { Entry } from '../store/index.ts';
import { desiredPolicy, recordOf } from './desired.ts';
import { ownedCommands, ownedRendering } from './owned.ts';

/** What putting records in force came to. */
export interface Enforced {
  /** Whether anything was sent. */
  readonly changed: boolean;
  readonly hash: string;
  /** The records of VMs that are in force. */
  readonly vms: ReadonlyMap<string, Vm>;
  readonly problems: readonly Problem[];
  readonly firewall: Firewall;
  /** The VMs that alone may be different from what they were. */
  readonly among?: readonly string[];
}

/**
 * Puts records in force. As a whole: everything is compared with what is in the kernel. Or what changed: some
 * VMs among many cost their own elements, as long as nothing else is different from what it was.
 */
export class Enforcer {
  readonly #nft: Connection;
  readonly #host: Host;
  readonly #prefix: string;
  readonly #isOwner: boolean;
  #firewall: Firewall | undefined;
  /** What was in force, while nobody is sure what is: those who had something claim it. */
  #previous: Policy | undefined;

  constructor(nft: Connection, host: Host, prefix: string, isOwner = false) {
    this.#nft = nft;
    this.#host = host;
    this.#prefix = prefix;
    this.#isOwner = isOwner;
  }

  /** Brings our tables to what the records say, whatever they are. */
  async whole(entries: ReadonlyMap<string, Entry>, facts: Facts, signal: AbortSignal): Promise<Enforced> {
    const host = completed(this.#host, facts);
    const { value: policy, revisions } = desiredPolicy(this.#prefix, entries.values());
    const previous = this.#firewall?.policy() ?? this.#previous;
    const firewall = new Firewall({ host, policy, facts, revisions, ...(previous && { previous }) });
    this.#firewall = undefined;
    this.#previous = previous;
    const rendering = firewall.rendering();
    const { changed } = await apply(this.#nft, this.#isOwner ? ownedRendering(rendering) : rendering, {
      signal,
    });
    this.#firewall = firewall;
    return enforced(firewall, changed);
  }

  /**
   * Puts some VMs' records in force.
   *
   * @returns nothing where that takes the whole: before the first, after a failure, or where other records changed
   */
  async change(
    keys: ReadonlySet<string>,
    entries: ReadonlyMap<string, Entry>,
    signal: AbortSignal,
  ): Promise<Enforced | undefined> {
    const firewall = this.#firewall;
    const start = `${this.#prefix}vm/`;
    if (firewall === undefined || [...keys].some((key) => !key.startsWith(start))) return undefined;
    const records = [...keys].map((key) => [key.slice(start.length), recordOf(entries.get(key))] as const);
    const { commands, undo } = firewall.change(Object.fromEntries(records));
    try {
      if (commands.length > 0)
        await this.#nft.commit(this.#isOwner ? ownedCommands(commands) : [...commands], { signal });
    } catch (error) {
      undo();
      this.#previous = firewall.policy();
      this.#firewall = undefined;
      if (error instanceof TransactionError) return undefined;
      throw error;
    }
    const among = records.map(([id]) => id);
    return { ...enforced(firewall, commands.length > 0), among };
  }
}

function enforced(firewall: Firewall, changed: boolean): Enforced {
  const { hash, vms, problems } = firewall;
  return { changed, hash, vms, problems, firewall };
}
