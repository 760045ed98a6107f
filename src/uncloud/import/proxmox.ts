import { byFamily, type Imported, type ImportedGroup, type ImportedNic, type Omission } from './imported.ts';
import {
  firewallGroups,
  type GuestFirewall,
  membersOf,
  parseFirewall,
  type SetContext,
} from './proxmox-firewall.ts';

/** One file of /etc/pve: its name, such as `100.conf`, `lxc/101.conf`, `100.fw`, `cluster.fw`; and its text. */
export interface ProxmoxFile {
  readonly name: string;
  readonly text: string;
}

const MAC = /^([0-9a-f]{2}:){5}[0-9a-f]{2}$/i;

/** Options of a NIC that are taken or do not concern a firewall; a virtual machine's card is an option as well. */
const NIC_OPTIONS =
  `model macaddr bridge firewall tag trunks rate queues mtu link_down disconnect name hwaddr ip ip6 gw gw6 type
  host-managed e1000 e1000-82540em e1000-82544gc e1000-82545em e1000e i82551 i82557b i82559er ne2k_isa ne2k_pci
  pcnet rtl8139 virtio vmxnet3`.split(/\s+/);

/**
 * Reads the configuration of guests (qemu-server/*.conf, lxc/*.conf) and their firewall files (firewall/*.fw,
 * cluster.fw). A guest keeps its number. Its port is `tap100i0` or, of a container, `veth100i0`. Where the
 * guest's firewall is on, its rules become groups `pve-…`, security groups `pve-group-…`, IP sets
 * `pve-set-…`; the addresses of `ipfilter-netN` join those of the configuration.
 */
export function importProxmox(files: readonly ProxmoxFile[]): Imported {
  const omissions: Omission[] = [];
  const base = (name: string) => name.slice(name.lastIndexOf('/') + 1);
  const firewalls = new Map(
    files.flatMap(({ name, text }) =>
      name.endsWith('.fw')
        ? [[base(name).slice(0, -3), parseFirewall(base(name), text, omissions)] as const]
        : [],
    ),
  );
  const cluster = firewalls.get('cluster');
  for (const { name } of files) {
    if (!/^(\d+\.(conf|fw)|cluster\.fw)$/.test(base(name)))
      omissions.push({ where: name, what: 'neither of a guest nor cluster.fw: the file is left out' });
  }
  const vms: Record<string, { nics: ImportedNic[] }> = {};
  const groups: Record<string, ImportedGroup> = {};
  for (const { name, text } of files) {
    const [, id] = /^(\d+)\.conf$/.exec(base(name)) ?? [];
    if (id === undefined) continue;
    const firewall = firewalls.get(id);
    const made = firewallGroups(id, firewall, cluster, omissions);
    vms[id] = {
      nics: networks(text).flatMap((network) => {
        const where = `${name}, ${network.name}`;
        for (const key of network.options.keys()) {
          if (!NIC_OPTIONS.includes(key)) omissions.push({ where, what: `${key} is not known` });
        }
        const nic = nicOf(
          id,
          network,
          filtered(network.name, { guest: firewall, cluster }, where, omissions),
        );
        if (nic === undefined) {
          omissions.push({ where, what: 'no MAC or no bridge: the NIC is left out' });
          return [];
        }
        const of = network.options.get('firewall') === '1' ? made.groupsOf(network.name) : [];
        return [{ ...nic, ...(of.length > 0 && { groups: of }) }];
      }),
    };
    Object.assign(groups, made.groups);
  }
  return { vms, groups, omissions };
}

interface Network {
  readonly name: string;
  readonly options: ReadonlyMap<string, string>;
  readonly addresses: ReadonlyMap<string, string>;
}

/** `netN` lines, with the `ipconfigN` of cloud-init; what comes behind is of snapshots. */
function networks(text: string): Network[] {
  const [current = ''] = text.split(/^\[/m);
  const settings = new Map(
    [...current.matchAll(/^([a-z]+\d*):\s*(.*)$/gm)].map(([, key, value]) => [
      key as string,
      value as string,
    ]),
  );
  return [...settings].flatMap(([key, value]) => {
    if (!/^net\d+$/.test(key)) return [];
    return [
      {
        name: key,
        options: options(value),
        addresses: options(settings.get(key.replace('net', 'ipconfig')) ?? ''),
      },
    ];
  });
}

function options(text: string): Map<string, string> {
  return new Map(
    text.split(',').flatMap((part) => {
      const [, key, value] = /^\s*([^=]+)=(.*)$/.exec(part) ?? [];
      return key === undefined ? [] : [[key, (value as string).trim()] as const];
    }),
  );
}

/** The addresses that the IP set of a NIC names. */
function filtered(
  nic: string,
  { guest, cluster }: Omit<SetContext, 'guest'> & { readonly guest: GuestFirewall | undefined },
  where: string,
  omissions: Omission[],
): string[] {
  const set = guest?.sets.get(`ipfilter-${nic}`);
  if (guest === undefined || set === undefined) return [];
  const members = membersOf(set, { guest, cluster });
  if (members === undefined)
    omissions.push({ where, what: `ipfilter-${nic} has a member that is not known: none is taken` });
  return members ?? [];
}

function nicOf(id: string, network: Network, filtered: readonly string[]): ImportedNic | undefined {
  const { options: own, addresses, name } = network;
  // A container says `hwaddr`; a virtual machine has the MAC behind its card's model.
  const mac = own.get('hwaddr') ?? [...own.values()].find((value) => MAC.test(value));
  const bridge = own.get('bridge');
  // `tag` is the bridge's concern: the guest's frames have none.
  const trunks = own.get('trunks')?.split(';').map(vlan);
  if (mac === undefined || bridge === undefined) return undefined;
  const fixed = [own, addresses].flatMap((from) => ['ip', 'ip6'].flatMap((key) => from.get(key) ?? []));
  const known = fixed
    .filter((address) => address.includes('/'))
    .map((address) => address.split('/')[0] as string);
  return {
    ifname: `${own.has('hwaddr') ? 'veth' : 'tap'}${id}i${name.slice('net'.length)}`,
    bridge,
    mac: mac.toLowerCase(),
    ...(trunks !== undefined && { vlans: trunks }),
    ...byFamily([...known, ...filtered]),
  };
}

/** `10`, or a range `20-30`. */
function vlan(text: string): number | string {
  return text.includes('-') ? text : Number(text);
}
