import { isDeepStrictEqual } from 'node:util';
import { type Command, TransactionError } from '../../index.ts';
import { type Appliable, apply } from '../apply.ts';
import type { Facts, Interface } from '../facts.ts';
import { Firewall } from '../firewall.ts';
import { completed, type Host } from '../host.ts';
import type { Policy, Vm } from '../policy.ts';
import type { Problem } from '../problem.ts';
import type { Rendering } from '../render.ts';
import type { Entry } from '../store/index.ts';
import { TABLE } from '../table.ts';
import { desiredPolicy, desiredRecords, revisionsOf } from './desired.ts';
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

/** From so many VMs on it takes longer to put their rules back than they may be without: nothing passes until then. */
const MANY = 1000;

/** What may be different from what was put in force last. */
export interface Differences {
  /** Keys whose records are. */
  readonly keys: ReadonlySet<string>;
  /** The interfaces that there are, where they are others. */
  readonly interfaces?: readonly Interface[];
  /** Whether somebody else changed our tables. */
  readonly isSpoiled: boolean;
}

/**
 * Puts records in force. As a whole: everything is made anew and compared with what is in the kernel. Or what
 * changed: some VMs among many cost their own elements, a group its own rules, a port its own closing.
 */
export class Enforcer {
  readonly #nft: Appliable;
  readonly #host: Host;
  readonly #prefix: string;
  readonly #isOwner: boolean;
  #firewall: Firewall | undefined;
  /** The host and the interfaces that it is of. */
  #completed: Host | undefined;
  #interfaces: readonly Interface[] = [];
  /** What was in force, while nobody is sure what is: those who had something claim it. */
  #previous: Policy | undefined;

  constructor(nft: Appliable, host: Host, prefix: string, isOwner = false) {
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
    const changed = await this.#apply(firewall, signal);
    this.#firewall = firewall;
    this.#completed = host;
    this.#interfaces = facts.interfaces ?? [];
    return enforced(firewall, changed);
  }

  /**
   * Puts what is different in force.
   *
   * @returns nothing where that takes the whole: before the first, after a failure, and where the host has become another
   */
  async change(
    { keys, interfaces, isSpoiled }: Differences,
    entries: ReadonlyMap<string, Entry>,
    signal: AbortSignal,
  ): Promise<Enforced | undefined> {
    const firewall = this.#firewall;
    if (firewall === undefined || (interfaces && !this.#isSameHost(interfaces))) return undefined;
    const { vms, ...words } = desiredRecords(this.#prefix, keys, entries);
    const revisions = revisionsOf(this.#prefix, keys, entries);
    const { commands, undo } = firewall.change(vms, words, { revisions, ...(interfaces && { interfaces }) });
    const isUnsure = isSpoiled || (interfaces !== undefined && isReplaced(this.#interfaces, interfaces));
    this.#interfaces = interfaces ?? this.#interfaces;
    let changed: boolean;
    try {
      changed = isUnsure ? await this.#apply(firewall, signal) : await this.#commit(commands, signal);
    } catch (error) {
      undo();
      this.#previous = firewall.policy();
      this.#firewall = undefined;
      if (error instanceof TransactionError) return undefined;
      throw error;
    }
    const isReworded = Object.values(words).some((records) => Object.keys(records).length > 0);
    const isElsewhere = isReworded || isUnsure || interfaces !== undefined;
    return { ...enforced(firewall, changed), ...(!isElsewhere && { among: Object.keys(vms) }) };
  }

  #isSameHost(interfaces: readonly Interface[]): boolean {
    return isDeepStrictEqual(completed(this.#host, { interfaces }), this.#completed);
  }

  /** Compares the kernel with all that a firewall stands for, and mends it. */
  async #apply(firewall: Firewall, signal: AbortSignal): Promise<boolean> {
    if (firewall.vms.size >= MANY && (await this.#restore(firewall, signal))) return true;
    return (await apply(this.#nft, this.#owned(firewall.rendering()), { signal })).changed;
  }

  /** Where nothing of ours is there any more: closes at once, and then puts it back; whether it could. */
  async #restore(firewall: Firewall, signal: AbortSignal): Promise<boolean> {
    const { ruleset } = await this.#nft.snapshot({ terse: true, signal });
    if (ruleset.nftables.some((one) => 'table' in one && one.table.name === TABLE)) return false;
    const { generation } = await this.#nft.commit(this.#owned(firewall.denial()).ruleset, { signal });
    try {
      await this.#nft.commit(this.#owned(firewall.rendering()).ruleset, { generation, signal });
      return true;
    } catch (error) {
      // Somebody was faster: what is there now has to be looked at.
      if (error instanceof TransactionError && error.code === 'ERESTART') return false;
      throw error;
    }
  }

  #owned(rendering: Rendering): Rendering {
    return this.#isOwner ? ownedRendering(rendering) : rendering;
  }

  async #commit(commands: readonly Command[], signal: AbortSignal): Promise<boolean> {
    if (commands.length === 0) return false;
    await this.#nft.commit(this.#isOwner ? ownedCommands(commands) : [...commands], { signal });
    return true;
  }
}

/**
 * Whether an interface took the place of one of its name. What hung on that one is gone: a chain goes with its device
 * on kernels before those that hold it ready for the next.
 */
function isReplaced(before: readonly Interface[], now: readonly Interface[]): boolean {
  const indices = new Map(before.map(({ ifname, index }) => [ifname, index]));
  return now.some(({ ifname, index }) => indices.has(ifname) && indices.get(ifname) !== index);
}

function enforced(firewall: Firewall, changed: boolean): Enforced {
  const { hash, vms, problems } = firewall;
  return { changed, hash, vms, problems, firewall };
}
