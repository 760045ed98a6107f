import type { Expression, MapExpression } from './expression.ts';
import type { AddressFamily, Integer } from './family.ts';
import type { TcpOptionFields } from './payload.ts';
import type { OwnSet } from './set.ts';

/** What becomes of a packet; also the values of a verdict map. `jump` and `goto` name a regular chain. */
export type Verdict =
  | { readonly accept: null }
  | { readonly drop: null }
  | { readonly continue: null }
  | { readonly return: null }
  | { readonly jump: { readonly target: string } }
  | { readonly goto: { readonly target: string } };

/**
 * How a match compares. `in`: any of these flags, or a member of this list; `!`: none of these flags.
 * A set on the right takes `==` (member) or `!=` (no member).
 */
export type MatchOperator = '==' | '!=' | '<' | '>' | '<=' | '>=' | 'in' | '!';

/** The rule goes on where the comparison holds. */
export interface Match {
  readonly op: MatchOperator;
  readonly left: Expression;
  readonly right: Expression;
}

/** State of a counter in a rule or element: 64-bit values, 0 where left out. */
export interface CounterState {
  readonly packets?: Integer;
  readonly bytes?: Integer;
}

export type ByteUnit = 'bytes' | 'kbytes' | 'mbytes';

/** A quota in a rule or element: matches until `val` is used up, with `inv` from then on. */
export interface QuotaState {
  readonly val: Integer;
  /** Default `bytes`. */
  readonly val_unit?: ByteUnit;
  readonly used?: Integer;
  readonly used_unit?: ByteUnit;
  readonly inv?: boolean;
}

export type LimitUnit = 'packets' | 'bytes';
export type RateUnit = LimitUnit | ByteUnit;
export type TimeUnit = 'second' | 'minute' | 'hour' | 'day' | 'week';

/** A limit in a rule or element: matches up to the rate, with `inv` above it. */
export interface LimitState {
  readonly rate: Integer;
  /** Default `packets`. */
  readonly rate_unit?: RateUnit;
  readonly per: TimeUnit;
  /** Default 5 packets, or 0 bytes. */
  readonly burst?: Integer;
  /** Ignored where the rate counts packets; default `bytes`. */
  readonly burst_unit?: RateUnit;
  readonly inv?: boolean;
}

/** When a rule was last reached: `used` is milliseconds ago, absent when never (Linux 5.14). */
export interface LastState {
  readonly used?: Integer;
}

/** Sets a part of the packet or its metadata: `key` a payload, exthdr, meta, ct or tcp option expression. */
export interface Mangle {
  readonly key: Expression;
  readonly value: Expression;
}

/** Sends the packet out through `dev`; family netdev (Linux 4.8), `addr` 4.18. */
export interface Fwd {
  readonly dev: Expression;
  /** `family` and `addr` come together: the neighbour that gets the packet. */
  readonly family?: AddressFamily;
  readonly addr?: Expression;
}

/** Sends a copy: families ip, ip6, inet to `addr` (Linux 4.3), netdev through `dev` (4.8). */
export interface Dup {
  readonly addr?: Expression;
  readonly dev?: Expression;
}

export type NatFlag = 'random' | 'fully-random' | 'persistent' | 'netmap';
export type NatTypeFlag = 'interval' | 'prefix' | 'concat';

/** Where masquerade and redirect translate to; chains of type nat. */
export interface NatPort {
  readonly port?: Expression;
  readonly flags?: NatFlag | readonly NatFlag[];
}

/** Where snat (postrouting, input) and dnat (prerouting, output) translate to. */
export interface Nat extends NatPort {
  readonly addr?: Expression;
  /** Of `addr`; needed in tables of family inet. */
  readonly family?: AddressFamily;
  /** What `addr` gives: an interval, a prefix (`netmap`), an address and a port together (`concat`). */
  readonly type_flags?: NatTypeFlag | readonly NatTypeFlag[];
}

/**
 * Refuses the packet and tells the sender, by default with port-unreachable. Families ip, ip6, inet at
 * input, forward, output (prerouting since 5.9); bridge at prerouting and input; netdev at ingress (5.10).
 */
export interface Reject {
  readonly type?: 'tcp reset' | 'icmpx' | 'icmp' | 'icmpv6';
  /** The code, by name or number. */
  readonly expr?: Expression;
}

export type SetOperation = 'add' | 'update' | 'delete';

/** Adds the packet's key to a set, refreshes it, or deletes it (Linux 4.1; delete 5.10). */
export interface SetStatement {
  readonly op: SetOperation;
  /** The key; in an `elem` expression when it has a timeout of its own. */
  readonly elem: Expression;
  /** `@name` of a set with the flag `dynamic`. */
  readonly set: string;
  /** What the new element carries: counter, limit, quota, ct count, last. */
  readonly stmt?: readonly Statement[];
}

/** The same for a map, with the value to store. */
export interface MapStatement {
  readonly op: SetOperation;
  readonly elem: Expression;
  readonly data: Expression;
  /** `@name` of a map with the flag `dynamic`. */
  readonly map: string;
  readonly stmt?: readonly Statement[];
}

