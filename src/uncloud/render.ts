import type { Command, Expression, Ruleset } from '../index.ts';
import { contextOf } from './context.ts';
import type { Facts } from './facts.ts';
import { hash } from './hash.ts';
import type { Host } from './host.ts';
import { type Entry, Inventory, type Parts, type TableFamily } from './inventory.ts';
import { closedParts, hostParts, vmParts } from './parts.ts';
import { tablePlans } from './plan.ts';
import type { Policy } from './policy.ts';
import { closedPorts, devicesOf, portsOf, uncoveredOf } from './ports.ts';
import type { Problem } from './problem.ts';
import { digest, Sum } from './sum.ts';
import { type Elements, TABLE, type TablePlan, tableElements } from './table.ts';
import { unenforced } from './unenforced.ts';

export { TABLE } from './table.ts';

/** What {@link render} works from. */
export interface Desired {
  readonly host: Host;
  readonly policy: Policy;
  /** Ports of refused VMs (see `PolicyResult`): nothing passes there. */
  readonly blocked?: readonly string[];
  readonly facts?: Facts;
}

/** What {@link render} makes. */
export interface Rendering {
  /** One transaction: our tables made anew, in place of what they were. */
  readonly ruleset: Ruleset;
  /** The same for the same host and policy, whatever interfaces there are just now. */
  readonly hash: string;
  /**
   * VM ports that no netdev chain guards, because they do not exist yet: render and apply again when they
   * appear, or set `no_linklocal_learn` on their bridge.
   */
  readonly uncovered: readonly string[];
  /** What is wanted and this kernel cannot do, or does less finely: groups without connections, reject. */
  readonly unenforced: readonly Problem[];
}

/** Takes our tables away, whether they are there or not; the same transaction makes them anew. */
export function clear(facts: Facts = {}): Command[] {
  const families = ['bridge', 'inet', ...(facts.interfaces ? (['netdev'] as const) : [])] as const;
  return families.flatMap((family) => {
    const table = { family, name: TABLE };
    return [{ add: { table } }, { delete: { table } }];
  });
}

/** An element as a set or map lists it. */
export function elementOf({ key, value }: Entry): Elements[number] {
  return value === undefined ? key : [key, value as Expression];
}

/** Tables as one transaction that makes them anew. */
export function renderPlans(
  plans: readonly TablePlan[],
  host: Host,
  facts: Facts | undefined,
  elementsOf: (family: TableFamily, set: string) => Elements,
): Ruleset {
  const elements = plans.flatMap((plan) =>
    tableElements(plan, host.sets, (set) => elementsOf(plan.family, set)),
  );
  return { nftables: [...clear(facts), ...elements.map((add) => ({ add }))] };
}

function collect(desired: Desired) {
  const { host, policy, facts = {}, blocked = [] } = desired;
  const context = contextOf(host, policy, facts);
  const inventory = new Inventory();
  const entries = new Map<string, Elements[number][]>();
  const take = (parts: Parts) => {
    for (const entry of inventory.add(parts)) {
      const id = `${entry.family} ${entry.set}`;
      const list = entries.get(id);
      if (list) list.push(elementOf(entry));
      else entries.set(id, [elementOf(entry)]);
    }
  };
  const ports = portsOf(host, Object.values(policy.vms));
  const closed = new Set(closedPorts(host, facts, blocked, (name) => ports.has(name)));
  take(hostParts(context));
  take(closedParts([...closed]));
  for (const [id, vm] of Object.entries(policy.vms)) take(vmParts(context, id, vm));
  const plans = tablePlans(context, inventory, devicesOf(host, facts, ports, closed));
  return { context, entries, plans, uncovered: uncoveredOf(facts, ports, closed) };
}

/**
 * Turns a host and a policy into one transaction: the tables `bridge uncloud`, `inet uncloud` and, for the
 * VM ports that exist, `netdev uncloud`, each in place of what it held before.
 *
 * - bridge prerouting (priority -300): uplinks pass, VM ports go through port security or their filter,
 *   unlisted ports of managed bridges drop, other bridges are left alone; -250: conntrack zones of ports with
 *   groups; -150: groups, for what comes from VMs
 * - bridge forward: nothing between a listed port and an unlisted one
 * - bridge postrouting: filters (290); to a VM no unicast frame for another MAC, and what groups let through
 * - inet forward: virtual networks; nothing else that no VM owns, unless the host says `"forward": "accept"`
 * - netdev ingress: no frame to 01:80:c2:00:00:0X; with backend netdev everything of the above
 *
 * The same input gives the same output, in whatever order it is written.
 */
export function render(desired: Desired): Rendering {
  const { context, entries, uncovered, plans } = collect(desired);
  const { host, facts } = desired;
  return {
    ruleset: renderPlans(plans, host, facts, (family, set) => entries.get(`${family} ${set}`) ?? []),
    hash: inputHash(desired),
    uncovered,
    unenforced: unenforced(context, desired.policy.vms),
  };
}

/** The version of the rules that the same input gives: part of the hash. */
const RULES = 4;

/** What a host and a policy, but for its VMs, add to the hash. */
export function settingHash({ host, policy, blocked = [] }: Desired): string {
  const { groups, networks, filters } = policy;
  const { bridges, ...rest } = host;
  const described = Object.entries(bridges).map(([name, { mac: _, ...bridge }]) => [name, bridge]);
  return hash({
    rules: RULES,
    host: { ...rest, bridges: Object.fromEntries(described) },
    blocked,
    groups,
    networks,
    filters,
  });
}

/** The hash of a rendering: of all that it is made from but facts about the kernel. */
export function inputHash(desired: Desired): string {
  const sum = new Sum();
  for (const [id, vm] of Object.entries(desired.policy.vms)) sum.add(digest(id, vm));
  return sum.hash(settingHash(desired));
}
