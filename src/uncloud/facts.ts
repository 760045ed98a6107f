import type { Connection } from '../index.ts';

/** An interface that exists on this host. */
export interface Interface {
  readonly ifname: string;
  /** The bridge that it is a port of. */
  readonly bridge?: string;
}

/** What this host's kernel can do and has, as far as rules depend on it. */
export interface Facts {
  /** Whether the kernel has `meta ibrname` (NFT_BRIDGE_META). */
  readonly ibrname?: boolean;
  /** The interfaces there are: netdev chains can only be hooked to those. */
  readonly interfaces?: readonly Interface[];
}

/** What the network namespace of a connection has. */
export async function factsOf(nft: Connection): Promise<Facts> {
  const interfaces = await nft.interfaces();
  const names = new Map(interfaces.map(({ index, name }) => [index, name]));
  return {
    ibrname: await nft.supports('meta ibrname'),
    interfaces: interfaces.map(({ name, master }) => {
      const bridge = master === undefined ? undefined : names.get(master);
      return { ifname: name, ...(bridge !== undefined && { bridge }) };
    }),
  };
}