export type LogLevel = 'emerg' | 'alert' | 'crit' | 'err' | 'warn' | 'notice' | 'info' | 'debug' | 'audit';
export type LogFlag = 'tcp sequence' | 'tcp options' | 'ip options' | 'skuid' | 'ether' | 'all';

/** Writes the packet to the kernel's log, or with `group` to that nfnetlink_log group. */
export interface Log {
  /** At most 127 bytes. */
  readonly prefix?: string;
  readonly group?: number;
  /** Bytes of the packet to copy; needs `group`. */
  readonly snaplen?: number;
  /** Packets to collect before they are sent; needs `group`. */
  readonly 'queue-threshold'?: number;
  /** Default `warn`; not together with `group`. */
  readonly level?: LogLevel;
  readonly flags?: LogFlag | readonly LogFlag[];
}

/** Applies a statement for each value of a key, in a set made along with the rule. */
export interface MeterStatement {
  readonly name: string;
  readonly key: Expression;
  readonly stmt: Statement;
  readonly size?: number;
}

export type QueueFlag = 'bypass' | 'fanout';

/** Hands the packet to a program: `num` a number, a range of them, or (5.17) an expression. */
export interface Queue {
  readonly num?: Expression;
  readonly flags?: QueueFlag | readonly QueueFlag[];
}

/** The verdict that `data`, an anonymous verdict map or the name of one (`@name`), has for `key`. */
export interface Vmap {
  readonly key: Expression;
  readonly data: Expression;
}

/** Matches up to `val` connections, with `inv` above (Linux 4.18). */
export interface CtCount {
  readonly val: number;
  readonly inv?: boolean;
}

/** A statement of iptables-nft that has no nft form; it cannot be written back. */
export interface Xt {
  readonly type: 'match' | 'target' | 'watcher';
  readonly name: string;
}

/** Puts the connection into a flowtable (`@name`); family ip, ip6, inet at forward (Linux 4.16). */
export interface Flow {
  readonly op: 'add';
  readonly flowtable: string;
}

/** Gives the packet to a local socket; ip, ip6, inet at prerouting (Linux 4.19). At least one of addr and port. */
export interface Tproxy {
  /** Of `addr`; in tables of family inet also without. */
  readonly family?: AddressFamily;
  readonly addr?: Expression;
  readonly port?: Expression;
}

export type SynproxyFlag = 'timestamp' | 'sack-perm';

/** Answers the handshake before the server sees it; input and forward (Linux 5.3). */
export interface SynproxyState {
  readonly mss?: number;
  readonly wscale?: number;
  readonly flags?: SynproxyFlag | readonly SynproxyFlag[];
}

/**
 * An instruction that the library does not know, kept whole so that a rule goes back as it came. Not part
 * of libnftables JSON: only this library reads it.
 */
export interface Opaque {
  /** The kernel's name for it (NFTA_EXPR_NAME). */
  readonly name: string;
  /** The bytes of NFTA_EXPR_DATA in hexadecimal, without prefix; empty where there are none. */
  readonly data: string;
  /** The anonymous set that it looks something up in, or adds something to: it is made anew with the rule. */
  readonly set?: OwnSet;
}

/** A named object by name, or by a map from the packet to names (Linux 4.10). */
export type ObjectReference = string | MapExpression;

export type CounterStatement = { readonly counter: CounterState | ObjectReference | null };
export type LimitStatement = { readonly limit: LimitState | ObjectReference };
export type QuotaStatement = { readonly quota: QuotaState | ObjectReference };

/**
 * One step of a rule. An object of this type has exactly one key, which says what it is, as in
 * libnftables-json(5).
 */
export type Statement =
  | Verdict
  | { readonly match: Match }
  | CounterStatement
  | { readonly mangle: Mangle }
  | QuotaStatement
  | LimitStatement
  | { readonly fwd: Fwd }
  | { readonly notrack: null }
  | { readonly dup: Dup }
  | { readonly snat: Nat | null }
  | { readonly dnat: Nat | null }
  | { readonly masquerade: NatPort | null }
  | { readonly redirect: NatPort | null }
  | { readonly reject: Reject | null }
  | { readonly set: SetStatement }
  | { readonly map: MapStatement }
  | { readonly log: Log | null }
  | { readonly 'ct helper': ObjectReference }
  | { readonly meter: MeterStatement }
  | { readonly queue: Queue | null }
  | { readonly vmap: Vmap }
  | { readonly 'ct count': CtCount }
  | { readonly 'ct timeout': ObjectReference }
  | { readonly 'ct expectation': ObjectReference }
  | { readonly xt: Xt | null }
  | { readonly flow: Flow }
  | { readonly tproxy: Tproxy }
  | { readonly synproxy: SynproxyState | ObjectReference | null }
  | { readonly secmark: ObjectReference }
  | { readonly tunnel: ObjectReference }
  | { readonly last: LastState | null }
  /** Removes the option from the packet (Linux 5.18). */
  | { readonly reset: { readonly 'tcp option': { readonly name: keyof TcpOptionFields } } }
  | { readonly opaque: Opaque };
