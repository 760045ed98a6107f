/**
 * A gateway: what leaves through the uplink gets its address, some ports of the uplink lead to servers inside,
 * and only replies and those connections come in.
 *
 *   node --import tsx examples/nat-gateway/main.ts [--uplink wan] [--netns PATH]
 */
import { parseArgs } from 'node:util';
import {
  accept,
  cidr,
  connect,
  ct,
  dnat,
  formatRuleset,
  ip,
  masquerade,
  meta,
  table,
  tcp,
  transaction,
} from 'nftjs';

const { netns, uplink } = parseArgs({
  options: { netns: { type: 'string' }, uplink: { type: 'string', default: 'wan' } },
}).values;

/** Ports of the uplink, and the server and port that each leads to. */
const forwarded = [
  [443, ['10.0.0.10', 8443]],
  [25, ['10.0.0.11', 25]],
] as const;

const name = { family: 'ip', name: 'gateway' } as const;
const gateway = table(name.family, name.name)
  .map('services', { type: 'inet_service', map: ['ipv4_addr', 'inet_service'], elements: forwarded })
  .chain('prerouting', { type: 'nat', hook: 'prerouting', priority: 'dstnat' })
  .chain('postrouting', { type: 'nat', hook: 'postrouting', priority: 'srcnat' })
  .chain('forward', { type: 'filter', hook: 'forward', priority: 'filter', policy: 'drop' })
  .rule('prerouting', meta.iifname.eq(uplink), dnat({ addr: tcp.dport.map('@services') }))
  .rule('postrouting', meta.oifname.eq(uplink), ip.saddr.eq(cidr('10.0.0.0/24')), masquerade())
  .rule('forward', ct.state.in(['established', 'related']), accept())
  .rule('forward', meta.iifname.ne(uplink), accept())
  .rule('forward', ct.status.in('dnat'), accept());

await using nft = connect(netns === undefined ? {} : { netns });
await nft.commit(transaction().destroy({ table: name }).concat(gateway.commands));
console.log(formatRuleset(await nft.list({ family: name.family, table: name.name })));
