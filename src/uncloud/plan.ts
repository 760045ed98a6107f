import { accept, and, drop, ether, goto, jump, meta, type Statement } from '../index.ts';
import { broadcastChains } from './broadcasts.ts';
import { identifier } from './check.ts';
import type { Context } from './context.ts';
import { filterChains } from './filter-rules.ts';
import { forwardChains } from './forward.ts';
import { groupChains } from './group-rules.ts';
import type { Inventory } from './inventory.ts';
import * as key from './key.ts';
import { answers, answersFromElsewhere, learnChains } from './learn-rules.ts';
import { type Log, logging } from './log.ts';
import type { Devices } from './ports.ts';
import { portSecurity } from './security.ts';
import { type TablePlan, type TableWriter, tableWriter } from './table.ts';
import { trackChain } from './track.ts';

/** The hooks' priorities in family bridge: -300 comes before conntrack (-200), groups after it. */
const PREROUTING = -300;
const GROUPS = -150;
const FORWARD = -200;
const POSTROUTING = 300;
/** Behind what stops frames between ports. */
const LEARN = FORWARD + 10;
/** Before groups. */
const FILTERS = 290;
/** Before whatever else looks at ingress. */
const INGRESS = -500;
/** After whatever else looks at egress. */
const EGRESS = 500;

type Body = readonly Statement[];

const unicast = () => and(ether.daddr, '01:00:00:00:00:00').eq('00:00:00:00:00:00');

/** The chains that frames from VMs and to VMs go to, in whatever family. */
function vmChains(table: TableWriter, context: Context): void {
  learnChains(table, context.host);
  portSecurity(table);
  filterChains(table, context);
  const logs = table.uses('log');
  for (const { name, data } of logs) {
    const { log } = data as { log: Log };
    table.chain(`log/${identifier(name)}`, [logging(log, `uncloud ${name}: `)]);
  }
  if (logs.length > 0) {
    const logged = [table.verdicts('logs', key.inPort.key)];
    table.chain('vm_logged', [[jump('vm')], logged]);
    if (table.size('filters_out') > 0) table.chain('filtered_logged', [[jump('filtered')], logged]);
  }
  broadcastChains(table);
  groupChains(table, context);
}

/*
 * A verdict map of a table that is being replaced is empty, to a frame that has just met the rule that looks there;
 * sets are not. So what is behind a map must not pass for the ports that are in it: rules with a set of these say so.
 */

/** What happens to frames to VMs, after filters; in the end they pass. */
function toVm(table: TableWriter): Body[] {
  const rules: Body[] = [];
  if (table.size('trunk_ports') > 0) {
    table.chain('to_trunk', [[table.among('trunks', key.trunkOut), { return: null }], [drop()]]);
    rules.push([ether.type.eq('vlan'), table.among('trunk_ports', key.outPort), jump('to_trunk')]);
  }
  rules.push(
    [table.verdicts(key.destination.name, key.destination.key)],
    [unicast(), table.among('ports', key.outPort), drop()],
    [table.verdicts('groups_in', key.outPort)],
    [table.among('grouped_in', key.outPort), drop()],
  );
  return rules;
}

function groupsOut(table: TableWriter): Body[] {
  return [
    [table.verdicts('groups_out', key.inPort.key)],
    [table.among('grouped_out', key.inPort.key), drop()],
  ];
}

function filtersIn(table: TableWriter): Body[] {
  return [[table.verdicts('filters_in', key.outPort)], [table.among('filtered_ports', key.outPort), drop()]];
}

