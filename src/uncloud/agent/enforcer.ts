import { type Connection, TransactionError } from '../../index.ts';
import { apply } from '../apply.ts';
import type { Facts } from '../facts.ts';
import { Firewall } from '../firewall.ts';
import { completed, type Host } from '../host.ts';
import type { Policy, Vm } from '../policy.ts';
import type { Problem } from '../problem.ts';
import type { Entry } from '../store/index.ts';
import { desiredPolicy, desiredRecords } from './desired.ts';
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
 * VMs among many cost their own elements, a group its own rules.
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
    const { value: policy, revisions } = desiredPolicy(this.#prefix, entries);
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
   * Puts the records of some keys in force.
   *
   * @returns nothing where that takes the whole: before the first, and after a failure
   */
  async change(
    keys: ReadonlySet<string>,
    entries: ReadonlyMap<string, Entry>,
    signal: AbortSignal,
  ): Promise<Enforced | undefined> {
    const firewall = this.#firewall;
    if (firewall === undefined) return undefined;
    const { vms, ...words } = desiredRecords(this.#prefix, keys, entries);
    const { commands, undo } = firewall.change(vms, words);
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
    const isReworded = Object.values(words).some((records) => Object.keys(records).length > 0);
    return { ...enforced(firewall, commands.length > 0), ...(!isReworded && { among: Object.keys(vms) }) };
  }
}

function enforced(firewall: Firewall, changed: boolean): Enforced {
  const { hash, vms, problems } = firewall;
  return { changed, hash, vms, problems, firewall };
}
