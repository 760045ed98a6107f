import type { ChainPolicy } from './chain.ts';
import type { Immediate } from './expression.ts';
import type { Family } from './family.ts';
import type { Rule } from './rule.ts';
import type { Statement } from './statement.ts';

/** The first bytes of a packet's headers, as far as the kernel tells them. */
export interface PacketHeaders {
  readonly link?: Uint8Array | undefined;
  readonly network?: Uint8Array | undefined;
  readonly transport?: Uint8Array | undefined;
}

/** What a rule or chain said of a packet. */
export interface TraceVerdict {
  readonly code:
    | 'accept'
    | 'drop'
    | 'stolen'
    | 'queue'
    | 'repeat'
    | 'continue'
    | 'break'
    | 'jump'
    | 'goto'
    | 'return';
  /** Where `jump` and `goto` lead. */
  readonly chain?: string;
}

/** An interface that a packet came by or leaves by. */
export interface TraceInterface {
  readonly index: number;
  /** Absent where it is gone. */
  readonly name?: string;
  /** ARPHRD_* of linux/if_arp.h: 1 is Ethernet. */
  readonly type?: number;
}

/** The connection that a packet belongs to, in the words of ct_state, ct_dir and ct_status. */
export interface TraceConnection {
  /** As `ct id` has it. */
  readonly id?: number;
  readonly direction?: 'original' | 'reply';
  readonly state?: Immediate;
  /** What has happened to it, a flag each. */
  readonly status?: readonly Immediate[];
}

/** A packet as it was when its trace began. */
export interface TracePacket extends PacketHeaders {
  readonly iif?: TraceInterface;
  readonly oif?: TraceInterface;
  /** Its connection, where conntrack has looked at it (Linux 6.16). */
  readonly ct?: TraceConnection;
  /** The fields of its headers, as matches that it meets. */
  readonly fields: readonly Statement[];
}

/** One step of a packet that a rule marked with `meta nftrace set 1` (Linux 4.5). */
export interface TraceStep {
  readonly overrun: false;
  /** The packet: its steps have the same number. */
  readonly id: number;
  readonly family: Family;
  readonly table: string;
  readonly chain: string;
  /** `rule`: it met one; `return`: it left a chain; `policy`: it reached the end of a base chain. */
  readonly type: 'rule' | 'return' | 'policy';
  /**
   * The rule, of type `rule`; without its contents when it is gone already. A packet that met no rule before
   * the chain's end is told without one.
   */
  readonly handle?: number;
  readonly rule?: Rule;
  readonly verdict?: TraceVerdict;
  readonly policy?: ChainPolicy;
  readonly mark?: number;
  /** In the first step in each base chain. */
  readonly packet?: TracePacket;
}
