import type { Element } from '@xmldom/xmldom';
import {
  blocksOf,
  byFamily,
  ImportError,
  type Imported,
  type ImportedGroup,
  type ImportedNic,
  type ImportedRule,
  icmpType,
  type Omission,
} from './imported.ts';
import { child, children, parseXml, textOf } from './xml.ts';

/** A VM's states (opennebula.org, "VM states") in which it is on no host and never comes back. */
const DONE = '6';
/** The group that lets everything through, which every NIC has unless it has others. */
const DEFAULT_GROUP = '0';

const PROTOCOLS: Readonly<Record<string, string | undefined>> = {
  TCP: 'tcp',
  UDP: 'udp',
  ICMP: 'icmp',
  ICMPV6: 'icmpv6',
  IPSEC: 'esp',
};

/**
 * Reads what `onevm show -x` and `onevm list -x` (`--extended`, so that the NICs are in it) print. A VM keeps
 * its number as its id, a security group becomes `one-<number>`; aliases (NIC_ALIAS) give their addresses to
 * their NIC.
 */
export function importOpenNebula(text: string): Imported {
  const root = parseXml(text);
  const machines = root.nodeName === 'VM' ? [root] : children(root, 'VM');
  if (root.nodeName !== 'VM' && root.nodeName !== 'VM_POOL')
    throw new ImportError(`<${root.nodeName}> is neither VM nor VM_POOL`);
  const vms: Record<string, { nics: ImportedNic[] }> = {};
  const groups: Record<string, ImportedGroup> = {};
  const omissions: Omission[] = [];
  for (const vm of machines) {
    const id = textOf(vm, 'ID');
    if (id === undefined) throw new ImportError('a VM without ID');
    if (textOf(vm, 'STATE') === DONE) continue;
    const template = child(vm, 'TEMPLATE');
    const aliases = children(template, 'NIC_ALIAS');
    const nics = children(template, 'NIC').flatMap((nic) => {
      const where = `VM ${id}, NIC ${textOf(nic, 'NIC_ID') ?? '?'}`;
      const of = aliases.filter((alias) => textOf(alias, 'PARENT_ID') === textOf(nic, 'NIC_ID'));
      return nicOf(id, nic, of, where, omissions);
    });
    vms[id] = { nics };
    for (const [name, group] of groupsOf(template, id, omissions)) groups[name] = group;
  }
  return { vms, groups, omissions };
}

function nicOf(
  vm: string,
  nic: Element,
  aliases: readonly Element[],
  where: string,
  omissions: Omission[],
): ImportedNic[] {
  const [mac, bridge] = [textOf(nic, 'MAC'), textOf(nic, 'BRIDGE')];
  if (mac === undefined || bridge === undefined) {
    omissions.push({ where, what: `no ${mac === undefined ? 'MAC' : 'BRIDGE'}: the NIC is left out` });
    return [];
  }
  const names = ['IP', 'IP6', 'IP6_GLOBAL', 'IP6_ULA'];
  const addresses = [nic, ...aliases].flatMap((one) =>
    names.flatMap((name) => textOf(one, name)?.split(/[\s,]+/) ?? []),
  );
  const groups = (textOf(nic, 'SECURITY_GROUPS') ?? '')
    .split(',')
    .filter((group) => group !== '' && group !== DEFAULT_GROUP);
  return [
    {
      ifname: textOf(nic, 'TARGET') ?? `one-${vm}-${textOf(nic, 'NIC_ID') ?? '0'}`,
      bridge,
      mac: mac.toLowerCase(),
      ...byFamily(addresses),
      ...(groups.length > 0 && { groups: groups.map((group) => `one-${group}`).sort() }),
    },
  ];
}

function groupsOf(template: Element | undefined, vm: string, omissions: Omission[]) {
  const groups = new Map<string, { rules: ImportedRule[]; default: { in: 'drop'; out: 'drop' } }>();
  for (const rule of children(template, 'SECURITY_GROUP_RULE')) {
    const id = textOf(rule, 'SECURITY_GROUP_ID');
    if (id === undefined || id === DEFAULT_GROUP) continue;
    const name = `one-${id}`;
    const group = groups.get(name) ?? { rules: [], default: { in: 'drop', out: 'drop' } };
    groups.set(name, group);
    const imported = ruleOf(rule, `VM ${vm}, security group ${id}`, omissions);
    if (imported !== undefined) group.rules.push(imported);
  }
  return groups;
}

function ruleOf(rule: Element, where: string, omissions: Omission[]): ImportedRule | undefined {
  const word = textOf(rule, 'PROTOCOL')?.toUpperCase() ?? 'ALL';
  const protocol = PROTOCOLS[word];
  if (protocol === undefined && word !== 'ALL') {
    omissions.push({ where, what: `protocol ${word}: the rule is left out` });
    return undefined;
  }
  const direction = textOf(rule, 'RULE_TYPE')?.toUpperCase() === 'INBOUND' ? 'in' : 'out';
  const ports = textOf(rule, 'RANGE')
    ?.split(',')
    .map((range) => range.trim().replace(':', '-'));
  const types = textOf(rule, 'ICMP_TYPE') ?? textOf(rule, 'ICMPV6_TYPE');
  const peers = peersOf(textOf(rule, 'IP'), textOf(rule, 'SIZE'));
  return {
    direction,
    action: 'accept',
    ...(protocol !== undefined && { protocol }),
    ...(ports !== undefined && { ports }),
    ...(types !== undefined && { types: [icmpType(types)] }),
    ...(peers !== undefined && { [direction === 'in' ? 'from' : 'to']: peers }),
  };
}

/** `SIZE` addresses from the first one on, as blocks. */
function peersOf(first: string | undefined, size = '1'): string[] | undefined {
  return first === undefined ? undefined : blocksOf(first, BigInt(size));
}
