import { hostIsLittleEndian, ipv4Addr, ipv6Addr, toBytes } from '../datatype/index.ts';
import { AttributeWriter } from '../wire/attribute-writer.ts';
import { type NetlinkFrame, NLM, netlinkRequest } from '../wire/netlink.ts';
import { bytes, decodeOpen, encode, host32, optional } from '../wire/schema.ts';
import { RTM } from './message.ts';

/** RTN_* of linux/rtnetlink.h, in its order. */
const TYPES = [
  'unspec',
  'unicast',
  'local',
  'broadcast',
  'anycast',
  'multicast',
  'blackhole',
  'unreachable',
  'prohibit',
  'throw',
  'nat',
  'xresolve',
] as const;

/** AF_* of sys/socket.h, and how addresses are written. */
const FAMILIES = {
  ip: { number: 2, bits: 32, type: ipv4Addr },
  ip6: { number: 10, bits: 128, type: ipv6Addr },
} as const;

/** What happens to packets that a route is for: the words of ip-route(8). */
export type RouteType = (typeof TYPES)[number];

/** An entry of a routing table. */
export interface Route {
  readonly family: 'ip' | 'ip6';
  /** A block in canonical text; `0.0.0.0/0` and `::/0` are the default route. */
  readonly dst: string;
  readonly type: RouteType;
  /** 254 is `main`. */
  readonly table: number;
  /** Of several routes to a block, the one with the lowest counts. */
  readonly metric: number;
  /** Who made it: RTPROT_* of linux/rtnetlink.h, or a number of one's own. */
  readonly protocol: number;
  /** The address that packets are handed to. */
  readonly gateway?: string;
  /** The index of the interface that they go out through. */
  readonly oif?: number;
  /** The gateway is on that link, whatever addresses the link has (`onlink`). */
  readonly onlink?: true;
  /** There are several next hops, or one that is an object of its own: they are not told here. */
  readonly manifold?: true;
}

/** RTNLGRP_IPV4_ROUTE and RTNLGRP_IPV6_ROUTE of linux/rtnetlink.h. */
export const ROUTE_GROUPS = [7, 11];

/** struct rtmsg: family, dst_len, src_len, tos, table, protocol, scope, type, then flags in four bytes. */
const RTMSG = 12;
const RTM_F_CLONED = 0x200;
const RTNH_F_ONLINK = 4;
const RT_TABLE_COMPAT = 252;

/** RTA_* of linux/rtnetlink.h: integers are in host order. */
const attributes = {
  dst: optional(1, bytes),
  oif: optional(4, host32),
  gateway: optional(5, bytes),
  metric: optional(6, host32),
  multipath: optional(9, bytes),
  table: optional(15, host32),
  via: optional(18, bytes),
  nexthop: optional(30, host32),
};

/** What can be done with a route. */
export interface RouteChange {
  /**
   * - `create`: refused with EEXIST where there is one to the same block with the same metric in the table
   * - `replace`: puts it in the place of that one, whosever it is
   * - `delete`: takes away one that is the same in all that is told of it, its protocol included
   */
  readonly verb: 'create' | 'replace' | 'delete';
  readonly route: Route;
}

const VERBS = {
  create: [RTM.newRoute, NLM.CREATE | NLM.EXCL],
  replace: [RTM.newRoute, NLM.CREATE | NLM.REPLACE],
  delete: [RTM.delRoute, 0],
} as const;

/** Which routes to list: those of whom, and in which table. */
export interface RouteFilter {
  readonly family: 'ip' | 'ip6';
  readonly table?: number | undefined;
  readonly protocol?: number | undefined;
}

/** Asks for routes. A kernel before 4.20 answers with all of the family. */
export function routesRequest({ family, table = 0, protocol = 0 }: RouteFilter): Uint8Array {
  return netlinkRequest(RTM.getRoute, NLM.DUMP, 1, rtmsg(FAMILIES[family].number, { table, protocol }));
}

/** A change as a request that is acknowledged. */
export function routeRequest({ verb, route }: RouteChange, sequence: number): Uint8Array {
  const { family, dst, type, table, metric, protocol, gateway, oif, onlink } = route;
  const { number, bits, type: address } = FAMILIES[family];
  const [text = '', length] = dst.split('/');
  const addressBytes = (value: string) => toBytes(address.parse(value), bits / 8, 'network');
  const body = rtmsg(
    number,
    { table, protocol },
    {
      length: Number(length),
      type: TYPES.indexOf(type),
      flags: onlink ? RTNH_F_ONLINK : 0,
    },
    {
      ...(Number(length) > 0 && { dst: addressBytes(text) }),
      ...(gateway !== undefined && { gateway: addressBytes(gateway) }),
      ...(oif !== undefined && { oif }),
      ...(metric !== 0 && { metric }),
    },
  );
  const [message, flags] = VERBS[verb];
  return netlinkRequest(message, flags | NLM.ACK, sequence, body);
}

function rtmsg(
  family: number,
  { table, protocol }: { readonly table: number; readonly protocol: number },
  { length = 0, type = 0, flags = 0 } = {},
  more: Parameters<typeof encode<typeof attributes>>[1] = {},
): Uint8Array {
  const writer = new AttributeWriter(64);
  writer.reserve(RTMSG);
  const isWide = table > 255;
  encode(attributes, { ...more, ...(isWide && { table }) }, writer);
  const body = writer.bytes();
  body.set([family, length, 0, 0, isWide ? RT_TABLE_COMPAT : table, protocol, 0, type]);
  new DataView(body.buffer, body.byteOffset).setUint32(8, flags, hostIsLittleEndian);
  return body;
}

/** A route that is new or not as it was, or that is gone. */
export interface RouteNews {
  readonly gone: boolean;
  readonly route: Route;
}

/** What a message says of a route; nothing where it speaks of something else. */
export function routeIn({ type: message, body }: NetlinkFrame): RouteNews | undefined {
  if (message !== RTM.newRoute && message !== RTM.delRoute) return undefined;
  const [number, length, , , narrow = 0, protocol = 0, , type = 0] = body;
  const family = number === FAMILIES.ip.number ? 'ip' : number === FAMILIES.ip6.number ? 'ip6' : undefined;
  const flags = new DataView(body.buffer, body.byteOffset).getUint32(8, hostIsLittleEndian);
  if (family === undefined || (flags & RTM_F_CLONED) !== 0) return undefined;
  const { type: address, bits } = FAMILIES[family];
  const { value } = decodeOpen(attributes, body, RTMSG);
  const text = (found: Uint8Array) => String(address.unpack?.(found, 0));
  const gateway = value.gateway === undefined ? {} : { gateway: text(value.gateway) };
  const isManifold = value.multipath ?? value.via ?? value.nexthop;
  const route: Route = {
    family,
    dst: `${text(value.dst ?? new Uint8Array(bits / 8))}/${length}`,
    type: TYPES[type] ?? 'unspec',
    table: value.table ?? narrow,
    metric: value.metric ?? 0,
    protocol,
    ...gateway,
    ...(value.oif !== undefined && { oif: value.oif }),
    ...((flags & RTNH_F_ONLINK) !== 0 && { onlink: true as const }),
    ...(isManifold !== undefined && { manifold: true as const }),
  };
  return { gone: message === RTM.delRoute, route };
}
