import ipaddr from 'ipaddr.js';

/** The JSON of a host and of a policy, as far as the checks of frames depend on it. */
export interface HostRecord {
  readonly bridges: Readonly<
    Record<
      string,
      {
        readonly uplinks?: readonly string[];
        readonly shared?: boolean;
        readonly mac?: string;
        readonly backend?: string;
      }
    >
  >;
}

export interface NicRecord {
  readonly ifname: string;
  readonly bridge: string;
  readonly mac: string;
  readonly ipv4?: readonly string[];
  readonly ipv6?: readonly string[];
  readonly linkLocal?: 'eui64' | 'any' | readonly string[];
  readonly vlans?: readonly (number | string)[];
  readonly groups?: readonly string[];
  readonly broadcasts?: unknown;
  readonly filter?: string;
  readonly variables?: Readonly<Record<string, readonly string[]>>;
}

export interface PolicyRecord {
  readonly vms: Readonly<Record<string, { readonly nics?: readonly NicRecord[] }>>;
}

/** A VM's port: what it may say that it is. */
export interface PortModel {
  readonly mac: string;
  /** Whether its network belongs to one customer. */
  readonly isPrivate: boolean;
  /** Whether it has VLANs of its own: then others do not come to it. */
  readonly isTrunk: boolean;
  /** Whether it may tag frames with this VLAN id. */
  tags(vid: number): boolean;
  owns4(address: bigint): boolean;
  owns6(address: bigint): boolean;
}

export const number = (bytes: Uint8Array): bigint => BigInt(`0x${Buffer.from(bytes).toString('hex') || '0'}`);

function within(blocks: readonly string[], width: bigint): (address: bigint) => boolean {
  const parsed = blocks.map((text) => {
    const [address = '', length = ''] = text.split('/');
    const rest = length === '' ? 0n : width - BigInt(length);
    return { head: number(Buffer.from(ipaddr.parse(address).toByteArray())) >> rest, rest };
  });
  return (address) => parsed.some(({ head, rest }) => address >> rest === head);
}

/** RFC 4291, appendix A: the MAC with ff:fe in the middle and the universal bit turned. */
function eui64(mac: string): string {
  const id = Buffer.from(mac.replaceAll(':', ''), 'hex');
  const bytes = [(id[0] ?? 0) ^ 2, id[1], id[2], 0xff, 0xfe, id[3], id[4], id[5]] as number[];
  return ipaddr.fromByteArray([0xfe, 0x80, 0, 0, 0, 0, 0, 0, ...bytes]).toString();
}

/** All ids of `10` or `"20-30"`. */
function ranges(ids: number | string): number[] {
  const [first = 0, last = first] = String(ids).split('-').map(Number);
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}

function linkLocals({ mac, linkLocal = 'eui64' }: NicRecord): readonly string[] {
  if (linkLocal === 'eui64') return [eui64(mac)];
  return linkLocal === 'any' ? ['fe80::/10'] : linkLocal;
}

/** All addresses and networks of a NIC. */
export function ownBlocks(nic: NicRecord): string[] {
  return [...(nic.ipv4 ?? []), ...(nic.ipv6 ?? []), ...linkLocals(nic)];
}

export function portModel(host: HostRecord, nic: NicRecord): PortModel {
  return {
    mac: nic.mac,
    isPrivate: host.bridges[nic.bridge]?.shared === false,
    isTrunk: (nic.vlans ?? []).length > 0,
    tags: (vid) => (nic.vlans ?? []).some((ids) => ranges(ids).includes(vid)),
    owns4: within(nic.ipv4 ?? [], 32n),
    owns6: within([...(nic.ipv6 ?? []), ...linkLocals(nic)], 128n),
  };
}
