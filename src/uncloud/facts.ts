import type { Connection, NetworkInterface } from '../index.ts';

/** An interface that exists on this host. */
export interface Interface {
  readonly ifname: string;
  /** The kernel's number: another one of the same name is another interface. */
  readonly index?: number;
  /** The bridge that it is a port of. */
  readonly bridge?: string;
  readonly mac?: string;
}

/** What this host's kernel can do and has, as far as rules depend on it. */
export interface Facts {
  /** Whether the kernel has `meta ibrname` (NFT_BRIDGE_META). */
  readonly ibrname?: boolean;
  /** Whether it tracks connections on bridges (NF_CONNTRACK_BRIDGE): without, groups are stateless. */
  readonly conntrack?: boolean;
  /** Whether it can reject on bridges (NFT_BRIDGE_REJECT): without, groups drop instead. */
  readonly reject?: boolean;
  /** The interfaces there are: netdev chains can only be hooked to those. */
  readonly interfaces?: readonly Interface[];
}

/** The interfaces there are, with the bridges that they are ports of. */
export async function interfacesOf(nft: Pick<Connection, 'interfaces'>): Promise<Interface[]> {
  return describeInterfaces(await nft.interfaces());
}

/** Interfaces as facts have them. */
export function describeInterfaces(interfaces: readonly NetworkInterface[]): Interface[] {
  const names = new Map(interfaces.map(({ index, name }) => [index, name]));
  return interfaces.map(({ index, name, master, mac }) => {
    const bridge = master === undefined ? undefined : names.get(master);
    return {
      ifname: name,
      index,
      ...(bridge !== undefined && { bridge }),
      ...(mac !== undefined && { mac }),
    };
  });
}

/** What the network namespace of a connection has. */
export async function factsOf(nft: Pick<Connection, 'interfaces' | 'supports'>): Promise<Facts> {
  return {
    ibrname: await nft.supports('meta ibrname'),
    conntrack: await nft.supports('bridge ct'),
    reject: await nft.supports('bridge reject'),
    interfaces: await interfacesOf(nft),
  };
}
