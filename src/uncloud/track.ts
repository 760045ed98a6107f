import { accept, and, ct, ether, meta, notrack, type Statement, set } from '../index.ts';
import { inPort } from './key.ts';
import type { TableWriter } from './table.ts';

/** After port security, before conntrack (-200). */
const RAW = -250;

const CT_ZONE = { typeof: ct.zone.expression } as const;
const MAC = { operand: ether.daddr, type: 'ether_addr' } as const;

/**
 * Which conntrack zone a frame is tracked in, on kernels that track on bridges:
 *
 * - between a port with groups and the outside: the port's own
 * - between two ports with groups: their bridge's, as both have to know the flow
 * - from a port with groups to this host: the port's own, and the default one for answers, which may come
 *   in through any interface, with translated addresses
 * - frames between ports without groups are not tracked at all
 */
export function trackChain(table: TableWriter, knowsHostMacs: boolean): void {
  if (table.size('zones') === 0) return;
  // The answers of the kernel's own rejects belong to no connection: not invalid, untracked.
  table.chain('own', [[ct.state.in('invalid'), notrack()]], { hook: 'output', prio: RAW, policy: 'accept' });
  const toHost = table.among('host_macs', MAC);
  const unicast = and(ether.daddr, '01:00:00:00:00:00').eq('00:00:00:00:00:00');
  const untracked = (port: Statement): Statement[][] => (knowsHostMacs ? [[port, unicast, notrack()]] : []);
  table.chain(
    'track',
    [
      [meta.protocol.notIn(set('ip', 'ip6')), accept()],
      [toHost, table.assign(ct.original.zone, 'zones', inPort.key, CT_ZONE), accept()],
      [toHost, accept()],
      [table.among('group_macs', MAC), table.assign(ct.zone, 'bridge_zones', inPort.key, CT_ZONE), accept()],
      [table.assign(ct.zone, 'zones', inPort.key, CT_ZONE), accept()],
      [table.assign(ct.zone, 'zones_of_macs', MAC, CT_ZONE), accept()],
      ...untracked(table.among('ports', inPort.key)),
      ...untracked(table.among('uplinks', inPort.key)),
    ],
    { hook: 'prerouting', prio: RAW, policy: 'accept' },
  );
}
