import type { Command, Expression } from '../index.ts';
import { type Claims, claims } from './claim.ts';
import { type Context, contextOf } from './context.ts';
import type { Facts } from './facts.ts';
import type { Host } from './host.ts';
import { type Entry, Inventory, type Parts, partsDifference } from './inventory.ts';
import { closedParts, hostParts, vmParts } from './parts.ts';
import { tablePlans } from './plan.ts';
import { legiblePorts, type Policy, parsePolicy, problemOf, type Vm, validVm } from './policy.ts';
import { type Problem, Refused } from './problem.ts';
import {
  closedPorts,
  devicesOf,
  elementOf,
  portsOf,
  type Rendering,
  renderPlans,
  settingHash,
} from './render.ts';
import { digest, Sum } from './sum.ts';
import type { Elements, TablePlan } from './table.ts';
import { transition } from './transition.ts';
import { unenforced } from './unenforced.ts';

/** The key of a VM's record, in problems. */
const VM_KEY = /^distributed-firewall\/vm\/(.*)$/s;

/** What a {@link Firewall} begins with. */
export interface FirewallOptions {
  readonly host: Host;
  /** Parsed JSON of the policy. */
  readonly policy: unknown;
  readonly facts?: Facts;
  readonly previous?: Policy;
  readonly revisions?: Readonly<Record<string, number>>;
}

/** What a change of some VMs comes to. */
export interface Step {
  /** To be committed as one transaction; empty where nothing changes. */
  readonly commands: readonly Command[];
  /** What is wrong with the records that were given, and with others that wait for what they claim. */
  readonly problems: readonly Problem[];
  /** Puts the state back, where the transaction was not committed. */
  undo(): void;
}

/**
 * What is in force, kept so that a change costs what it changes: one VM among 100,000 is some elements, found
 * without looking at the others. Chains and rules are looked at only where a set comes into being or goes, or a
 * combination of groups does.
 *
 * It stands for tables that {@link apply} has put in force from its {@link rendering}. Whoever changes those
 * otherwise finds out with `apply` again, which is also how groups, networks, filters and the host change.
 *
 * ```ts
 * const firewall = new Firewall({ host, policy, facts });
 * await apply(nft, firewall.rendering());
 * const step = firewall.change({ '343a': record });
 * await nft.commit(step.commands).catch((error) => { step.undo(); throw error; });
 * ```
 */
export class Firewall {
  readonly #host: Host;
  readonly #facts: Facts;
  readonly #context: Context;
  readonly #words: Omit<Policy, 'vms'>;
  readonly #wordProblems: readonly Problem[];
  readonly #claims: Claims;
  readonly #inForce = new Map<string, Vm>();
  /** Records that are good in themselves, and claim what is another's. */
  readonly #waiting = new Map<string, Vm>();
  readonly #refused = new Map<string, { readonly problem: Problem; readonly ports: readonly string[] }>();
  readonly #ports: Map<string, 'bridge' | 'netdev'>;
  readonly #strangers: ReadonlySet<string>;
  readonly #present: ReadonlySet<string>;
  readonly #uplinks: ReadonlySet<string>;
  readonly #closed: Set<string>;
  readonly #inventory = new Inventory();
  readonly #sum = new Sum();
  #plans: readonly TablePlan[];
  /** Room of the named sets. */
  readonly #rooms = new Map<string, number>();

