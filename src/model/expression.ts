import type { AddressFamily, Integer } from './family.ts';
import type { DccpOption, Exthdr, IpOption, Payload, SctpChunk, TcpOption } from './payload.ts';
import type { CounterState, LastState, LimitState, QuotaState, Verdict } from './statement.ts';

/**
 * A literal. Two strings are special: `@name` refers to a named set or map, `*` matches everything that no
 * other element of a set does.
 */
export type Immediate = string | Integer | boolean;

/** Keys of `meta`, in nft's words (meta.c). */
export type MetaKey =
  | 'length'
  | 'protocol'
  | 'nfproto'
  | 'l4proto'
  | 'priority'
  | 'mark'
  | 'iif'
  | 'iifname'
  | 'iiftype'
  | 'iifkind'
  | 'iifgroup'
  | 'oif'
  | 'oifname'
  | 'oiftype'
  | 'oifkind'
  | 'oifgroup'
  | 'skuid'
  | 'skgid'
  | 'nftrace'
  | 'rtclassid'
  /** Name of the bridge that the frame came in through: family bridge (Linux 3.16). */
  | 'ibrname'
  | 'obrname'
  /** VLAN of the bridge port: family bridge (5.3). */
  | 'ibrpvid'
  | 'ibrvproto'
  /** The bridge's own MAC address: family bridge (6.18). */
  | 'ibrhwaddr'
  /** Write only: route the frame instead of bridging it (6.4). */
  | 'broute'
  | 'pkttype'
  | 'cpu'
  | 'cgroup'
  | 'random'
  | 'ipsec'
  | 'secmark'
  | 'sdif'
  | 'sdifname'
  | 'time'
  | 'day'
  | 'hour';

/** Older names of meta keys that nft's parser still takes. */
export type MetaKeyAlias = 'ibriport' | 'obriport' | 'ibridgename' | 'obridgename' | 'secpath';

/** Keys of `ct` (ct.c). */
export type CtKey =
  | 'state'
  | 'direction'
  | 'status'
  | 'mark'
  | 'secmark'
  | 'expiration'
  | 'helper'
  | 'label'
  | 'event'
  | 'id'
  | CtDirectionKey;

/** Keys of `ct` that belong to one direction of the connection, or may. */
export type CtDirectionKey =
  | 'l3proto'
  | 'protocol'
  | 'saddr'
  | 'daddr'
  | 'ip saddr'
  | 'ip daddr'
  | 'ip6 saddr'
  | 'ip6 daddr'
  | 'proto-src'
  | 'proto-dst'
  | 'bytes'
  | 'packets'
  | 'avgpkt'
  | 'zone';

export interface Ct {
  readonly key: CtKey;
  /** Only with keys of {@link CtDirectionKey}. */
  readonly dir?: 'original' | 'reply';
  /** With `saddr` and `daddr`, where the table does not tell. */
  readonly family?: AddressFamily;
}

export interface Rt {
  readonly key: 'classid' | 'nexthop' | 'mtu' | 'ipsec';
  /** With `nexthop`, where the table does not tell. */
  readonly family?: AddressFamily;
}

/** A counter or a random number, modulo `mod`, plus `offset` (Linux 4.9). */
export interface Numgen {
  readonly mode: 'inc' | 'random';
  readonly mod: number;
  readonly offset?: number;
}

/** Jenkins hash of an expression, modulo `mod`, plus `offset` (Linux 4.9). */
export interface Jhash {
  readonly mod: number;
  readonly offset?: number;
  readonly expr: Expression;
  readonly seed?: number;
}

/** Symmetric hash of the flow, modulo `mod`, plus `offset` (Linux 4.11). */
export interface Symhash {
  readonly mod: number;
  readonly offset?: number;
}

export type FibFlag = 'saddr' | 'daddr' | 'mark' | 'iif' | 'oif';

/** What the routing table says; families ip, ip6, inet (Linux 4.10). `check`: is there a route at all. */
export interface Fib {
  readonly result: 'oif' | 'oifname' | 'type' | 'check';
  readonly flags: FibFlag | readonly FibFlag[];
}

/** The local socket that a packet belongs to (Linux 4.10; wildcard 5.12, cgroupv2 5.13). */
export interface Socket {
  readonly key: 'transparent' | 'mark' | 'wildcard' | 'cgroupv2';
  /** With `cgroupv2`: which ancestor, counted from 1. nft's own JSON leaves it out. */
  readonly level?: number;
}

