import type { ChainTypeName, HookName } from '../protocol/hooks.ts';
import type { ObjectRef } from './table.ts';

/**
 * What a base chain is for.
 *
 * - `filter`: every family and hook
 * - `nat`: ip, ip6, inet (5.2) at prerouting, input, output, postrouting; sees the first packet of a connection
 * - `route`: ip, ip6, inet at output; a changed packet is routed again
 */
export type ChainType = ChainTypeName;

/**
 * Where a base chain is called.
 *
 * - ip, ip6, inet, bridge: `prerouting`, `input`, `forward`, `output`, `postrouting`
 * - inet also: `ingress` (5.10)
 * - arp: `input`, `output`
 * - netdev: `ingress`, `egress` (5.16)
 */
export type Hook = HookName;

/**
 * nft's names for priorities. In ip, ip6, inet, arp, netdev: raw -300, mangle -150, dstnat -100
 * (prerouting), filter 0, security 50, srcnat 100 (postrouting). In bridge: dstnat -300 (prerouting),
 * filter -200, out 100 (output), srcnat 300 (postrouting).
 */
export type PriorityName = 'raw' | 'mangle' | 'dstnat' | 'filter' | 'security' | 'srcnat' | 'out';

/**
 * When a base chain is called among those of its hook: lower is earlier, signed 32 bits. A name may be
 * followed by a distance: `dstnat + 10`, `filter - 5`. nft's JSON has numbers alone, and so do the builders'
 * results; names are read too.
 */
export type Priority = number | PriorityName | `${PriorityName} ${'+' | '-'} ${number}`;

/** What happens to packets that reach the end of a base chain. The default is `accept`. */
export type ChainPolicy = 'accept' | 'drop';

/**
 * A chain of rules. With `type`, `hook` and `prio` it is a base chain, which the kernel calls; without any
 * of them a regular chain, which rules jump to.
 */
export interface Chain extends ObjectRef {
  /** The new name, in a `rename` command only. */
  readonly newname?: string;
  readonly type?: ChainType;
  readonly hook?: Hook;
  readonly prio?: Priority;
  /** Interfaces of a netdev chain, or of an inet chain at `ingress`; several since Linux 5.5. */
  readonly dev?: string | readonly string[];
  readonly policy?: ChainPolicy;
  /** At most 128 bytes, kept in userdata (Linux 5.10). */
  readonly comment?: string;
}