function bridgeTable(table: TableWriter, context: Context): void {
  const { host, facts } = context;
  const bridges = Object.values(host.bridges).filter(({ backend }) => backend === 'bridge');
  const hasPorts = table.size('ports') > 0;
  if (hasPorts) vmChains(table, context);

  const from: Body[] = [
    [table.verdicts('dispatch', key.inPort.key)],
    // What a port's chains did not accept comes back here.
    [table.among('ports', key.inPort.key), drop()],
    [table.among('closed', key.inPort.key), drop()],
  ];
  if (facts.ibrname) {
    from.push([table.among('closed_bridges', { operand: meta.ibrname, type: 'ifname' }), drop()]);
  }
  // Uplinks have passed; these are frames of other bridges.
  table.decide('prerouting', from, accept(), { hook: 'prerouting', prio: PREROUTING });
  trackChain(
    table,
    bridges.every(({ mac }) => mac !== undefined),
  );
  table.decide('groups_out', groupsOut(table), accept(), { hook: 'prerouting', prio: GROUPS });
  table.chain(
    'groups_rejecting',
    [[table.verdicts('groups_rejecting', { operand: ether.daddr, type: 'ether_addr' })]],
    { hook: 'prerouting', prio: GROUPS + 10, policy: 'accept' },
  );

  // Where no meta ibrname tells which bridge an unlisted port is on, the port at the other end does.
  const inside = table.among('listed', key.inPort.key);
  const outside = table.among('listed', key.outPort);
  const across: Body[] = [
    [inside, outside, accept()],
    [inside, drop()],
    [outside, drop()],
  ];
  table.decide('forward', across, accept(), { hook: 'forward', prio: FORWARD });

  if (hasPorts) {
    const log = (hook: 'forward' | 'output', rules: readonly Body[]) =>
      table.chain(`learn_${hook}`, rules, { hook, prio: LEARN, policy: 'accept' });
    log('forward', answersFromElsewhere(table, context.host));
    log('output', answers(table, context.host));
  }

  table.decide('filters_in', filtersIn(table), accept(), { hook: 'postrouting', prio: FILTERS });
  const to = hasPorts ? toVm(table) : [];
  to.push([table.among('closed', key.outPort), drop()]);
  if (facts.ibrname && table.size('closed_bridges') > 0) {
    table.chain('to_managed', [[outside, accept()], [drop()]]);
    to.push([table.among('closed_bridges', { operand: meta.obrname, type: 'ifname' }), goto('to_managed')]);
  }
  table.decide('postrouting', to, accept(), { hook: 'postrouting', prio: POSTROUTING });
}

function netdevTable(table: TableWriter, context: Context, { bridged, direct, closed }: Devices): void {
  if (direct.length > 0) vmChains(table, context);
  const ingress = (dev: readonly string[], after = 0) =>
    ({ hook: 'ingress', prio: INGRESS + after, dev }) as const;
  const egress = (dev: readonly string[], before = 0) =>
    ({ hook: 'egress', prio: EGRESS - before, dev }) as const;
  // Frames to 01:80:c2:00:00:0X go around the bridge's prerouting hook, some around all of its hooks, and
  // still teach it where their source is. No VM has to send any: they end at the port's ingress.
  const linkLocal = and(ether.daddr, 'ff:ff:ff:ff:ff:f0').eq('01:80:c2:00:00:00');
  table.decide('ingress', [[linkLocal, drop()]], accept(), ingress(bridged));
  if (direct.length > 0) {
    const from: Body[] = [[linkLocal, drop()], [table.verdicts('dispatch', key.inPort.key)]];
    table.decide('vm_ingress', from, drop(), ingress(direct));
    table.decide('groups_out', groupsOut(table), accept(), ingress(direct, 10));
    table.decide('filters_in', filtersIn(table), accept(), egress(direct, 10));
    if (table.size('learn') > 0)
      table.decide('learn_egress', answers(table, context.host), accept(), egress(direct, 20));
    table.decide('vm_egress', toVm(table), accept(), egress(direct));
  }
  table.decide('closed_ingress', [], drop(), ingress(closed));
  table.decide('closed_egress', [], drop(), egress(closed));
}

/**
 * All of our tables, without the elements of their sets. One that has nothing to do is there as well: what is the
 * administrator's in it stays where it is, whatever ours comes and goes.
 */
export function tablePlans(context: Context, inventory: Inventory, devices: Devices): TablePlan[] {
  const plans: TablePlan[] = [];
  if (Object.values(context.host.bridges).some(({ backend }) => backend === 'bridge')) {
    const table = tableWriter('bridge', inventory);
    bridgeTable(table, context);
    plans.push(table.plan());
  }
  const inet = tableWriter('inet', inventory);
  forwardChains(inet, context);
  plans.push(inet.plan());
  if (context.facts.interfaces) {
    const table = tableWriter('netdev', inventory);
    netdevTable(table, context, devices);
    plans.push(table.plan());
  }
  return plans;
}
