import { accept, drop, type Expression, goto, jump, type Verdict } from '../index.ts';
import { type Block, block, blocksIn } from './address.ts';
import { broadcastsOf, limitedUse } from './broadcasts.ts';
import { identifier } from './check.ts';
import { type Context, profileName } from './context.ts';
import { closure, PORT_SECURITY } from './filter.ts';
import {
  FILTER_FIELDS,
  type FieldValue,
  type FilterField,
  fieldElement,
  fieldSet,
  fieldValue,
} from './filter-field.ts';
import type { Peer } from './group.ts';
import type { Entry, Parts, TableFamily, Use } from './inventory.ts';
import { ADDRESS_FIELDS, client, destination, learner, PORT_FIELDS } from './key.ts';
import type { Nic, Vm } from './policy.ts';
import { blocksOf, type Port, portOf } from './port.ts';
import { zoneOf } from './zone.ts';

/** Collects what a record asks for. */
class Collector implements Parts {
  readonly entries: Entry[] = [];
  readonly uses: Use[] = [];

  put(family: TableFamily, set: string, key: Expression, value?: Expression | Verdict): void {
    this.entries.push(value === undefined ? { family, set, key } : { family, set, key, value });
  }

  /** The same, where others may put the same. */
  share(family: TableFamily, set: string, key: Expression, value?: Expression | Verdict): void {
    this.entries.push({ family, set, key, ...(value !== undefined && { value }), shared: true });
  }
}

/** Puts a block where the members of a group, or a VM, are looked up. */
function putPeer(
  parts: Collector,
  { families }: Context,
  set: string,
  { family, length, text }: Block,
): void {
  for (const table of families) parts.share(table, `${set}_${family}_${length}`, text);
}

function putMac(parts: Collector, { families }: Context, set: string, mac: string): void {
  for (const table of families) parts.share(table, `${set}_mac`, mac);
}

const portSecured = (nic: Nic) => nic.filter === PORT_SECURITY;

/** The chain of what is checked on a port. */
function entrance(nic: Nic): string {
  if (portSecured(nic)) return nic.log ? 'vm_logged' : 'vm';
  return nic.log ? 'filtered_logged' : 'filtered';
}

function putPort(parts: Collector, context: Context, vm: string, nic: Nic, port: Port): void {
  const { family, ifname, mac } = port;
  const put = (set: string, key: Expression, value?: Expression | Verdict) =>
    parts.put(family, set, key, value);
  const isIn = context.judges(nic.groups, 'in');
  const isOut = context.judges(nic.groups, 'out');
  const profile = profileName(nic.groups);

  const rate = broadcastsOf(context.host, nic);
  if (rate) {
    const limited = limitedUse(rate, entrance(nic));
    parts.uses.push({ kind: 'limited', family, ...limited });
    put('dispatch', ifname, jump(limited.name));
  } else put('dispatch', ifname, jump(entrance(nic)));
  put('ports', ifname);
  if (family === 'bridge' && context.host.bridges[port.bridge]?.unlisted === 'deny') put('listed', ifname);
  if (port.private) put('private', ifname);
  for (const field of PORT_FIELDS) put(field.name, field.element(port));
  for (const field of ADDRESS_FIELDS) {
    for (const each of port[field.family]) put(`${field.name}_${each.length}`, field.element(port, each));
  }
  for (const id of nic.vlans) put('trunks', { concat: [ifname, id] });
  if (nic.vlans.length > 0) put('trunk_ports', ifname);

  put(destination.name, destination.element(port), isIn ? goto(`in/${profile}`) : accept());
  if (isIn) {
    put('groups_in', ifname, goto(`in/${profile}`));
    put('grouped_in', ifname);
  }
  if (isOut) {
    put('groups_out', ifname, goto(`out/${profile}`));
    put('grouped_out', ifname);
  }
  if (family === 'bridge' && context.rejects(nic.groups)) {
    parts.share(family, 'groups_rejecting', mac, goto(`rejecting/${profile}`));
    if (nic.log) parts.share(family, 'logs_of_macs', mac, jump(`log/${identifier(ifname)}`));
  }
  if (isIn || isOut) {
    parts.uses.push({ kind: 'profile', family, name: profile, data: nic.groups });
    if (context.stateful && family === 'bridge') {
      put('zones', ifname, zoneOf(mac));
      put('bridge_zones', ifname, zoneOf(port.bridge));
      // Two cards of a VM may have one MAC.
      parts.share(family, 'zones_of_macs', mac, zoneOf(mac));
      parts.share(family, 'group_macs', mac);
    }
  }
  if (nic.learn) {
    put('learn', ifname);
    for (const field of [client, learner]) put(field.name, field.element(port));
    if (nic.learn === 'any') put('learn_any', ifname);
    if (context.host.forward === 'deny' && !port.private) parts.put('inet', 'learn', ifname);
  }
  if (nic.log) {
    put('logs', ifname, jump(`log/${identifier(ifname)}`));
    parts.uses.push({ kind: 'log', family, name: ifname, data: { log: nic.log, vm } });
  }
  if (!portSecured(nic)) putFilter(parts, context, nic, port);
}

