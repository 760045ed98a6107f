import {
  type Expression,
  ether,
  ip,
  ip6,
  meta,
  type Operand,
  prefix,
  range,
  type Statement,
  set,
} from '../index.ts';
import { cidr, overlap, WIDTH } from './address.ts';
import { identifier } from './check.ts';
import type { Peer, PortRange } from './group.ts';
import { truncated } from './key.ts';
import type { TableWriter } from './table.ts';

/** Which end of a packet. */
export type Side = 'saddr' | 'daddr';

const FIELDS = {
  ip: { saddr: ip.saddr, daddr: ip.daddr, type: 'ipv4_addr' },
  ip6: { saddr: ip6.saddr, daddr: ip6.daddr, type: 'ipv6_addr' },
} as const;

/** A packet of a family, tagged or not. */
export const ofFamily = (family: 'ip' | 'ip6'): Statement => meta.protocol.eq(family);

/** Blocks without those inside of others, which a set of intervals could not hold. */
function outermost(texts: readonly string[]): string[] {
  const blocks = texts
    .map((text) => ({ text, block: cidr(text) }))
    .sort((a, b) => a.block.length - b.block.length);
  const kept: typeof blocks = [];
  for (const each of blocks) if (!kept.some(({ block }) => overlap(block, each.block))) kept.push(each);
  return kept.map(({ text }) => text);
}

/** Some blocks as the right side of a match. */
export function blockSet(texts: readonly string[]): Expression {
  const [one, ...more] = outermost(texts).map((text): Expression => {
    const { family, length } = cidr(text);
    const address = text.slice(0, text.indexOf('/'));
    return length === WIDTH[family] ? address : prefix(address, length);
  }) as [Expression, ...Expression[]];
  return more.length === 0 ? one : set(one, ...more);
}

/** Some ranges as the right side of a match. */
export function rangeSet(ranges: readonly PortRange[]): Expression {
  const [one, ...more] = ranges.map(
    ([first, last]): Expression => (first === last ? first : range(first, last)),
  ) as [Expression, ...Expression[]];
  return more.length === 0 ? one : set(one, ...more);
}

/** Blocks of one family; all of it where one is everything. */
function blocks(family: 'ip' | 'ip6', side: Side, texts: readonly string[]): Statement[][] {
  if (texts.length === 0) return [];
  if (texts.some((text) => text.endsWith('/0'))) return [[ofFamily(family)]];
  return [[FIELDS[family][side].eq(blockSet(texts))]];
}

/** Lookups of the members of a group, or of a VM: one for each prefix length in use. */
function members(
  table: TableWriter,
  name: string,
  side: Side,
  families: readonly ('ip' | 'ip6')[],
): Statement[][] {
  const addresses = families.flatMap((family) =>
    table.lengths(`${name}_${family}`).map((length) => {
      const { [side]: field, type } = FIELDS[family];
      const key = { operand: truncated(family, field, length), type };
      return [table.among(`${name}_${family}_${length}`, key, { alwaysNamed: true })];
    }),
  );
  return addresses;
}

function macs(table: TableWriter, name: string, side: Side): Statement[][] {
  const operand: Operand = ether[side];
  return [[table.among(`${name}_mac`, { operand, type: 'ether_addr' }, { alwaysNamed: true })]];
}

/**
 * The ways in which one end of a packet can be one of the peers: any of them will do. None where nobody is
 * named; one that says nothing where anybody may be.
 */
export function anyOf(
  table: TableWriter,
  peers: readonly Peer[] | undefined,
  side: Side,
  family: 'ip' | 'ip6' | undefined,
): Statement[][] {
  if (!peers) return [family ? [ofFamily(family)] : []];
  const families = family ? [family] : (['ip', 'ip6'] as const);
  const texts = peers.filter((peer) => typeof peer === 'string');
  const named = peers.filter((peer) => typeof peer === 'object');
  const only = family ? [ofFamily(family)] : [];
  return [
    ...families.flatMap((each) =>
      blocks(
        each,
        side,
        texts.filter((text) => text.includes(':') === (each === 'ip6')),
      ),
    ),
    ...named.flatMap((peer) => {
      if ('mac' in peer) return [[...only, ether[side].eq(peer.mac)]];
      const name = 'group' in peer ? `group_${identifier(peer.group)}` : `vm_${identifier(peer.vm)}`;
      return [
        ...members(table, name, side, families),
        ...macs(table, name, side).map((match) => [...only, ...match]),
      ];
    }),
  ];
}
