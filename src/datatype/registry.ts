import { etherAddr, ipv4Addr, ipv6Addr, llAddr } from './addresses.ts';
import { bitmask, boolean, integer, verdict, xinteger } from './basic.ts';
import { cgroupsv2 } from './cgroup.ts';
import { ctDir, ctEvent, ctLabel, ctState, ctStatus } from './conntrack.ts';
import { type Datatype, DatatypeError } from './datatype.ts';
import { icmpCode, icmpType, icmpv6Code, icmpv6Type, icmpxCode, igmpType } from './icmp.ts';
import { ifaceIndex, ifname } from './interfaces.ts';
import { arpOp, etherType, ifaceType, pktType } from './link.ts';
import { classid, devgroup, mark, realm } from './marks.ts';
import { nearest } from './nearest.ts';
import { dscp, ecn, fibAddrtype, inetProto, inetService, nfProto } from './network.ts';
import { gid, uid } from './owners.ts';
import { string } from './strings.ts';
import { date, day, hour, time } from './time.ts';
import { dccpPkttype, mhType, tcpFlag } from './transport.ts';

/** Every data type under nft's name for it; `xinteger` and `date` are nft's second `integer` and `time`. */
export const datatypes = Object.freeze({
  verdict,
  nf_proto: nfProto,
  bitmask,
  integer,
  xinteger,
  string,
  ll_addr: llAddr,
  ipv4_addr: ipv4Addr,
  ipv6_addr: ipv6Addr,
  ether_addr: etherAddr,
  ether_type: etherType,
  arp_op: arpOp,
  inet_proto: inetProto,
  inet_service: inetService,
  icmp_type: icmpType,
  tcp_flag: tcpFlag,
  dccp_pkttype: dccpPkttype,
  mh_type: mhType,
  time,
  mark,
  iface_index: ifaceIndex,
  iface_type: ifaceType,
  realm,
  classid,
  uid,
  gid,
  ct_state: ctState,
  ct_dir: ctDir,
  ct_status: ctStatus,
  icmpv6_type: icmpv6Type,
  ct_label: ctLabel,
  pkt_type: pktType,
  icmp_code: icmpCode,
  icmpv6_code: icmpv6Code,
  icmpx_code: icmpxCode,
  devgroup,
  dscp,
  ecn,
  fib_addrtype: fibAddrtype,
  boolean,
  ct_event: ctEvent,
  ifname,
  igmp_type: igmpType,
  date,
  hour,
  day,
  cgroupsv2,
});

/** The name of a data type. */
export type DatatypeName = keyof typeof datatypes;

/**
 * The data type of a name.
 *
 * @throws DatatypeError when there is none, with the names most like it
 */
export function datatype(name: string): Datatype {
  if (Object.hasOwn(datatypes, name)) return datatypes[name as DatatypeName];
  throw new DatatypeError(
    'data type',
    name,
    `a known one (nearest: ${nearest(name, Object.keys(datatypes)).join(', ')})`,
  );
}

/**
 * The names that values of a type have, and their numbers, in nft's order: what `nft describe` prints. Empty for a
 * type whose values have none.
 */
export function symbolsOf(type: DatatypeName): ReadonlyMap<string, bigint> {
  return datatypes[type].symbols ?? new Map();
}

const idBits = 6;
const byId = new Map<number, Datatype>(
  Object.values(datatypes)
    .filter((type) => type !== xinteger)
    .map((type) => [type.id, type]),
);

/**
 * The number of a concatenation, as set declarations carry it: the types' numbers in a row, 6 bits each,
 * the first one highest. The number of a single type is its own. Of more than five types only the last
 * 32 bits are left, as nft has it too: what such a set is made of stands in its user data.
 */
export function concatId(types: readonly Datatype[]): number {
  return types.reduce((row, type) => ((row << idBits) | type.id) >>> 0, 0);
}

/**
 * The types that a number from a set declaration stands for, or undefined when it is not made of known ones.
 * Of a set of more than five types it says nothing, though it may look as if it did.
 */
export function splitConcatId(id: number): Datatype[] | undefined {
  if (id >= 1 << (5 * idBits)) return undefined;
  const types: Datatype[] = [];
  for (let rest = id; rest > 0; rest >>>= idBits) {
    const type = byId.get(rest & ((1 << idBits) - 1));
    if (type === undefined) return undefined;
    types.unshift(type);
  }
  return types.length > 0 ? types : undefined;
}
