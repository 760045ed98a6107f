import type { Header } from './header.ts';
import { header } from './header.ts';
import { arp, ether, etherTypes } from './link.ts';
import { lookup } from './lookup.ts';
import { ip, ip6 } from './network.ts';

/** A table's family. */
export type FamilyName = 'ip' | 'ip6' | 'inet' | 'arp' | 'bridge' | 'netdev';

/**
 * What stands for the link layer in the inet family: there is none to look at, but `meta nfproto` says
 * which network header follows.
 */
export const inet = header(
  {
    name: 'inet',
    id: 0,
    base: 'link',
    keyMeta: 'nfproto',
    next: [
      [2, 'ip'],
      [10, 'ip6'],
    ],
  },
  [],
);

/**
 * The link layer of the netdev family, of whatever device: `meta protocol` says what follows. Inside a
 * tunnel the context starts here too, whatever the family; there no device type is asked for.
 */
export const netdev = header(
  { name: 'netdev', id: 0, base: 'link', keyMeta: 'protocol', next: etherTypes },
  [],
);

/**
 * What stands for the network layer when a rule matches a transport header and no network protocol has
 * been decided (inet, bridge, netdev): `meta l4proto` says what follows.
 */
export const inetService = header(
  {
    name: 'inet-service',
    id: 0,
    base: 'network',
    keyMeta: 'l4proto',
    next: ip6.next,
  },
  [],
);

/** What is known about a packet before a rule's first match (nft's hook_proto_desc). */
export interface Family {
  readonly name: FamilyName;
  /** NFPROTO_* of linux/netfilter.h: the family of a nf_tables message. */
  readonly number: number;
  /** The header that every packet of the family has, and with it the layer where the context starts. */
  readonly header: Header;
  /**
   * Network headers that nft asks for through `meta protocol` ({@link netdev}) although the link header
   * has a field for it, so that they are found behind a VLAN tag too. Not so once a rule has matched a
   * header between the two.
   */
  readonly viaMetaProtocol: readonly string[];
}

function family(
  name: FamilyName,
  number: number,
  first: Header,
  viaMetaProtocol: readonly string[] = [],
): Family {
  return Object.freeze({ name, number, header: first, viaMetaProtocol });
}

/** Every family by name. */
export const families: Readonly<Record<FamilyName, Family>> = Object.freeze({
  inet: family('inet', 1, inet),
  ip: family('ip', 2, ip),
  arp: family('arp', 3, arp),
  netdev: family('netdev', 5, netdev),
  bridge: family('bridge', 7, ether, ['ip', 'ip6']),
  ip6: family('ip6', 10, ip6),
});

/**
 * `meta iiftype` values (ARPHRD_* of linux/if_arp.h) and the link header that they promise: how nft checks
 * for Ethernet before it reads an Ethernet header in a family other than bridge.
 */
export const deviceTypes: readonly (readonly [iiftype: number, header: string])[] = Object.freeze([
  Object.freeze([1, 'ether'] as const),
]);

/**
 * The family called `name`.
 *
 * @throws ProtocolLookupError listing the families there are
 */
export function findFamily(name: string): Family {
  return lookup('family', families, name);
}

/** The family with the kernel's number, where nf_tables has one. */
export function familyByNumber(number: number): Family | undefined {
  return Object.values(families).find((entry) => entry.number === number);
}
