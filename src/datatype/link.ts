import type { Datatype } from './datatype.ts';
import { symbolic } from './symbolic.ts';

/** The protocol inside a frame (EtherType). */
export const etherType: Datatype = symbolic({
  name: 'ether_type',
  id: 10,
  bits: 16,
  byteorder: 'network',
  hexDigits: 4,
  symbols: {
    ip: 0x0800,
    arp: 0x0806,
    ip6: 0x86dd,
    '8021q': 0x8100,
    '8021ad': 0x88a8,
    vlan: 0x8100,
  },
});

/** What an ARP packet asks or answers. */
export const arpOp: Datatype = symbolic({
  name: 'arp_op',
  id: 11,
  bits: 16,
  byteorder: 'network',
  symbols: {
    request: 1,
    reply: 2,
    rrequest: 3,
    rreply: 4,
    inrequest: 8,
    inreply: 9,
    nak: 10,
  },
});

/** The kind of hardware an interface is (`ARPHRD_*`). */
export const ifaceType: Datatype = symbolic({
  name: 'iface_type',
  id: 21,
  bits: 16,
  byteorder: 'host',
  symbols: {
    ether: 1,
    ppp: 512,
    ipip: 768,
    ipip6: 769,
    loopback: 772,
    sit: 776,
    ipgre: 778,
  },
});

/** To whom a frame is addressed. */
export const pktType: Datatype = symbolic({
  name: 'pkt_type',
  id: 31,
  bits: 8,
  byteorder: 'host',
  symbols: {
    host: 0,
    unicast: 0,
    broadcast: 1,
    multicast: 2,
    other: 3,
  },
});
