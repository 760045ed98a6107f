import { identifier } from './check.ts';
import type { Facts } from './facts.ts';
import { closure, PORT_SECURITY, variablesOf } from './filter.ts';
import { type Group, groupsNamedBy, judges } from './group.ts';
import type { Host } from './host.ts';
import type { Nic, Policy, Vm } from './policy.ts';

/** What the parts of every record depend on, but for the record itself. */
export interface Context {
  readonly host: Host;
  readonly facts: Facts;
  readonly policy: Omit<Policy, 'vms'>;
  /** Whether groups know connections, on bridges. */
  readonly stateful: boolean;
  /** The families that guard ports here. */
  readonly families: readonly ('bridge' | 'netdev')[];
  /** The sets that the members of a group are in: `group_lb`. */
  groupPeers(group: string): readonly string[];
  /** The sets that a VM is in by its id. */
  vmPeers(vm: string): readonly string[];
  /** Whether a combination of groups has anything to say about a direction. */
  judges(groups: readonly string[], direction: 'in' | 'out'): boolean;
  /** Whether a combination of groups rejects what goes to a VM, and the kernel can. */
  rejects(groups: readonly string[]): boolean;
  variables(filter: string): readonly { variable: string; field: string }[];
}

/** The name under which a combination of groups has its chains. */
export function profileName(groups: readonly string[]): string {
  return groups.map(identifier).join('/');
}

/** What is asked about each group or VM again and again. */
function remembered<T>(work: (name: string) => T): (name: string) => T {
  const known = new Map<string, T>();
  return (name) => {
    let value = known.get(name);
    if (value === undefined) known.set(name, (value = work(name)));
    return value;
  };
}

/** Which sets groups and VMs have to be in, because rules name them. */
function peers(groups: Readonly<Record<string, Group>>) {
  const groupSets = new Map<string, Set<string>>();
  const vmSets = new Map<string, Set<string>>();
  const put = (sets: Map<string, Set<string>>, key: string, set: string) => {
    const known = sets.get(key);
    if (known) known.add(set);
    else sets.set(key, new Set([set]));
  };
  const visit = (name: string, set: string) => {
    put(groupSets, name, set);
    for (const member of groups[name]?.members ?? []) {
      if (typeof member !== 'object') continue;
      if ('group' in member) visit(member.group, set);
      if ('vm' in member) put(vmSets, member.vm, set);
    }
  };
  const referred = new Set(
    Object.values(groups).flatMap((group) =>
      groupsNamedBy(group).flatMap(({ name, member }) => (member ? [] : [name])),
    ),
  );
  for (const name of referred) visit(name, `group_${identifier(name)}`);
  for (const { rules } of Object.values(groups)) {
    for (const peer of rules.flatMap(({ peers = [] }) => peers)) {
      if (typeof peer === 'object' && 'vm' in peer) put(vmSets, peer.vm, `vm_${identifier(peer.vm)}`);
    }
  }
  return { groupSets, vmSets };
}

/** The context of some records. */
export function contextOf(host: Host, policy: Omit<Policy, 'vms'>, facts: Facts = {}): Context {
  const { groupSets, vmSets } = peers(policy.groups);
  const of = (names: readonly string[]) => names.flatMap((name) => policy.groups[name] ?? []);
  const bridges = Object.values(host.bridges);
  const judged = remembered((key) => {
    const [direction, ...names] = key.split('/') as ['in' | 'out', ...string[]];
    return judges(of(names), direction);
  });
  return {
    host,
    facts,
    policy,
    stateful: facts.conntrack === true,
    families: (['bridge', 'netdev'] as const).filter((family) =>
      bridges.some(({ backend }) => backend === family),
    ),
    groupPeers: remembered((group) => [...(groupSets.get(group) ?? [])]),
    vmPeers: (vm) => [...(vmSets.get(vm) ?? [])],
    judges: (names, direction) => names.length > 0 && judged([direction, ...names].join('/')),
    rejects: (names) =>
      facts.reject === true &&
      of(names).some(
        ({ rules, default: said }) =>
          said.in === 'reject' ||
          rules.some(({ direction, action }) => direction === 'in' && action === 'reject'),
      ),
    variables: remembered((filter) => variablesOf(policy.filters, filter)),
  };
}

/** Whether a VM's record asks for something else in another context. */
export function concern(before: Context, after: Context): (id: string, vm: Vm) => boolean {
  const known = new Map<string, boolean>();
  const differs = (key: string, of: (context: Context) => unknown): boolean => {
    let is = known.get(key);
    if (is === undefined) {
      is = JSON.stringify(of(before)) !== JSON.stringify(of(after));
      known.set(key, is);
    }
    return is;
  };
  const isConcerned = ({ groups, filter }: Nic): boolean =>
    differs(`groups ${profileName(groups)}`, (context) => [
      context.judges(groups, 'in'),
      context.judges(groups, 'out'),
      context.rejects(groups),
      groups.map(context.groupPeers),
    ]) ||
    (filter !== PORT_SECURITY &&
      differs(`filter ${filter}`, (context) => [
        context.variables(filter),
        closure(context.policy.filters, filter),
      ]));
  return (id, { nics }) => nics.some(isConcerned) || String(before.vmPeers(id)) !== String(after.vmPeers(id));
}
