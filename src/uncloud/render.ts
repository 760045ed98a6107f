import {
  accept,
  and,
  type Command,
  drop,
  ether,
  goto,
  meta,
  type Ruleset,
  type RulesetElement,
  type Statement,
  set,
} from '../index.ts';
import type { Facts } from './facts.ts';
import { forwardDeny } from './forward.ts';
import { hash } from './hash.ts';
import type { Host } from './host.ts';
import * as key from './key.ts';
import type { Policy } from './policy.ts';
import { type Port, portsOf } from './port.ts';
import { portSecurity } from './security.ts';
import { type TableWriter, tableWriter } from './table.ts';

/** The name of each table of ours. Nothing outside of them is ever touched. */
export const TABLE = 'uncloud';

/** What {@link render} works from. */
export interface Desired {
  readonly host: Host;
  readonly policy: Policy;
  /** Ports of refused VMs (see `PolicyResult`): nothing passes there. */
  readonly blocked?: readonly string[];
  readonly facts?: Facts;
}

/** What {@link render} makes. */
export interface Rendering {
  /** One transaction: our tables made anew, in place of what they were. */
  readonly ruleset: Ruleset;
  /** The same for the same host and policy, whatever interfaces there are just now. */
  readonly hash: string;
  /**
   * VM ports that no netdev chain guards, because they do not exist yet: render and apply again when they
   * appear, or set `no_linklocal_learn` on their bridge.
   */
  readonly uncovered: readonly string[];
}

/** The hooks' priorities in family bridge: -300 comes before conntrack; groups take a later one. */
const PREROUTING = -300;
const FORWARD = -200;
const POSTROUTING = 300;
/** Before whatever else looks at ingress. */
const INGRESS = -500;

/** The port that a frame goes out through. */
const outPort = { operand: meta.oifname, type: 'ifname' } as const;

/** Devices that one netdev chain takes (NFT_NETDEVICE_MAX). */
const MOST_DEVICES = 256;

/** The interfaces of managed bridges, by what may pass there. */
interface Interfaces {
  readonly uplinks: readonly string[];
  readonly ports: readonly Port[];
  readonly closed: readonly string[];
}

function interfacesOf({ host, policy, blocked = [], facts = {} }: Desired): Interfaces {
  const ports = portsOf(host, policy);
  const uplinks = Object.values(host.bridges)
    .flatMap((bridge) => bridge.uplinks)
    .sort();
  const listed = new Set([...uplinks, ...ports.map(({ ifname }) => ifname)]);
  const strangers = (facts.interfaces ?? [])
    .filter(({ bridge }) => bridge !== undefined && Object.hasOwn(host.bridges, bridge))
    .map(({ ifname }) => ifname);
  const closed = [...new Set([...blocked, ...strangers])].filter((name) => !listed.has(name)).sort();
  return { uplinks, ports, closed };
}

function bridgeTable(table: TableWriter, { host, facts }: Desired, interfaces: Interfaces): void {
  const { uplinks, ports, closed } = interfaces;
  const bridges = set(...Object.keys(host.bridges));
  const listed = [...uplinks, ...ports.map(({ ifname }) => ifname)];
  const vm = ports.length > 0 ? portSecurity(table, ports) : '';

  const dispatch = [
    ...uplinks.map((name) => [name, accept()] as const),
    ...ports.map(({ ifname }) => [ifname, goto(vm)] as const),
    ...closed.map((name) => [name, drop()] as const),
  ];
  const from: Statement[][] = [];
  if (dispatch.length > 0) from.push([table.verdicts('dispatch', key.inPort.key, dispatch)]);
  if (facts?.ibrname) from.push([meta.ibrname.in(bridges), drop()]);
  // Frames of other bridges. A port's chains do not come back here: what ends there meets the policy.
  from.push([accept()]);
  table.chain('prerouting', from, { hook: 'prerouting', prio: PREROUTING, policy: 'drop' });

  if (listed.length > 0) {
    // Where no meta ibrname tells which bridge an unlisted port is on, the port at the other end does.
    const inside = table.among('listed', key.inPort.key, listed);
    table.chain(
      'forward',
      [
        [inside, table.among('listed', outPort, listed), accept()],
        [inside, drop()],
        [table.among('listed', outPort, listed), drop()],
      ],
      { hook: 'forward', prio: FORWARD, policy: 'accept' },
    );
  }

  const to: Statement[][] = [];
  if (ports.length > 0) {
    const unicast = and(ether.daddr, '01:00:00:00:00:00').eq('00:00:00:00:00:00');
    const vmPort = table.among('ports', outPort, ports.map(key.inPort.element));
    const own = table.among(key.destination.name, key.destination.key, ports.map(key.destination.element));
    to.push([own, accept()], [unicast, vmPort, drop()]);
  }
  if (closed.length > 0) to.push([table.among('closed', outPort, closed), drop()]);
  if (facts?.ibrname) {
    const inside = listed.length > 0 ? [[table.among('listed', outPort, listed), accept()]] : [];
    table.chain('to_managed', [...inside, [drop()]]);
    to.push([meta.obrname.in(bridges), goto('to_managed')]);
  }
  if (to.length > 0)
    table.chain('postrouting', to, { hook: 'postrouting', prio: POSTROUTING, policy: 'accept' });
}

