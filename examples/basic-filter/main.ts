/**
 * A host's own firewall: what has no place is dropped, replies come in, a few services are open, and a set that
 * can be changed at any time says who is blocked. Running it again replaces the table in one transaction.
 *
 *   node --import tsx examples/basic-filter/main.ts [--netns PATH]
 */
import { parseArgs } from 'node:util';
import {
  accept,
  cidr,
  connect,
  counter,
  ct,
  drop,
  formatRuleset,
  icmpv6,
  ip,
  limit,
  log,
  meta,
  set,
  table,
  tcp,
  transaction,
} from 'nftjs';

const { netns } = parseArgs({ options: { netns: { type: 'string' } } }).values;

const name = { family: 'inet', name: 'host' } as const;
const host = table(name.family, name.name)
  .set('blocked', {
    type: 'ipv4_addr',
    flags: ['interval'],
    elements: ['192.0.2.1', cidr('198.51.100.0/24')],
  })
  .chain('input', { type: 'filter', hook: 'input', priority: 'filter', policy: 'drop' })
  .rule('input', ip.saddr.in('@blocked'), counter(), drop())
  .rule('input', ct.state.in(['established', 'related']), accept())
  .rule('input', ct.state.in('invalid'), drop())
  .rule('input', meta.iifname.eq('lo'), accept())
  .rule('input', meta.l4proto.in(set('icmp', 'ipv6-icmp')), limit({ rate: 20, per: 'second' }), accept())
  .rule(
    'input',
    icmpv6.type.in(set('nd-neighbor-solicit', 'nd-neighbor-advert', 'nd-router-advert')),
    accept(),
  )
  .rule('input', tcp.dport.in(set(22, 80, 443)), ct.state.in('new'), accept())
  .rule('input', limit({ rate: 5, per: 'minute' }), log({ prefix: 'dropped: ' }));

await using nft = connect(netns === undefined ? {} : { netns });
await nft.commit(transaction().destroy({ table: name }).concat(host.commands));
console.log(formatRuleset(await nft.list({ family: name.family, table: name.name })));
