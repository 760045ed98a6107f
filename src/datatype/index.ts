export { etherAddr, ipv4Addr, ipv6Addr, llAddr } from './addresses.ts';
export { bitmask, boolean, integer, splitFlags, verdict, xinteger } from './basic.ts';
export { type ByteOrder, fromBytes, hostIsLittleEndian, toBytes } from './byteorder.ts';
export { cgroupsv2 } from './cgroup.ts';
export { ctDir, ctEvent, ctLabel, ctState, ctStatus } from './conntrack.ts';
export {
  type Datatype,
  DatatypeError,
  formatText,
  isPackable,
  type Literal,
  packLiteral,
} from './datatype.ts';
export { icmpCode, icmpType, icmpv6Code, icmpv6Type, icmpxCode, igmpType } from './icmp.ts';
export {
  type Elsewhere,
  InterfacesUnread,
  type InterfaceTable,
  ifaceIndex,
  ifname,
  withInterfaces,
} from './interfaces.ts';
export { arpOp, etherType, ifaceType, pktType } from './link.ts';
export { classid, devgroup, mark, realm } from './marks.ts';
export { dscp, ecn, fibAddrtype, inetProto, inetService, nfProto } from './network.ts';
export { gid, uid } from './owners.ts';
export { quoted } from './quoted.ts';
export { concatId, type DatatypeName, datatype, datatypes, splitConcatId, symbolsOf } from './registry.ts';
export { type Scan, scannedAll } from './scan.ts';
export { string } from './strings.ts';
export { date, day, hour, time } from './time.ts';
export { dccpPkttype, mhType, tcpFlag } from './transport.ts';