/**
 * Frames to 01:80:c2:00:00:0X go around the bridge's prerouting hook, some around all of its hooks, and
 * still teach it where their source is. No VM has to send any: they end at the port's ingress.
 */
function ingress(table: TableWriter, devices: readonly string[]): void {
  const linkLocal = and(ether.daddr, 'ff:ff:ff:ff:ff:f0').eq('01:80:c2:00:00:00');
  for (let i = 0; i < devices.length; i += MOST_DEVICES) {
    table.chain(`ingress_${i / MOST_DEVICES}`, [[linkLocal, drop()]], {
      hook: 'ingress',
      prio: INGRESS,
      policy: 'accept',
      dev: devices.slice(i, i + MOST_DEVICES),
    });
  }
}

/** Takes our tables away, whether they are there or not; the same transaction makes them anew. */
export function clear(facts: Facts = {}): Command[] {
  const families = ['bridge', 'inet', ...(facts.interfaces ? (['netdev'] as const) : [])] as const;
  return families.flatMap((family) => {
    const table = { family, name: TABLE };
    return [{ add: { table } }, { delete: { table } }];
  });
}

function commands(desired: Desired): { commands: Command[]; uncovered: string[] } {
  const { host, policy, facts = {} } = desired;
  const interfaces = interfacesOf(desired);
  const elements: RulesetElement[] = [];
  const managed = Object.keys(host.bridges).length > 0;
  if (managed) {
    const table = tableWriter('bridge', TABLE, host.sets);
    bridgeTable(table, desired, interfaces);
    elements.push(...table.elements());
  }
  if (host.forward === 'deny') {
    const table = tableWriter('inet', TABLE, host.sets);
    forwardDeny(table, host, policy);
    elements.push(...table.elements());
  }
  const present = new Set(facts.interfaces?.map(({ ifname }) => ifname));
  const guarded = [...interfaces.ports.map(({ ifname }) => ifname), ...interfaces.closed].sort();
  const devices = guarded.filter((name) => present.has(name));
  if (devices.length > 0) {
    const table = tableWriter('netdev', TABLE, host.sets);
    ingress(table, devices);
    elements.push(...table.elements());
  }
  return {
    commands: [...clear(facts), ...elements.map((add) => ({ add }))],
    uncovered: guarded.filter((name) => !present.has(name)),
  };
}

/**
 * Turns a host and a policy into one transaction: the tables `bridge uncloud`, `inet uncloud` and, for the
 * VM ports that exist, `netdev uncloud`, each in place of what it held before.
 *
 * - bridge prerouting (priority -300): uplinks pass, VM ports go through port security, unlisted ports of
 *   managed bridges drop, other bridges are left alone
 * - bridge forward: nothing between a listed port and an unlisted one
 * - bridge postrouting: to a VM no unicast frame for another MAC
 * - inet forward: nothing that no VM owns, unless the host says `"forward": "accept"`
 * - netdev ingress: no frame to 01:80:c2:00:00:0X
 *
 * The same input gives the same output, in whatever order it is written.
 */
export function render(desired: Desired): Rendering {
  const { facts, ...input } = desired;
  const { commands: nftables, uncovered } = commands(desired);
  return { ruleset: { nftables }, hash: hash(facts ? commands(input).commands : nftables), uncovered };
}
