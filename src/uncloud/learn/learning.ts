import { type Block, blocksIn, blockTexts, overlap, type Prefix } from '../address.ts';
import { list, mac, object, parsed, peerBlock, text } from '../check.ts';
import { Refused } from '../problem.ts';

/** How a host learns addresses: its key `learning`. */
export interface Learning {
  /** The group of the log statements; nobody else may listen to it. */
  readonly group: number;
  /**
   * Whose DHCP answers count, wherever they come from: MACs, and addresses or blocks of them. Left out: of whoever is
   * behind no port of a VM.
   */
  readonly servers?: { readonly macs: readonly string[]; readonly addresses: readonly string[] };
  /** Addresses that nobody learns, routers' for instance; blocks, canonical. */
  readonly reserved: readonly string[];
  /** How many addresses a NIC may learn, beside those that its record has. */
  readonly ipv4: number;
  readonly ipv6: number;
  /** For how many seconds an address of a first packet is known; left out: until it is forgotten. */
  readonly timeout?: number;
}

/** What holds where a host says nothing. */
export const LEARNING: Learning = Object.freeze({ group: 546, reserved: [], ipv4: 1, ipv6: 4 });

const MOST = { group: 0xffff, servers: 256, reserved: 1024, addresses: 64, timeout: 10 * 365 * 86_400 };

function whole(value: unknown, path: string, least: number, most: number): number {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < least || value > most)
    throw new Refused(path, `not a whole number from ${least} to ${most}`);
  return value;
}

/** Reads a host's `learning`; every key of it may be left out. */
export function parseLearning(value: unknown, path: string): Learning {
  const fields = object(value, path, ['group', 'servers', 'reserved', 'ipv4', 'ipv6', 'timeout']);
  const number = (key: 'group' | 'ipv4' | 'ipv6', least: number, most: number) =>
    fields[key] === undefined ? LEARNING[key] : whole(fields[key], `${path}.${key}`, least, most);
  const reserved = list(fields.reserved, `${path}.reserved`, MOST.reserved).map((entry, i) =>
    parsed(`${path}.reserved[${i}]`, () => peerBlock(text(entry, `${path}.reserved[${i}]`))),
  );
  return {
    group: number('group', 0, MOST.group),
    ...(fields.servers !== undefined && { servers: servers(fields.servers, `${path}.servers`) }),
    reserved: blockTexts(reserved),
    ipv4: number('ipv4', 1, MOST.addresses),
    ipv6: number('ipv6', 1, MOST.addresses),
    ...(fields.timeout !== undefined && {
      timeout: whole(fields.timeout, `${path}.timeout`, 1, MOST.timeout),
    }),
  };
}

function servers(value: unknown, path: string): NonNullable<Learning['servers']> {
  const macs = new Set<string>();
  const blocks: Prefix[] = [];
  for (const [i, entry] of list(value, path, MOST.servers).entries()) {
    const at = `${path}[${i}]`;
    const said = text(entry, at);
    if (/^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/i.test(said)) macs.add(mac(said, at));
    else blocks.push(parsed(at, () => peerBlock(said)));
  }
  if (macs.size + blocks.length === 0) throw new Refused(path, 'nobody: leave it out, or name a server');
  return { macs: [...macs].sort(), addresses: blockTexts(blocks) };
}

/** Whether a block has the address in it. */
export function isReserved({ reserved }: Learning, address: Block): boolean {
  return blocksIn(reserved).some((block) => overlap(block, address));
}
