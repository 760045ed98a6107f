import type { Command, Expression } from '../index.ts';
import { scopeOf } from './claim.ts';
import { type Context, concern, contextOf } from './context.ts';
import type { Facts, Interface } from './facts.ts';
import type { Host } from './host.ts';
import { type Difference, type Entry, Inventory, type Parts, partsDifference } from './inventory.ts';
import { LEARNING } from './learn/learning.ts';
import { type LearningPort, learnedEntries } from './learn/port.ts';
import { closedParts, hostParts, vmParts } from './parts.ts';
import { tablePlans } from './plan.ts';
import type { Policy, Vm } from './policy.ts';
import { portOf } from './port.ts';
import type { Problem } from './problem.ts';
import { elementOf, type Rendering, render, renderPlans, settingHash } from './render.ts';
import { Standing, type Turn, type WordRecords } from './standing.ts';
import { StandingPorts } from './standing-ports.ts';
import { digest, Sum } from './sum.ts';
import type { Elements, TablePlan } from './table.ts';
import { transition } from './transition.ts';
import { Undo } from './undo.ts';
import { unenforced } from './unenforced.ts';

/** What a {@link Firewall} begins with. */
export interface FirewallOptions {
  readonly host: Host;
  /** Parsed JSON of the policy. */
  readonly policy: unknown;
  readonly facts?: Facts;
  readonly previous?: Policy;
  readonly revisions?: Readonly<Record<string, number>>;
}

/** What a change comes with. */
export interface ChangeOptions {
  /** The interfaces that there are now, where they are others than before. */
  readonly interfaces?: readonly Interface[];
  /** How old the records are: of two that claim the same, the lower number has it. */
  readonly revisions?: Readonly<Record<string, number>>;
}

/** What a change comes to. */
export interface Step {
  /** To be committed as one transaction; empty where nothing changes. */
  readonly commands: readonly Command[];
  /** What is wrong with the records that were given, and with others that wait for what they claim. */
  readonly problems: readonly Problem[];
  /** Puts the state back, where the transaction was not committed. */
  undo(): void;
}

const NONE: Parts = { entries: [], uses: [] };

/**
 * What is in force, kept so that a change costs what it changes: one VM among 100,000 is some elements, found
 * without looking at the others; one group is the rules of its own, whoever is in it. Chains and rules are looked at
 * only where a set comes into being or goes, or groups, networks or filters are others.
 *
 * It stands for tables that {@link apply} has put in force from its {@link rendering}. Whoever changes those
 * otherwise finds out with `apply` again.
 *
 * ```ts
 * const firewall = new Firewall({ host, policy, facts });
 * await apply(nft, firewall.rendering());
 * const step = firewall.change({ '343a': record }, { groups: { web: group } });
 * await nft.commit(step.commands).catch((error) => { step.undo(); throw error; });
 * ```
 */
export class Firewall {
  readonly #host: Host;
  readonly #standing: Standing;
  readonly #ports: StandingPorts;
  readonly #inventory = new Inventory();
  readonly #sum = new Sum();
  #context: Context;
  #plans: readonly TablePlan[];
  /** Room of the named sets. */
  readonly #rooms = new Map<string, number>();

