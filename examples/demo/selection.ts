import type { Outcome } from '../../test/support/frames/run.ts';

/** The frames worth a look, by the section of the catalogue that they are in. */
const SELECTED: Readonly<Record<string, readonly string[]>> = {
  'From the uplink': ['router advertisement', 'DHCP offer to one'],
  'A port that no VM lists': ['ARP', 'IPv4 of a VM to its MAC'],
  'Ethertype, by the link header': [
    'router advertisement, VID 0',
    'router advertisement, VID 5',
    'router advertisement, 802.1ad VID 0',
    'router advertisement, VID 0 twice',
    'router advertisement in LLC/SNAP',
    'LLDP to all',
  ],
  'Source MAC': [
    "own IPv4 from the neighbour's MAC",
    "own IPv4 from the bridge's MAC",
    'own MAC, own address',
  ],
  ARP: [
    'request',
    'reply',
    'probe for the own address',
    "sender MAC the neighbour's",
    "reply with the neighbour's address",
    "gratuitous request for the neighbour's address",
    "probe for the neighbour's address",
  ],
  RARP: ['the announcement of a migrated VM', "announcement of the neighbour's MAC"],
  'IPv4 source': ['TCP', 'UDP', 'from 10.0.0.2', "later fragment from the neighbour's address"],
  DHCP: ['discover', 'discover, first fragment', 'server: offer'],
  IGMP: ['version 3 report', 'query'],
  'IPv6 source': [
    'TCP',
    'from a delegated network',
    'from the link-local address',
    'from 2a0a:e5c1:111:888:0:f0ff:fea9:c450',
  ],
  'IPv6 fragments': ['first fragment with its headers', 'first fragment ends with its options'],
  'Neighbour solicitation': [
    'resolves a neighbour',
    'duplicate probe for 2a0a:e5c1:111:888:0:f0ff:fea9:c44f',
    'duplicate probe for 2a0a:e5c1:111:888:0:f0ff:fea9:c450',
    "link-layer address the neighbour's",
  ],
  'Neighbour advertisement': [
    'for 2a0a:e5c1:111:888:0:f0ff:fea9:c44f',
    'for 2a0a:e5c1:111:888:0:f0ff:fea9:c450',
    "for the neighbour's address, to the router",
    'router flag',
  ],
  'ICMPv6 of routers': [
    'solicitation',
    'advertisement',
    'advertisement behind hop-by-hop options',
    'advertisement in an atomic fragment',
    'redirect',
  ],
  MLD: ['version 2 report', 'version 2 query'],
  DHCPv6: ['solicit', 'server: advertise', 'server: advertise behind destination options'],
  'Frames to 01:80:c2:00:00:0X': ['LLC to 01:80:c2:00:00:00, spoofed', 'LLDP to 01:80:c2:00:00:0e, spoofed'],
  'To the VM': ["to a VM's MAC", 'to a MAC that nobody knows, from the uplink'],
  'Private network': [
    'router advertisement',
    'DHCP offer',
    'router advertisement, VID 0',
    "IPv4 from the neighbour's address",
  ],
  'A bridge that is not managed': ['any address'],
};

/**
 * Those outcomes, in the catalogue's order.
 *
 * @throws Error when the catalogue has no such frame any more
 */
export function selection(outcomes: readonly Outcome[]): Outcome[] {
  const chosen = outcomes.filter(({ section, row }) => SELECTED[section]?.includes(row.name));
  for (const [section, names] of Object.entries(SELECTED)) {
    const missing = names.find(
      (name) => !chosen.some((one) => one.section === section && one.row.name === name),
    );
    if (missing !== undefined) throw new Error(`the catalogue has no “${missing}” in “${section}”`);
  }
  return chosen;
}
