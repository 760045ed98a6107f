import { type Connection, NetlinkSocketError } from '../../index.ts';
import { type Block, cidr, WIDTH } from '../address.ts';
import { TABLE } from '../table.ts';

/** An element that says what a port has learnt. */
export interface LearntElement {
  readonly family: 'bridge' | 'netdev';
  readonly ifname: string;
  readonly mac: string;
  readonly address: Block;
  readonly seconds: number;
}

/** Tells learnt addresses apart. */
export const keyOf = (ifname: string, mac: string, { text }: Block) => `${ifname} ${mac} ${text}`;

/** The learnt addresses in the kernel, by {@link keyOf}. */
export async function learntInKernel(nft: Pick<Connection, 'list'>): Promise<Map<string, LearntElement>> {
  const found = new Map<string, LearntElement>();
  for (const family of ['bridge', 'netdev'] as const) {
    for (const version of ['ip', 'ip6'] as const) {
      for (const one of await elementsOf(nft, family, `learned_${version}`)) {
        found.set(keyOf(one.ifname, one.mac, one.address), one);
      }
    }
  }
  return found;
}

async function elementsOf(
  nft: Pick<Connection, 'list'>,
  family: LearntElement['family'],
  set: string,
): Promise<LearntElement[]> {
  try {
    const { nftables } = await nft.list({ family, table: TABLE, set });
    const elements = nftables.flatMap((one) => ('set' in one ? (one.set.elem ?? []) : []));
    return elements.flatMap((element) => learntOf(family, element));
  } catch (error) {
    if (error instanceof NetlinkSocketError && error.code === 'ENOENT') return [];
    throw error;
  }
}

function learntOf(family: LearntElement['family'], element: unknown): LearntElement[] {
  const { elem } = element as { elem?: { val: unknown; expires?: number; timeout?: number } };
  const { concat } = (elem?.val ?? element) as { concat?: readonly unknown[] };
  const [ifname, mac, text] = concat ?? [];
  if (typeof ifname !== 'string' || typeof mac !== 'string' || typeof text !== 'string') return [];
  const seconds = elem?.expires ?? elem?.timeout ?? Number.POSITIVE_INFINITY;
  const prefix = cidr(`${text}/${text.includes(':') ? WIDTH.ip6 : WIDTH.ip}`);
  return [{ family, ifname, mac, address: { ...prefix, text }, seconds }];
}
