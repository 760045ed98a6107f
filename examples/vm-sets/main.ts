/**
 * Virtual machines on a bridge may send with their own addresses only: one concatenated set of port, MAC and IP
 * address for each family, looked up once a packet however many VMs there are. A VM that comes or goes is one
 * small transaction: its addresses, in or out together.
 *
 *   node --import tsx examples/vm-sets/main.ts [--netns PATH]
 */
import { parseArgs } from 'node:util';
import {
  accept,
  arp,
  concat,
  connect,
  counter,
  drop,
  ether,
  formatRuleset,
  ip,
  ip6,
  meta,
  table,
  transaction,
} from 'nftjs';

const { netns } = parseArgs({ options: { netns: { type: 'string' } } }).values;

interface Vm {
  readonly port: string;
  readonly mac: string;
  readonly ipv4: readonly string[];
  readonly ipv6: readonly string[];
}

const alice: Vm = { port: 'tap1', mac: '02:00:00:00:00:01', ipv4: ['192.0.2.1'], ipv6: ['2001:db8::1'] };
const bob: Vm = { port: 'tap2', mac: '02:00:00:00:00:02', ipv4: ['192.0.2.2', '192.0.2.3'], ipv6: [] };

const name = { family: 'bridge', name: 'vms' } as const;
const vms = table(name.family, name.name)
  .set('ipv4', { type: ['ifname', 'ether_addr', 'ipv4_addr'], size: 65536 })
  .set('ipv6', { type: ['ifname', 'ether_addr', 'ipv6_addr'], size: 65536 })
  .chain('prerouting', { type: 'filter', hook: 'prerouting', priority: 'filter' })
  .chain('from-vm')
  .rule('prerouting', meta.iifname.eq('tap*'), { goto: { target: 'from-vm' } })
  .rule('from-vm', concat(meta.iifname, ether.saddr, ip.saddr).in('@ipv4'), accept())
  .rule('from-vm', concat(meta.iifname, ether.saddr, ip6.saddr).in('@ipv6'), accept())
  .rule('from-vm', concat(meta.iifname, ether.saddr, arp['saddr ip']).in('@ipv4'), accept())
  .rule('from-vm', counter(), drop());

/** The elements of a VM, for a transaction that adds or deletes them. */
function elementsOf({ port, mac, ipv4, ipv6 }: Vm) {
  return [
    ...ipv4.map((address) => ({ element: vms.element('ipv4', [[port, mac, address]]) })),
    ...ipv6.map((address) => ({ element: vms.element('ipv6', [[port, mac, address]]) })),
  ];
}

await using nft = connect(netns === undefined ? {} : { netns });
await nft.commit(transaction().destroy({ table: name }).concat(vms.commands));
await nft.commit(transaction().add(...elementsOf(alice), ...elementsOf(bob)));
await nft.commit(transaction().delete(...elementsOf(alice)));
console.log(formatRuleset(await nft.list({ family: name.family, table: name.name })));
