import type { AddressFamily, Integer } from './family.ts';
import type { LimitUnit, RateUnit, SynproxyFlag, TimeUnit } from './statement.ts';
import type { ObjectRef } from './table.ts';

/** What every named object may carry besides its name. */
interface Commented {
  /** At most 128 bytes, kept in userdata (Linux 5.10). */
  readonly comment?: string;
}

/** A named counter that several rules share (Linux 4.10). Both values are 64 bits wide, starting at 0. */
export interface Counter extends ObjectRef, Commented {
  readonly packets?: Integer;
  readonly bytes?: Integer;
}

/** A named quota (Linux 4.10). */
export interface Quota extends ObjectRef, Commented {
  /** The threshold, in bytes. */
  readonly bytes?: Integer;
  /** Bytes used so far. */
  readonly used?: Integer;
  /** True: matches once the quota is used up (`over`). False, the default: matches until then. */
  readonly inv?: boolean;
}

/** A named limit (Linux 4.15). */
export interface Limit extends ObjectRef, Commented {
  readonly rate?: Integer;
  readonly rate_unit?: RateUnit;
  /** Default `second`. */
  readonly per?: TimeUnit;
  /** How much may exceed the rate at once: default 5 for packets, 0 for bytes. */
  readonly burst?: Integer;
  readonly burst_unit?: RateUnit;
  /** What rate and burst count, as the man page has it; nft itself writes `rate_unit`. */
  readonly unit?: LimitUnit;
  /** True: matches above the rate (`over`). */
  readonly inv?: boolean;
}

/** A conntrack helper to assign (Linux 4.12). */
export interface CtHelper extends ObjectRef, Commented {
  /** The helper's name: `ftp`, `sip`, `tftp` … */
  readonly type?: string;
  readonly protocol?: 'tcp' | 'udp';
  /** Default: the family's own; `inet` takes both. */
  readonly l3proto?: AddressFamily | 'inet';
}

/** Layer 4 protocols that conntrack objects know. */
export type CtProtocol = 'tcp' | 'udp' | 'udplite' | 'dccp' | 'sctp' | 'gre' | 'icmpv6' | 'icmp' | 'generic';

/** A conntrack timeout policy to assign (Linux 5.0). */
export interface CtTimeout extends ObjectRef, Commented {
  readonly protocol?: CtProtocol;
  readonly l3proto?: AddressFamily | 'inet';
  /** Seconds by connection state: `{ established: 123, close: 12 }`. */
  readonly policy?: { readonly [state: string]: number };
}

/** A conntrack expectation to make (Linux 5.3). */
export interface CtExpectation extends ObjectRef, Commented {
  readonly l3proto?: AddressFamily | 'inet';
  readonly protocol?: CtProtocol;
  /** Destination port of the expected connection. */
  readonly dport?: number;
  /** How long it is awaited, in milliseconds. */
  readonly timeout?: number;
  /** How many may be awaited at once. */
  readonly size?: number;
}

/** A synproxy's options (Linux 5.4). */
export interface Synproxy extends ObjectRef, Commented {
  /** Maximum segment size announced to the client. */
  readonly mss?: number;
  /** Window scale announced to the client. */
  readonly wscale?: number;
  readonly flags?: SynproxyFlag | readonly SynproxyFlag[];
}

/** A security mark (Linux 4.20). */
export interface Secmark extends ObjectRef, Commented {
  /** The LSM's own text: `system_u:object_r:ssh_server_packet_t:s0`. */
  readonly context?: string;
}

/** Metadata of a tunnel, attached to packets that leave through a collect-metadata device (Linux 4.20). */
export interface Tunnel extends ObjectRef, Commented {
  readonly id?: number;
  readonly 'src-ipv4'?: string;
  readonly 'dst-ipv4'?: string;
  readonly 'src-ipv6'?: string;
  readonly 'dst-ipv6'?: string;
  readonly sport?: number;
  readonly dport?: number;
  readonly tos?: number;
  readonly ttl?: number;
  readonly type?: 'erspan' | 'vxlan' | 'geneve';
  /** Options of `type`. */
  readonly tunnel?: ErspanOptions | VxlanOptions | readonly GeneveOption[];
}

export type ErspanOptions =
  | { readonly version: 1; readonly index: number }
  | { readonly version: 2; readonly direction: 'ingress' | 'egress'; readonly hwid: number };

export interface VxlanOptions {
  /** Group based policy. */
  readonly gbp: number;
}

export interface GeneveOption {
  readonly class: number;
  readonly 'opt-type': number;
  /** Hexadecimal, as `0x12345678`. */
  readonly data: string;
}
