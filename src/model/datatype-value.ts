import type { Integer } from './family.ts';

/** A number, or a symbol that stands for one (`22` or `ssh`, `0x10` or 16). */
type Symbolic = string | number;

/**
 * How values of nft's datatypes are written, by datatype: the types that a set's key or data may have
 * (`nft describe TYPE`). Addresses and names are text; whatever has symbols takes a symbol or a number.
 */
export interface DatatypeValue {
  nf_proto: Symbolic;
  integer: Integer | string;
  xinteger: Integer | string;
  bitmask: Integer | string;
  string: string;
  ll_addr: string;
  ether_addr: string;
  ether_type: Symbolic;
  arp_op: Symbolic;
  ipv4_addr: string;
  ipv6_addr: string;
  inet_proto: Symbolic;
  inet_service: Symbolic;
  icmp_type: Symbolic;
  icmp_code: Symbolic;
  icmpv6_type: Symbolic;
  icmpv6_code: Symbolic;
  icmpx_code: Symbolic;
  igmp_type: Symbolic;
  tcp_flag: Symbolic;
  dccp_pkttype: Symbolic;
  mh_type: Symbolic;
  dscp: Symbolic;
  ecn: Symbolic;
  mark: Symbolic;
  realm: Symbolic;
  classid: Symbolic;
  iface_index: Symbolic;
  iface_type: Symbolic;
  ifname: string;
  uid: Symbolic;
  gid: Symbolic;
  pkt_type: Symbolic;
  devgroup: Symbolic;
  cgroupsv2: Symbolic;
  time: Integer | string;
  date: Integer | string;
  hour: Symbolic;
  day: Symbolic;
  ct_state: Symbolic;
  ct_dir: Symbolic;
  ct_status: Symbolic;
  ct_label: Symbolic;
  ct_event: Symbolic;
  fib_addrtype: Symbolic;
  boolean: boolean | number;
}

/** nft's name of a datatype that a set's key or data can have. */
export type DatatypeName = keyof DatatypeValue;
