import type { Element } from '@xmldom/xmldom';
import {
  byFamily,
  ImportError,
  type Imported,
  type ImportedGroup,
  type ImportedNic,
  type Omission,
} from './imported.ts';
import { isOpen, securityGroups } from './opennebula-group.ts';
import { child, children, parseXml, strangers, textOf } from './xml.ts';

/** A VM's state (opennebula.org, "VM states") in which it is on no host and never comes back. */
const DONE = '6';

const ADDRESSES = ['IP', 'IP6', 'IP6_GLOBAL', 'IP6_ULA'] as const;

/** What is taken of a NIC, and what does not concern a firewall. */
const NIC =
  `AR_ID BOND_MODE BRIDGE BRIDGE_TYPE BRIDGE_OVS CLUSTER_ID CONF DNS FILTER_IP_SPOOFING FILTER_MAC_SPOOFING GATEWAY
  GATEWAY6 GUEST_MTU INBOUND_AVG_BW INBOUND_PEAK_BW INBOUND_PEAK_KB IP IP6 IP6_GLOBAL IP6_LINK IP6_METHOD IP6_METRIC
  IP6_ULA IP_LINK MAC METHOD METRIC MODEL MTU NAME NETWORK NETWORK_ADDRESS NETWORK_ID NETWORK_MASK NETWORK_MODE
  NETWORK_UID NETWORK_UNAME NIC_ID ORDER OUTBOUND_AVG_BW OUTBOUND_PEAK_BW OUTBOUND_PEAK_KB PARENT PARENT_ID PHYDEV
  PREFIX_LENGTH RDP REQS RANK SEARCH_DOMAIN SECURITY_GROUPS SSH SYNC_TIME TARGET VLAN_ID VLAN_TAGGED_ID VN_MAD VROUTER_IP
  VROUTER_IP6_GLOBAL VROUTER_IP6_LINK VROUTER_IP6_ULA VROUTER_MANAGEMENT VXLAN_MC VXLAN_MODE VXLAN_TEP XDP ALIAS_IDS
  EXTERNAL SCHED_REQUIREMENTS SCHED_RANK AUTO_VLAN_ID MODE VIRTIO_QUEUES DEV_PREFIX ISOLATED PORT_START PORT_SIZE`.split(
    /\s+/,
  );

/**
 * Reads what `onevm show -x` and `onevm list -x --extended` print, of OpenNebula 5 to 7. A VM keeps its number as its
 * id, a security group becomes `one-<number>`; aliases (NIC_ALIAS) give their addresses to their NIC. A VM that is not
 * placed on a host yet, or that a short list tells of, is left out whole: its record stays as it is.
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
    const where = `VM ${id}`;
    const template = child(vm, 'TEMPLATE');
    const nics = children(template, 'NIC');
    const vague = nics.find((nic) => textOf(nic, 'MAC') === undefined || textOf(nic, 'BRIDGE') === undefined);
    if (vague !== undefined || (nics.length === 0 && textOf(template, 'VMID') === undefined)) {
      const what =
        vague === undefined ? 'no NIC' : `NIC ${textOf(vague, 'NIC_ID') ?? '?'} has no MAC or no BRIDGE`;
      omissions.push({
        where,
        what: `${what}: not placed yet, or a list without --extended; the VM is left out`,
      });
      continue;
    }
    for (const pci of children(template, 'PCI')) {
      if (textOf(pci, 'TYPE') === 'NIC')
        omissions.push({ where, what: 'a NIC that is passed through has no port: it is left out' });
    }
    const security = securityGroups(template, where, omissions);
    const aliases = children(template, 'NIC_ALIAS');
    vms[id] = {
      nics: nics.map((nic) => {
        const number = textOf(nic, 'NIC_ID') ?? '0';
        const of = aliases.filter((alias) => textOf(alias, 'PARENT_ID') === number);
        return nicOf(`one-${id}-${number}`, nic, of, security, `${where}, NIC ${number}`, omissions);
      }),
    };
    for (const name of new Set(vms[id].nics.flatMap((nic) => nic.groups ?? []))) {
      const group = security(name);
      const known = groups[name];
      if (known !== undefined && JSON.stringify(known) !== JSON.stringify(group))
        omissions.push({
          where,
          what: `${name} is not what other VMs have (onesecgroup commit): theirs is taken`,
        });
      groups[name] ??= group;
    }
  }
  return { vms, groups, omissions };
}

function nicOf(
  ifname: string,
  nic: Element,
  aliases: readonly Element[],
  security: (name: string) => ImportedGroup,
  where: string,
  omissions: Omission[],
): ImportedNic {
  const omit = (what: string) => omissions.push({ where, what });
  // The host translates the addresses of an external alias: the guest never has them.
  const own = [nic, ...aliases.filter((alias) => textOf(alias, 'EXTERNAL')?.toUpperCase() !== 'YES')];
  for (const one of [nic, ...aliases]) {
    for (const name of strangers(one, NIC)) omit(`${name} is not known`);
    if (!own.includes(one))
      omit(`external alias ${textOf(one, 'IP') ?? ''}: its address is none of the guest's`);
  }
  if (textOf(nic, 'BRIDGE_TYPE')?.startsWith('openvswitch'))
    omit('a port of Open vSwitch: its bridge needs "backend": "netdev"');
  const groupsOf = (one: Element) =>
    (textOf(one, 'SECURITY_GROUPS') ?? '')
      .split(',')
      .filter((group) => group !== '')
      .map((group) => `one-${group}`)
      .sort();
  const groups = groupsOf(nic);
  for (const alias of aliases) {
    for (const group of groupsOf(alias)) {
      if (!groups.includes(group)) omit(`${group} of an alias alone: groups are of a whole NIC`);
    }
  }
  // They add up: one that lets everything through leaves nothing to the others.
  const isFree = groups.some((group) => isOpen(security(group)));
  const vlans = textOf(nic, 'VLAN_TAGGED_ID')
    ?.split(/[\s,]+/)
    .map(vlan);
  return {
    ifname: textOf(nic, 'TARGET') ?? ifname,
    bridge: textOf(nic, 'BRIDGE') as string,
    mac: (textOf(nic, 'MAC') as string).toLowerCase(),
    ...byFamily(own.flatMap((one) => ADDRESSES.flatMap((name) => textOf(one, name)?.split(/[\s,]+/) ?? []))),
    ...(vlans !== undefined && { vlans }),
    ...(groups.length > 0 && !isFree && { groups }),
  };
}

/** `10`, or a range `20-30`. */
function vlan(text: string): number | string {
  return text.includes('-') ? text : Number(text);
}