  constructor({ host, policy: value, facts = {}, previous, revisions }: FirewallOptions) {
    this.#host = host;
    this.#standing = new Standing(value, {
      host,
      ...(previous && { previous }),
      ...(revisions && { revisions }),
    });
    const { vms, words } = this.#standing;
    this.#context = contextOf(host, words, facts);
    this.#ports = new StandingPorts(host, this.#standing, facts);
    for (const part of [hostParts(this.#context), this.#closedParts()]) this.#inventory.add(part);
    for (const [id, vm] of vms) {
      this.#inventory.add(vmParts(this.#context, id, vm));
      this.#sum.add(digest(id, vm));
    }
    this.#plans = this.#planned();
    this.#measure();
  }

  /** The records in force. */
  get vms(): ReadonlyMap<string, Vm> {
    return this.#standing.vms;
  }

  /** What is refused, as of now: groups, networks and filters, and VMs. */
  get problems(): readonly Problem[] {
    return this.#standing.problems;
  }

  /** Whether a port here learns addresses. */
  get learns(): boolean {
    return this.#context.families.some((family) => this.#inventory.size(family, 'learn') > 0);
  }

  /** The VM that has an interface or MAC. */
  ownerOf(name: string): string | undefined {
    return this.#standing.ownerOf(name);
  }

  /** A port here that learns addresses. */
  learning(ifname: string): LearningPort | undefined {
    const vm = this.#standing.ownerOf(ifname);
    const nic = this.#standing.vms.get(vm ?? '')?.nics.find((one) => one.ifname === ifname);
    const port = nic && portOf(this.#host, nic);
    if (vm === undefined || !nic?.learn || !port) return undefined;
    return {
      vm,
      nic,
      port,
      learning: this.#host.learning ?? LEARNING,
      scopeOf: (address) => scopeOf(nic, address, this.#host),
      otherOwner: (address) => this.#standing.otherOwner(vm, nic, address),
      entriesOf: (address) => learnedEntries(this.#context, nic, port, address),
    };
  }

  /** What is in force, as the `previous` of a policy to come. */
  policy(): Policy {
    return { ...this.#standing.words, vms: Object.fromEntries(this.#standing.vms) };
  }

  /** The same as that of {@link render}. */
  get hash(): string {
    const policy = { ...this.#standing.words, vms: {} };
    return this.#sum.hash(settingHash({ host: this.#host, policy, blocked: this.#ports.blocked }));
  }

  /** Everything that is in force, whole. */
  rendering(): Rendering {
    const elements = this.#elements();
    return {
      ruleset: renderPlans(
        this.#plans,
        this.#host,
        this.#context.facts,
        (family, set) => elements.get(`${family} ${set}`) ?? [],
      ),
      hash: this.hash,
      uncovered: this.#ports.uncovered,
      unenforced: unenforced(this.#context, Object.fromEntries(this.#standing.vms)),
    };
  }

  /** What keeps the host closed as long as {@link rendering} is not in force: the same, of a policy that has nothing. */
  denial(): Rendering {
    const policy = { vms: {}, groups: {}, networks: {}, filters: {} };
    return render({ host: this.#host, policy, facts: this.#context.facts });
  }

  /**
   * Takes records of VMs, and of groups, networks and filters: new ones, changed ones, `undefined` for those that
   * are gone. What is not valid is refused for itself alone, and keeps the record that it had.
   *
   * A group costs its rules, and a look at which VMs it concerns; a port that comes or goes costs itself. What comes
   * out is one small transaction, whatever the number of VMs.
   *
   * The host stays what it is: where a bridge without a MAC in its description gets another one (see
   * {@link completed}), it takes a new firewall.
   *
   * @throws UncloudError where there are too many groups, networks or filters: nothing is changed
   */
  change(
    vms: Readonly<Record<string, unknown>>,
    words: WordRecords = {},
    { interfaces, revisions }: ChangeOptions = {},
  ): Step {
    const undo = new Undo();
    const context = this.#context;
    let turn: Turn;
    try {
      turn = this.#standing.change(vms, words, undo, revisions);
    } catch (error) {
      undo.run();
      throw error;
    }
    const { before, touched, reworded } = turn;
    const facts = { ...context.facts, ...(interfaces && { interfaces }) };
    const changes: Difference[] = [];
    if (reworded || interfaces) {
      this.#context = reworded ? contextOf(this.#host, this.#standing.words, facts) : { ...context, facts };
      undo.step(() => {
        this.#context = context;
      });
    }
    if (reworded) changes.push(...this.#reworded(context, before));
    for (const [id, old] of before) {
      const now = this.#standing.vms.get(id);
      changes.push(
        partsDifference(old ? vmParts(context, id, old) : NONE, now ? vmParts(this.#context, id, now) : NONE),
      );
      if (old) this.#sum.remove(digest(id, old));
      if (now) this.#sum.add(digest(id, now));
      undo.step(() => {
        if (now) this.#sum.remove(digest(id, now));
        if (old) this.#sum.add(digest(id, old));
      });
    }
    const renamed = interfaces ? this.#ports.see(facts, undo) : [];
    changes.push(this.#ports.settle(new Set([...touched, ...renamed]), undo));
    const isHooked = [...touched].some((name) => this.#ports.isPresent(name));
    const commands = this.#move(changes, reworded || interfaces !== undefined || isHooked);
    const concerned = [...Object.keys(vms), ...before.keys()];
    return {
      commands,
      problems: this.#standing.problemsOf(concerned, Object.keys(words).length > 0),
      undo: () => {
        undo.run();
        this.#move(
          changes.map(({ removed, added }) => ({ removed: added, added: removed })),
          true,
        );
      },
    };
  }

  /** What other groups, networks and filters make of the host, and of the VMs whose own records stay. */
  #reworded(old: Context, changed: ReadonlyMap<string, unknown>): Difference[] {
    const changes = [partsDifference(hostParts(old), hostParts(this.#context))];
    const isConcerned = concern(old, this.#context);
    for (const [id, vm] of this.#standing.vms) {
      if (changed.has(id) || !isConcerned(id, vm)) continue;
      changes.push(partsDifference(vmParts(old, id, vm), vmParts(this.#context, id, vm)));
    }
    return changes;
  }

  #closedParts(): Parts {
    return closedParts([...this.#ports.closed].sort());
  }

  /** Takes account of changes, and says what they are in the kernel. */
  #move(changes: readonly Difference[], plans: boolean): Command[] {
    const shape = this.#inventory.shape;
    const removed = changes.flatMap((change) => this.#inventory.remove(change.removed));
    const added = changes.flatMap((change) => this.#inventory.add(change.added));
    const before = this.#plans;
    if (plans || this.#inventory.shape !== shape) this.#plans = this.#planned();
    return transition({
      before,
      after: this.#plans,
      removed,
      added,
      mode: this.#host.sets,
      rooms: this.#rooms,
      size: (family, set) => this.#inventory.size(family, set),
      elements: (wanted) => this.#elements(wanted),
    });
  }

  #planned(): TablePlan[] {
    return tablePlans(this.#context, this.#inventory, this.#ports.devices);
  }

  #measure(): void {
    transition({
      before: [],
      after: this.#plans,
      removed: [],
      added: [],
      mode: this.#host.sets,
      rooms: this.#rooms,
      size: (family, set) => this.#inventory.size(family, set),
      elements: () => new Map(),
    });
  }

  /** The elements of sets, as every record says its own again. */
  #elements(wanted?: ReadonlySet<string>): Map<string, Elements[number][]> {
    const found = new Map<string, Elements[number][]>();
    const shared = new Set<string>();
    const take = ({ entries }: Parts) => {
      for (const entry of entries) {
        const id = `${entry.family} ${entry.set}`;
        if (wanted && !wanted.has(id)) continue;
        if (entry.shared && !isFirst(shared, id, entry)) continue;
        const list = found.get(id);
        if (list) list.push(elementOf(entry));
        else found.set(id, [elementOf(entry)]);
      }
    };
    take(hostParts(this.#context));
    take(this.#closedParts());
    for (const id of [...this.#standing.vms.keys()].sort())
      take(vmParts(this.#context, id, this.#standing.vms.get(id) as Vm));
    return found;
  }
}

function isFirst(seen: Set<string>, id: string, { key }: Entry): boolean {
  const text = `${id} ${JSON.stringify(key satisfies Expression)}`;
  if (seen.has(text)) return false;
  seen.add(text);
  return true;
}
