import { alice, bob, carol, dave, type Machine, outsiders, router } from '../network.ts';
import { type Arp, announcement, arp, BROADCAST, concat, ethernet } from '../packet/index.ts';
import { drop, pass, type Row, type Section } from './row.ts';

const ANY = '0.0.0.0';
const toAll = { src: alice.mac, dst: BROADCAST };
const toBob = { src: alice.mac, dst: bob.mac };

const query: Arp = { op: 1, sha: alice.mac, spa: alice.ipv4, tpa: bob.ipv4 };
const answer: Arp = { op: 2, sha: alice.mac, spa: alice.ipv4, tha: bob.mac, tpa: bob.ipv4 };
const probe: Arp = { op: 1, sha: alice.mac, spa: ANY, tpa: alice.ipv4 };

const spoiled = (name: string, change: Partial<Arp>): Row =>
  drop(name, alice, ethernet(toAll, arp({ ...query, ...change })));

const gratuitous = (who: Machine): Buffer =>
  ethernet({ src: who.mac, dst: BROADCAST }, arp({ op: 1, sha: who.mac, spa: who.ipv4, tpa: who.ipv4 }));

/** Everyone says where they are: these rows come first, so that the bridges know. */
export const announcements: Section = {
  title: 'Announcements',
  because:
    'Everyone may say where it is: a gratuitous request from the own MAC for the own address (RFC 5227 2.3).',
  rows: [alice, bob, router, carol, dave, ...outsiders].map((who) =>
    pass(`${who.port} announces its address`, who, gratuitous(who)),
  ),
};

export const addressResolution: Section = {
  title: 'ARP',
  because:
    "ARP has no proof of its own (RFC 826): the sender's two addresses must be the port's, header and operation what IPv4 on Ethernet has, and only the owner probes for an address (RFC 5227 2.1.1). Foreign gratuitous ARP is how arpspoof takes a gateway over.",
  rows: [
    pass('request', alice, ethernet(toAll, arp(query))),
    pass('request to one', alice, ethernet(toBob, arp(query)), [bob]),
    pass('reply', alice, ethernet(toBob, arp(answer)), [bob]),
    pass('gratuitous reply', alice, ethernet(toAll, arp({ ...answer, tha: BROADCAST, tpa: alice.ipv4 }))),
    pass('probe for the own address', alice, ethernet(toAll, arp(probe))),
    spoiled("sender MAC the neighbour's", { sha: bob.mac }),
    spoiled("sender address the neighbour's", { spa: bob.ipv4 }),
    spoiled("sender address the router's", { spa: router.ipv4 }),
    spoiled("gratuitous request for the neighbour's address", { spa: bob.ipv4, tpa: bob.ipv4 }),
    drop(
      "reply with the neighbour's address",
      alice,
      ethernet({ src: alice.mac, dst: router.mac }, arp({ ...answer, spa: bob.ipv4, tpa: router.ipv4 })),
    ),
    drop("reply with the neighbour's MAC", alice, ethernet(toBob, arp({ ...answer, sha: router.mac }))),
    spoiled("probe for the neighbour's address", { spa: ANY, tpa: bob.ipv4 }),
    spoiled("request from the neighbour's address for the own", { spa: bob.ipv4, tpa: alice.ipv4 }),
    spoiled('probe as a reply', { ...probe, op: 2 }),
    spoiled("probe with the neighbour's MAC", { ...probe, sha: bob.mac }),
    ...[0, 3, 4, 5, 8, 9, 10, 0x0100, 0xffff].map((op) => spoiled(`operation ${op}`, { op })),
    spoiled('hardware not Ethernet', { htype: 6 }),
    spoiled('protocol not IPv4', { ptype: 0x86dd }),
    spoiled('hardware addresses of 8 bytes', { hlen: 8 }),
    spoiled('protocol addresses of 16 bytes', { plen: 16 }),
    spoiled('no lengths', { hlen: 0, plen: 0 }),
    drop('cut off behind the sender MAC', alice, ethernet(toAll, arp(query)).subarray(0, 14 + 14)),
  ],
};

const wrong = (name: string, change: Partial<Arp>): Row =>
  drop(name, alice, ethernet(toAll, announcement(alice.mac, change)));

export const reverseResolution: Section = {
  title: 'RARP',
  because:
    "QEMU announces a migrated guest by one exact RARP frame (RFC 903); any other would move a MAC or an address in somebody's tables.",
  rows: [
    pass('the announcement of a migrated VM', alice, ethernet(toAll, announcement(alice.mac))),
    drop('announcement to one', alice, ethernet(toBob, announcement(alice.mac))),
    wrong('announcement as ARP op 1', { op: 1 }),
    wrong('reverse reply', { op: 4 }),
    wrong("sender MAC the neighbour's", { sha: bob.mac }),
    wrong("target MAC the neighbour's", { tha: bob.mac }),
    wrong('a sender address, even the own', { spa: alice.ipv4 }),
    wrong('a target address', { tpa: bob.ipv4 }),
    wrong('hardware not Ethernet', { htype: 6 }),
    drop("announcement of the neighbour's MAC", alice, ethernet(toAll, announcement(bob.mac))),
    drop(
      'announcement in an ARP frame',
      alice,
      ethernet(toAll, { ...announcement(alice.mac), ethertype: 0x0806 }),
    ),
    drop('cut off', alice, concat(ethernet(toAll, announcement(alice.mac))).subarray(0, 14 + 20)),
  ],
};