  constructor({ host, policy: value, facts = {}, previous, revisions }: FirewallOptions) {
    this.#host = host;
    this.#facts = facts;
    const { policy, problems, blocked } = parsePolicy(value, {
      host,
      ...(previous && { previous }),
      ...(revisions && { revisions }),
    });
    const { vms, ...words } = policy;
    this.#words = words;
    this.#wordProblems = problems.filter(({ key }) => !VM_KEY.test(key));
    this.#context = contextOf(host, words, facts);
    this.#claims = claims(host);
    this.#ports = portsOf(host, Object.values(vms));
    this.#present = new Set(facts.interfaces?.map(({ ifname }) => ifname));
    this.#uplinks = new Set(
      Object.entries(host.bridges).flatMap(([name, { uplinks }]) => [name, ...uplinks]),
    );
    this.#strangers = new Set(closedPorts({ host, policy, facts }, () => false));
    this.#closed = new Set(closedPorts({ host, policy, facts, blocked }, (name) => this.#ports.has(name)));
    for (const part of [hostParts(this.#context), closedParts([...this.#closed].sort())])
      this.#inventory.add(part);
    for (const [id, vm] of Object.entries(vms)) {
      this.#claims.claim(id, vm);
      this.#inForce.set(id, vm);
      this.#inventory.add(vmParts(this.#context, id, vm));
      this.#sum.add(digest(id, vm));
    }
    const records = (value as { vms?: Record<string, unknown> }).vms ?? {};
    for (const problem of problems) {
      const [, id] = VM_KEY.exec(problem.key) ?? [];
      if (id === undefined) continue;
      this.#refused.set(id, { problem, ports: legiblePorts(records[id], host) });
      const vm = validVm(id, records[id], words);
      if (!(vm instanceof Refused)) this.#waiting.set(id, vm);
    }
    this.#plans = this.#planned();
    this.#measure();
  }

  /** The records in force. */
  get vms(): ReadonlyMap<string, Vm> {
    return this.#inForce;
  }

  /** What is refused: VMs, as of now, and groups, networks and filters. */
  get problems(): readonly Problem[] {
    return [...this.#wordProblems, ...[...this.#refused.values()].map(({ problem }) => problem)];
  }

  /** What is in force, as the `previous` of a policy to come. */
  policy(): Policy {
    return { ...this.#words, vms: Object.fromEntries(this.#inForce) };
  }

  /** The same as that of {@link render}. */
  get hash(): string {
    return this.#sum.hash(
      settingHash({ host: this.#host, policy: { ...this.#words, vms: {} }, blocked: this.#blocked() }),
    );
  }

  /** Everything that is in force, whole. */
  rendering(): Rendering {
    const elements = this.#elements();
    const { uncovered } = devicesOf(this.#context, this.#ports, [...this.#closed].sort());
    return {
      ruleset: renderPlans(
        this.#plans,
        this.#host,
        this.#facts,
        (family, set) => elements.get(`${family} ${set}`) ?? [],
      ),
      hash: this.hash,
      uncovered,
      unenforced: unenforced(this.#context, Object.fromEntries(this.#inForce)),
    };
  }

  /**
   * Takes records of VMs: new ones, changed ones, `undefined` for those that are gone. What is not valid is
   * refused for that VM alone, which keeps the record that it had.
   */
  change(records: Readonly<Record<string, unknown>>): Step {
    const before = new Map<string, Vm | undefined>();
    const undone: (() => void)[] = [];
    const remember = <K, V>(map: Map<K, V>, key: K) => {
      const [has, value] = [map.has(key), map.get(key)];
      undone.push(() => {
        if (has) map.set(key, value as V);
        else map.delete(key);
      });
    };
    const touched = new Set<string>();
    const put = (id: string, vm: Vm | undefined) => {
      const old = this.#inForce.get(id);
      if (!before.has(id)) before.set(id, old);
      remember(this.#inForce, id);
      if (vm) this.#inForce.set(id, vm);
      else this.#inForce.delete(id);
      for (const { ifname } of [...(old?.nics ?? []), ...(vm?.nics ?? [])]) touched.add(ifname);
    };
    const refuse = (id: string, refusal: Refused, record: unknown) => {
      const ports = legiblePorts(record, this.#host);
      for (const port of [...ports, ...(this.#refused.get(id)?.ports ?? [])]) touched.add(port);
      remember(this.#refused, id);
      this.#refused.set(id, { problem: problemOf(id, refusal), ports });
    };
    const settle = (id: string) => {
      for (const port of this.#refused.get(id)?.ports ?? []) touched.add(port);
      remember(this.#refused, id);
      remember(this.#waiting, id);
      this.#refused.delete(id);
      this.#waiting.delete(id);
    };
    let isFreed = false;
    /** Whether the record took the place of the one before. */
    const attempt = (id: string, vm: Vm, record: unknown): boolean => {
      const old = this.#inForce.get(id);
      if (old) this.#claims.release(id, old);
      try {
        this.#claims.claim(id, vm);
      } catch (error) {
        if (old) this.#claims.claim(id, old);
        if (!(error instanceof Refused)) throw error;
        remember(this.#waiting, id);
        this.#waiting.set(id, vm);
        refuse(id, error, record);
        return false;
      }
      settle(id);
      put(id, vm);
      isFreed ||= old !== undefined;
      return true;
    };

    for (const [id, record] of Object.entries(records)) {
      if (record === undefined || record === null) {
        const old = this.#inForce.get(id);
        settle(id);
        if (!old) continue;
        this.#claims.release(id, old);
        put(id, undefined);
        isFreed = true;
        continue;
      }
      const vm = validVm(id, record, this.#words);
      if (vm instanceof Refused) {
        remember(this.#waiting, id);
        this.#waiting.delete(id);
        refuse(id, vm, record);
      } else attempt(id, vm, record);
    }
    // What was given up is free for those who wait for it; what they give up in turn, for others.
    while (isFreed) {
      isFreed = false;
      for (const [id, vm] of [...this.#waiting].sort(([a], [b]) => (a < b ? -1 : 1))) attempt(id, vm, vm);
    }

    const changes: { removed: Parts; added: Parts }[] = [];
    for (const [id, old] of before) {
      const now = this.#inForce.get(id);
      const none: Parts = { entries: [], uses: [] };
      changes.push(
        partsDifference(
          old ? vmParts(this.#context, id, old) : none,
          now ? vmParts(this.#context, id, now) : none,
        ),
      );
      if (old) this.#sum.remove(digest(id, old));
      if (now) this.#sum.add(digest(id, now));
    }
    changes.push(this.#close(touched, undone));
    const commands = this.#move(
      changes,
      [...touched].some((name) => this.#present.has(name)),
    );
    return {
      commands,
      problems: [...this.#refused.keys()]
        .filter((id) => Object.hasOwn(records, id) || before.has(id))
        .flatMap((id) => this.#refused.get(id)?.problem ?? []),
      undo: () => {
        for (const [id] of before) {
          const now = this.#inForce.get(id);
          if (now) {
            this.#claims.release(id, now);
            this.#sum.remove(digest(id, now));
          }
        }
        for (const step of undone.reverse()) step();
        for (const [id, old] of before) {
          if (old) {
            this.#claims.claim(id, old);
            this.#sum.add(digest(id, old));
          }
        }
        this.#move(
          changes.map(({ removed, added }) => ({ removed: added, added: removed })),
          true,
        );
      },
    };
  }

  /** Ports of refused VMs that nobody lists. */
  #blocked(): string[] {
    const named = [...this.#refused.values()].flatMap(({ ports }) => ports);
    return [...new Set(named)]
      .filter((name) => this.#claims.ownerOf(name) === undefined && !this.#uplinks.has(name))
      .sort();
  }

  /** Lists, closes and opens the ports of this name. */
  #close(names: ReadonlySet<string>, undone: (() => void)[]): { removed: Parts; added: Parts } {
    const before: string[] = [];
    const after: string[] = [];
    const listed = new Map<string, 'bridge' | 'netdev'>();
    if (names.size > 0) {
      const owners = new Set(names);
      for (const vm of this.#ownersOf(owners))
        for (const [port, family] of portsOf(this.#host, [vm])) listed.set(port, family);
    }
    const blocked = new Set([...this.#refused.values()].flatMap(({ ports }) => ports));
    for (const name of names) {
      const [was, known] = [this.#closed.has(name), this.#ports.get(name)];
      undone.push(() => {
        if (was) this.#closed.add(name);
        else this.#closed.delete(name);
        if (known) this.#ports.set(name, known);
        else this.#ports.delete(name);
      });
      const family = listed.get(name);
      if (family) this.#ports.set(name, family);
      else this.#ports.delete(name);
      const is =
        !family &&
        !this.#uplinks.has(name) &&
        (this.#strangers.has(name) || (blocked.has(name) && this.#claims.ownerOf(name) === undefined));
      if (was) before.push(name);
      if (is) after.push(name);
      if (is) this.#closed.add(name);
      else this.#closed.delete(name);
    }
    return partsDifference(closedParts(before), closedParts(after));
  }

  /** The VMs in force that own some of these interfaces. */
  #ownersOf(names: ReadonlySet<string>): Vm[] {
    const owners = new Set([...names].flatMap((name) => this.#claims.ownerOf(name) ?? []));
    return [...owners].flatMap((id) => this.#inForce.get(id) ?? []);
  }

  /** Takes account of changes, and says what they are in the kernel. */
  #move(changes: readonly { removed: Parts; added: Parts }[], devices: boolean): Command[] {
    const shape = this.#inventory.shape;
    const removed = changes.flatMap((change) => this.#inventory.remove(change.removed));
    const added = changes.flatMap((change) => this.#inventory.add(change.added));
    const before = this.#plans;
    if (devices || this.#inventory.shape !== shape) this.#plans = this.#planned();
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
    const { devices } = devicesOf(this.#context, this.#ports, [...this.#closed].sort());
    return tablePlans(this.#context, this.#inventory, devices);
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
    take(closedParts([...this.#closed].sort()));
    for (const id of [...this.#inForce.keys()].sort())
      take(vmParts(this.#context, id, this.#inForce.get(id) as Vm));
    return found;
  }
}

function isFirst(seen: Set<string>, id: string, { key }: Entry): boolean {
  const text = `${id} ${JSON.stringify(key satisfies Expression)}`;
  if (seen.has(text)) return false;
  seen.add(text);
  return true;
}