/** Passive fingerprint of the sender's operating system (Linux 5.0). */
export interface Osf {
  readonly key: 'name' | 'version';
  readonly ttl?: 'loose' | 'skip';
}

/** A transformation (xfrm) that the packet went or will go through (Linux 4.20). */
export interface Ipsec {
  readonly key: 'saddr' | 'daddr' | 'reqid' | 'spi';
  readonly dir: 'in' | 'out';
  /** Which one, counted from 0. */
  readonly spnum?: number;
  /** With `saddr` and `daddr`. */
  readonly family?: AddressFamily;
}

/** Metadata of the tunnel that the packet came through (Linux 4.20). */
export interface TunnelMeta {
  readonly key: 'path' | 'id';
}

/** An element of a set with what it carries beside its value. */
export interface Elem {
  readonly val: Expression;
  /** Seconds that it lives. */
  readonly timeout?: number;
  /** Seconds left. */
  readonly expires?: number;
  /** At most 128 bytes, kept in userdata. */
  readonly comment?: string;
  readonly counter?: CounterState | null;
  readonly quota?: QuotaState;
  readonly limit?: LimitState;
  readonly last?: LastState | null;
  readonly 'ct count'?: { readonly val: number; readonly inv?: boolean };
}

/** Operands of a binary operation: two, or more for the same operation from left to right. */
export type Operands = readonly [left: Expression, right: Expression, ...more: Expression[]];

/** Elements of an anonymous set, or pairs of key and value for an anonymous map. */
export type SetElements = Expression | readonly Expression[];

export type ConcatExpression = { readonly concat: readonly Expression[] };
export type SetExpression = { readonly set: SetElements };
/** The value that `data`, an anonymous map or the name of one (`@name`), has for `key`. */
export type MapExpression = { readonly map: { readonly key: Expression; readonly data: Expression } };
export type PrefixExpression = { readonly prefix: { readonly addr: Expression; readonly len: number } };
/** From the first to the second, both included. */
export type RangeExpression = { readonly range: readonly [low: Expression, high: Expression] };
export type PayloadExpression = { readonly payload: Payload };
export type ExthdrExpression = { readonly exthdr: Exthdr };
export type TcpOptionExpression = { readonly 'tcp option': TcpOption };
export type IpOptionExpression = { readonly 'ip option': IpOption };
export type SctpChunkExpression = { readonly 'sctp chunk': SctpChunk };
export type DccpOptionExpression = { readonly 'dccp option': DccpOption };
export type MetaExpression = { readonly meta: { readonly key: MetaKey | MetaKeyAlias } };
export type RtExpression = { readonly rt: Rt };
export type CtExpression = { readonly ct: Ct };
export type NumgenExpression = { readonly numgen: Numgen };
export type JhashExpression = { readonly jhash: Jhash };
export type SymhashExpression = { readonly symhash: Symhash };
export type FibExpression = { readonly fib: Fib };
export type BinaryExpression =
  | { readonly '|': Operands }
  | { readonly '^': Operands }
  | { readonly '&': Operands }
  | { readonly '<<': Operands }
  | { readonly '>>': Operands };
export type ElemExpression = { readonly elem: Elem };
export type SocketExpression = { readonly socket: Socket };
export type OsfExpression = { readonly osf: Osf };
export type IpsecExpression = { readonly ipsec: Ipsec };
export type TunnelExpression = { readonly tunnel: TunnelMeta };

/**
 * Something that has a value: a literal, a part of the packet, or what becomes of them. An object of this
 * type has exactly one key, which says what it is. A plain array is a list, such as the flags
 * `['established', 'related']`.
 */
export type Expression =
  | Immediate
  | readonly Expression[]
  | ConcatExpression
  | SetExpression
  | MapExpression
  | PrefixExpression
  | RangeExpression
  | PayloadExpression
  | ExthdrExpression
  | TcpOptionExpression
  | IpOptionExpression
  | SctpChunkExpression
  | DccpOptionExpression
  | MetaExpression
  | RtExpression
  | CtExpression
  | NumgenExpression
  | JhashExpression
  | SymhashExpression
  | FibExpression
  | BinaryExpression
  | Verdict
  | ElemExpression
  | SocketExpression
  | OsfExpression
  | IpsecExpression
  | TunnelExpression;