function putFilter(parts: Collector, context: Context, nic: Nic, port: Port): void {
  const { family, ifname } = port;
  const name = identifier(nic.filter);
  parts.put(family, 'filters_out', ifname, goto(`filtered_out/${name}`));
  parts.put(family, 'filters_in', ifname, goto(`filtered_in/${name}`));
  parts.put(family, 'filtered_ports', ifname);
  parts.uses.push({ kind: 'filtered', family, name: nic.filter });
  for (const each of closure(context.policy.filters, nic.filter)) {
    parts.uses.push({ kind: 'filter', family, name: each });
  }
  const done = new Set<string>();
  for (const { variable, field } of context.variables(nic.filter)) {
    if (done.has(`${variable} ${field}`)) continue;
    done.add(`${variable} ${field}`);
    for (const value of variableValues(nic, port, variable, field)) {
      const set = fieldSet(variable, field, value.kind === 'block' ? block(value.cidr).length : undefined);
      parts.put(family, set, { concat: [ifname, fieldElement(FILTER_FIELDS[field] as FilterField, value)] });
    }
  }
}

/** The values that a port has for a variable, as a field takes them. */
function variableValues(nic: Nic, port: Port, variable: string, name: string): FieldValue[] {
  const field = FILTER_FIELDS[name] as FilterField;
  if (variable === 'MAC') return [{ kind: 'mac', text: nic.mac }];
  if (variable === 'IP' || variable === 'IPV6') {
    return port[variable === 'IP' ? 'ip' : 'ip6'].map(({ text, length }) => ({
      kind: 'block',
      cidr: `${text}/${length}`,
    }));
  }
  const read = (text: string) =>
    fieldValue(field, field.kind === 'number' && /^\d+$/.test(text) ? Number(text) : text, '');
  const values = (nic.variables[variable] ?? []).map(read);
  return [...new Map(values.map((value) => [JSON.stringify(value), value])).values()];
}

/** What a VM's record asks for. */
export function vmParts(context: Context, id: string, vm: Vm): Parts {
  const parts = new Collector();
  const { host } = context;
  const own = context.vmPeers(id);
  const routed: Block[] = [];
  for (const known of [...blocksIn(vm.ipv4), ...blocksIn(vm.ipv6)]) {
    routed.push(known);
    for (const set of own) putPeer(parts, context, set, known);
  }
  for (const nic of vm.nics) {
    const blocks = blocksOf(nic);
    const port = portOf(host, nic, blocks);
    if (port) putPort(parts, context, id, nic, port);
    if (host.bridges[nic.bridge]?.shared !== false) {
      routed.push(...blocksIn(nic.ipv4), ...blocksIn(nic.ipv6));
    }
    for (const set of new Set([...own, ...nic.groups.flatMap(context.groupPeers)])) {
      for (const each of [...blocks.ip, ...blocks.ip6]) putPeer(parts, context, set, each);
      putMac(parts, context, set, nic.mac);
    }
  }
  if (host.forward === 'deny') {
    for (const { family, length, text } of routed) parts.share('inet', `${family}_${length}`, text);
  }
  return parts;
}

/** What ports that nobody may use ask for. */
export function closedParts(names: readonly string[]): Parts {
  const parts = new Collector();
  for (const name of names) {
    parts.put('bridge', 'dispatch', name, drop());
    parts.put('bridge', 'closed', name);
  }
  return parts;
}

/** What the host and the groups' own members ask for. */
export function hostParts(context: Context): Parts {
  const parts = new Collector();
  for (const [name, { uplinks, unlisted, backend, mac }] of Object.entries(context.host.bridges)) {
    if (mac !== undefined && backend === 'bridge') parts.share('bridge', 'host_macs', mac);
    if (backend === 'netdev') continue;
    for (const uplink of uplinks) {
      parts.put('bridge', 'dispatch', uplink, accept());
      if (unlisted === 'deny') parts.put('bridge', 'listed', uplink);
      parts.put('bridge', 'uplinks', uplink);
    }
    parts.put('bridge', unlisted === 'deny' ? 'closed_bridges' : 'open_bridges', name);
  }
  for (const [name, { members }] of Object.entries(context.policy.groups)) {
    for (const set of context.groupPeers(name))
      for (const peer of members) putMember(parts, context, set, peer);
  }
  return parts;
}

function putMember(parts: Collector, context: Context, set: string, peer: Peer): void {
  if (typeof peer === 'string') putPeer(parts, context, set, block(peer));
  else if ('mac' in peer) putMac(parts, context, set, peer.mac);
}
