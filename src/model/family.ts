import type { FamilyName } from '../protocol/families.ts';

/**
 * Which packets a table sees (libnftables-json(5), `nft` families).
 *
 * - `ip`, `ip6`: IPv4 or IPv6 packets at the inet hooks
 * - `inet`: both; since Linux 3.14, its `ingress` hook since 5.10
 * - `arp`: ARP packets at `input` and `output`
 * - `bridge`: Ethernet frames that cross a bridge
 * - `netdev`: frames of one or more devices at `ingress` (4.2) and `egress` (5.16)
 */
export type Family = FamilyName;

/** The address families that a nat, route or tunnel expression can be bound to. */
export type AddressFamily = 'ip' | 'ip6';

/**
 * An integer of the model. Up to 2^53 a `number` is exact; 64-bit quantities (counters, quotas, marks of
 * time) beyond that are `bigint`. Either is legal on input; {@link parse} gives `bigint` only where a
 * `number` would lose digits.
 */
export type Integer = number | bigint;
