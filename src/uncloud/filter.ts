import { list, name, object, version, word } from './check.ts';
import { FILTER_FIELDS, type FieldValue, fieldValue } from './filter-field.ts';
import { NAMED_FILTERS } from './named-filters.ts';
import { Refused } from './problem.ts';

/** What a field is compared with: any of some values, or what each NIC has for a variable. */
export interface FilterMatch {
  readonly field: string;
  readonly not: boolean;
  readonly values?: readonly FieldValue[];
  /** Without its `$`. */
  readonly variable?: string;
}

/** A rule of a filter, or a reference to another one. */
export type FilterRule =
  | { readonly filter: string }
  | {
      readonly directions: readonly ('in' | 'out')[];
      readonly action: 'accept' | 'drop' | 'return' | 'continue';
      readonly matches: readonly FilterMatch[];
    };

export interface Filter {
  readonly rules: readonly FilterRule[];
}

const MOST = { rules: 1024, values: 1024 } as const;
/** The name of what is no filter and may be referred to like one. */
export const PORT_SECURITY = 'port-security';

function match(field: string, value: unknown, path: string): FilterMatch {
  const known = Object.hasOwn(FILTER_FIELDS, field) ? FILTER_FIELDS[field] : undefined;
  if (!known) throw new Refused(path, `not one of ${Object.keys(FILTER_FIELDS).join(', ')}`);
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
  const inner = isObject ? object(value, path, ['not']).not : value;
  const at = isObject ? `${path}.not` : path;
  if (typeof inner === 'string' && inner.startsWith('$')) {
    return { field, not: isObject, variable: name(inner.slice(1), at) };
  }
  const values = Array.isArray(inner) ? list(inner, at, MOST.values) : [inner];
  if (values.length === 0) throw new Refused(at, 'an empty list matches nothing');
  return {
    field,
    not: isObject,
    values: values.map((each, i) => fieldValue(known, each, Array.isArray(inner) ? `${at}[${i}]` : at)),
  };
}

/** What a header is found behind: Ethernet types, and the protocol that they name. */
const BEHIND: Readonly<Record<string, { readonly types: readonly number[]; readonly protocol?: number }>> = {
  arp: { types: [0x0806] },
  rarp: { types: [0x8035] },
  ip: { types: [0x0800] },
  ip6: { types: [0x86dd] },
  tcp: { types: [0x0800, 0x86dd], protocol: 6 },
  udp: { types: [0x0800, 0x86dd], protocol: 17 },
  icmp: { types: [0x0800], protocol: 1 },
  icmpv6: { types: [0x86dd], protocol: 58 },
};

/** Refuses fields of headers that no frame has together, or that only some of what is said before have. */
function checkTogether(matches: readonly FilterMatch[], path: string): void {
  let types: readonly number[] | undefined;
  let protocols: readonly number[] | undefined;
  for (const { field, not, values = [] } of matches) {
    const header = field.slice(0, field.indexOf('.'));
    const said = not ? [] : values.flatMap((value) => (value.kind === 'range' ? [value.range[0]] : []));
    const isProtocol = field === 'ip.protocol' || field === 'ip6.nexthdr';
    const behind = BEHIND[header];
    const wantedTypes = field === 'ether.type' && said.length > 0 ? said : behind?.types;
    const wantedProtocols =
      isProtocol && said.length > 0 ? said : behind?.protocol === undefined ? undefined : [behind.protocol];
    const misses = (before: readonly number[] | undefined, now: readonly number[] | undefined) =>
      before && now && !before.every((one) => now.includes(one));
    if (misses(types, wantedTypes) || misses(protocols, wantedProtocols)) {
      throw new Refused(
        `${path}[${JSON.stringify(field)}]`,
        'no frame that the other matches speak of, or not each of them, has this header',
      );
    }
    types ??= wantedTypes;
    protocols ??= wantedProtocols;
  }
}

function rule(value: unknown, path: string): FilterRule {
  const fields = object(value, path, ['filter', 'direction', 'action', 'match', 'comment']);
  if (fields.filter !== undefined) {
    object(value, path, ['filter', 'comment']);
    return { filter: name(fields.filter, `${path}.filter`) };
  }
  if (fields.action === undefined) {
    throw new Refused(`${path}.action`, 'not one of accept, drop, return, continue');
  }
  const direction = word(fields.direction, `${path}.direction`, ['inout', 'in', 'out']);
  const action = word(fields.action, `${path}.action`, ['accept', 'drop', 'return', 'continue']);
  // In the order of headers, as the kernel's rules are told: what is in one says what the next one is.
  const order = Object.keys(FILTER_FIELDS);
  const matches = Object.entries(object(fields.match ?? {}, `${path}.match`))
    .map(([field, wanted]) => match(field, wanted, `${path}.match[${JSON.stringify(field)}]`))
    .sort((a, b) => order.indexOf(a.field) - order.indexOf(b.field));
  if (action === 'return' && matches.some(({ not, variable }) => not && variable !== undefined)) {
    throw new Refused(`${path}.match`, 'return together with a variable that must not match');
  }
  checkTogether(matches, `${path}.match`);
  return { directions: direction === 'inout' ? ['out', 'in'] : [direction], action, matches };
}

/** Reads the value of the key `distributed-firewall/filter/<name>`. */
export function parseFilter(value: unknown): Filter {
  const fields = object(value, '', ['version', 'rules', 'comment']);
  version(fields.version, '.version');
  return { rules: list(fields.rules, '.rules', MOST.rules).map((entry, i) => rule(entry, `.rules[${i}]`)) };
}

const builtIn = new Map<string, Filter>();

/** A filter by name: one of `own`, or libvirt's. */
export function filterOf(own: Readonly<Record<string, Filter>>, name: string): Filter | undefined {
  if (Object.hasOwn(own, name)) return own[name];
  if (!Object.hasOwn(NAMED_FILTERS, name)) return undefined;
  let filter = builtIn.get(name);
  if (!filter) builtIn.set(name, (filter = parseFilter({ rules: NAMED_FILTERS[name] })));
  return filter;
}

/** Whether a name is taken by a filter that everyone has. */
export function isBuiltIn(name: string): boolean {
  return name === PORT_SECURITY || Object.hasOwn(NAMED_FILTERS, name);
}

/**
 * The filter and all that it refers to, each once.
 *
 * @throws Refused for a reference to nothing and for one in a circle
 */
export function closure(own: Readonly<Record<string, Filter>>, name: string): string[] {
  const done = new Set<string>();
  const visit = (current: string, above: readonly string[], path: string) => {
    if (current === PORT_SECURITY) return void done.add(current);
    if (above.includes(current)) throw new Refused(path, `a circle: ${[...above, current].join(' → ')}`);
    if (done.has(current)) return;
    const filter = filterOf(own, current);
    if (!filter) throw new Refused(path, `there is no filter ${current}`);
    for (const [i, entry] of filter.rules.entries()) {
      if ('filter' in entry)
        visit(entry.filter, [...above, current], above.length === 0 ? `.rules[${i}].filter` : path);
    }
    done.add(current);
  };
  visit(name, [], '');
  return [...done];
}

/** Every comparison of a variable in a filter and what it refers to, as often as it is made. */
export function variablesOf(
  own: Readonly<Record<string, Filter>>,
  name: string,
): { variable: string; field: string }[] {
  return closure(own, name).flatMap((each) =>
    (filterOf(own, each)?.rules ?? []).flatMap((entry) =>
      'filter' in entry
        ? []
        : entry.matches.flatMap(({ field, variable }) =>
            variable === undefined ? [] : [{ variable, field }],
          ),
    ),
  );
}
