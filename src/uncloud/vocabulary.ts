import { ifname, member, name, object } from './check.ts';
import {
  closure,
  type Filter,
  filterOf,
  isBuiltIn,
  PORT_SECURITY,
  parseFilter,
  variablesOf,
} from './filter.ts';
import { FILTER_FIELDS, fieldValue } from './filter-field.ts';
import { type Group, groupsNamedBy, parseGroup } from './group.ts';
import { clash, type Network, parseNetwork } from './network.ts';
import type { Policy, Vm } from './policy.ts';
import { type Problem, Refused } from './problem.ts';

/** What VMs may name: groups and filters; and the networks. All of it is good. */
export interface Vocabulary {
  readonly groups: Readonly<Record<string, Group>>;
  readonly networks: Readonly<Record<string, Network>>;
  readonly filters: Readonly<Record<string, Filter>>;
  readonly problems: readonly Problem[];
  /** What keeps its last good value: `group/web`. */
  readonly kept: readonly string[];
}

type Kind = 'group' | 'network' | 'filter';

const MOST = 65_536;

/**
 * Reads records of one kind. One that is not valid, by itself or beside the others, keeps its last good
 * value, or is left out; until nothing is wrong with any that is left.
 */
function settled<T>(
  kind: Kind,
  records: unknown,
  previous: Readonly<Record<string, T>>,
  parse: (key: string, value: unknown) => T,
  check: (all: Readonly<Record<string, T>>, key: string, value: T) => void,
  found: { problems: Problem[]; kept: string[] },
): Readonly<Record<string, T>> {
  const fields = object(records ?? {}, `.${kind}s`);
  if (Object.keys(fields).length > MOST) throw new Refused(`.${kind}s`, `more than ${MOST}`);
  const keys = Object.keys(fields).sort();
  const refusals = new Map<string, Refused>();
  const values = new Map<string, T>();
  const attempt = (key: string, work: () => void) => {
    try {
      work();
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      const isFirst = !refusals.has(key);
      if (isFirst) refusals.set(key, error);
      if (isFirst && Object.hasOwn(previous, key)) values.set(key, previous[key] as T);
      else values.delete(key);
    }
  };
  for (const key of keys) attempt(key, () => values.set(key, parse(key, fields[key])));
  for (let before = -1; before !== refusals.size + values.size; ) {
    before = refusals.size + values.size;
    const all = Object.fromEntries(values);
    for (const [key, value] of values) attempt(key, () => check(all, key, value));
  }
  for (const [key, { path, message }] of refusals) {
    found.problems.push({ key: `distributed-firewall/${kind}/${key}`, path, why: message });
    if (values.has(key)) found.kept.push(`${kind}/${key}`);
  }
  return Object.fromEntries(values);
}

function checkGroup(groups: Readonly<Record<string, Group>>, key: string, group: Group): void {
  for (const { name, path } of groupsNamedBy(group)) {
    if (!Object.hasOwn(groups, name)) throw new Refused(path, `there is no group ${name}`);
  }
  const visit = (current: string, above: readonly string[]) => {
    if (above.includes(current)) {
      throw new Refused('.members', `a circle: ${[...above, current].join(' → ')}`);
    }
    const inner = groups[current];
    if (!inner) return;
    for (const { name, member } of groupsNamedBy(inner)) if (member) visit(name, [...above, current]);
  };
  visit(key, []);
}

function checkNetwork(networks: Readonly<Record<string, Network>>, key: string, network: Network): void {
  for (const [other, theirs] of Object.entries(networks)) {
    if (other === key) return;
    const block = clash(network, theirs);
    if (block !== undefined) throw new Refused('', `${block} belongs, at least in part, to network ${other}`);
  }
}

/**
 * Reads the groups, networks and filters of a policy.
 *
 * @throws Refused when one of the three is no object
 */
export function vocabulary(fields: Readonly<Record<string, unknown>>, previous?: Policy): Vocabulary {
  const found = { problems: [] as Problem[], kept: [] as string[] };
  const groups = settled(
    'group',
    fields.groups,
    previous?.groups ?? {},
    (key, value) => {
      name(key, '');
      return parseGroup(value);
    },
    checkGroup,
    found,
  );
  const networks = settled(
    'network',
    fields.networks,
    previous?.networks ?? {},
    (key, value) => {
      ifname(key, '');
      return parseNetwork(value);
    },
    checkNetwork,
    found,
  );
  const filters = settled(
    'filter',
    fields.filters,
    previous?.filters ?? {},
    (key, value) => {
      if (isBuiltIn(name(key, ''))) throw new Refused('', `everyone has a filter ${key}`);
      return parseFilter(value);
    },
    (all, key) => void closure(all, key),
    found,
  );
  return { groups, networks, filters, ...found };
}

/** The values that a NIC has for a variable, or undefined. */
export function valuesOf(
  { mac, ipv4, ipv6, variables, linkLocal }: Vm['nics'][number],
  variable: string,
): readonly string[] | undefined {
  if (variable === 'MAC') return [mac];
  if (variable === 'IP') return ipv4;
  if (variable === 'IPV6')
    return linkLocal === 'any' || linkLocal === 'eui64' ? ipv6 : [...ipv6, ...linkLocal];
  return Object.hasOwn(variables, variable) ? variables[variable] : undefined;
}

/**
 * Whether the groups and filters that a VM names are there, and the filters' variables.
 *
 * @throws Refused naming the place
 */
export function checkReferences(vm: Vm, { groups, filters }: Pick<Vocabulary, 'groups' | 'filters'>): void {
  for (const [i, nic] of vm.nics.entries()) {
    for (const [j, group] of nic.groups.entries()) {
      if (!Object.hasOwn(groups, group)) {
        throw new Refused(`.nics[${i}].groups[${j}]`, `there is no group ${group}`);
      }
    }
    if (nic.filter === PORT_SECURITY) continue;
    if (!filterOf(filters, nic.filter)) {
      throw new Refused(`.nics[${i}].filter`, `there is no filter ${nic.filter}`);
    }
    for (const { variable, field } of variablesOf(filters, nic.filter)) {
      const path = `.nics[${i}].variables${member(variable)}`;
      const values = valuesOf(nic, variable);
      if (!values) throw new Refused(path, `the filter ${nic.filter} needs it`);
      for (const [j, value] of values.entries()) {
        const { kind } = FILTER_FIELDS[field] as (typeof FILTER_FIELDS)[string];
        const parsed = fieldValue(
          FILTER_FIELDS[field] as (typeof FILTER_FIELDS)[string],
          kind === 'number' && /^\d+$/.test(value) ? Number(value) : value,
          `${path}[${j}]`,
        );
        if (parsed.kind === 'range' && parsed.range[0] !== parsed.range[1]) {
          throw new Refused(`${path}[${j}]`, 'a variable has no ranges');
        }
      }
    }
  }
}
