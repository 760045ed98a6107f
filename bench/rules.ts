import type { RulesetElement, Statement } from '../src/index.ts';
import { count, ifname, ipv4 } from './addresses.ts';
import { nftjs } from './library.ts';
import { TABLE } from './work.ts';

/** A chain with so many rules of five matches and a verdict each. */
export function ruleset(size: number): RulesetElement[] {
  const { accept, ct, ip, meta, tcp } = nftjs;
  const expr = (i: number): readonly Statement[] => [
    meta.iifname.eq(ifname(i)),
    ip.saddr.eq(ipv4(i)),
    ip.daddr.eq(ipv4(size + i)),
    tcp.dport.eq(1 + (i % 65_535)),
    ct.state.in(['new', 'established']),
    accept(),
  ];
  return [
    { table: { family: TABLE.family, name: TABLE.table } },
    { chain: { ...TABLE, name: 'c' } },
    ...count(size, (i): RulesetElement => ({ rule: { ...TABLE, chain: 'c', expr: expr(i) } })),
  ];
}
