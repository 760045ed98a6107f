import {
  accept,
  concat,
  ct,
  drop,
  goto,
  icmp,
  icmpv6,
  ip,
  ip6,
  masquerade,
  meta,
  type Operand,
  prefix,
  range,
  reject,
  return_,
  type Statement,
  set,
  tcp,
  udp,
  type Verdict,
} from '../index.ts';
import { identifier } from './check.ts';
import type { Context } from './context.ts';
import { truncated } from './key.ts';
import type { Network } from './network.ts';
import { blockSet } from './peer.ts';
import { WITH_PORTS } from './protocol.ts';
import type { TableWriter } from './table.ts';

type Body = readonly Statement[];
type Side = 'saddr' | 'daddr';

const FIELDS = {
  ip: { saddr: ip.saddr, daddr: ip.daddr, type: 'ipv4_addr' },
  ip6: { saddr: ip6.saddr, daddr: ip6.daddr, type: 'ipv6_addr' },
} as const;

/** nft's priorities `filter` and `srcnat`. */
const FILTER = 0;
const SRCNAT = 100;

const refuse = reject({ type: 'icmpx', expr: 'port-unreachable' });

/** Multicast and broadcast, which stay on the network. */
const LOCAL = {
  ip: set(prefix('224.0.0.0', 4), '255.255.255.255'),
  ip6: prefix('ff00::', 8),
} as const;

/** The blocks of a network, by family. */
function blocksOf({ ipv4, ipv6 }: Network): ['ip' | 'ip6', readonly string[]][] {
  return (
    [
      ['ip', ipv4],
      ['ip6', ipv6],
    ] as ['ip' | 'ip6', readonly string[]][]
  ).filter(([, texts]) => texts.length > 0);
}

function within(network: Network, side: Side, verdict: Verdict): Body[] {
  return blocksOf(network).map(([family, texts]) => [FIELDS[family][side].eq(blockSet(texts)), verdict]);
}

/** The rules for what comes from a network that is not open. */
function leaving(network: Network): Body[] {
  return network.mode === 'isolated' ? [[refuse]] : [...within(network, 'saddr', goto('leaving')), [refuse]];
}

/** The rules for what goes to a network. */
function entering(network: Network): Body[] {
  switch (network.mode) {
    case 'open':
      return [[accept()]];
    case 'routed':
      return [...within(network, 'daddr', accept()), [refuse]];
    case 'nat':
      return [
        ...blocksOf(network).map(
          ([family, texts]): Body => [
            FIELDS[family].daddr.eq(blockSet(texts)),
            ct.state.in('established', 'related'),
            accept(),
          ],
        ),
        [refuse],
      ];
    case 'isolated':
      return [[refuse]];
  }
}

/** From interfaces to a chain for each network, which ends what comes there. */
function dispatch(
  port: Operand,
  networks: readonly [string, Network][],
  chain: (name: string) => string,
): Body[] {
  if (networks.length === 0) return [];
  const names = networks.map(([name]) => name);
  return [
    [port.vmap(names.map((name) => [name, goto(chain(name))] as const))],
    // The map is empty to a packet under way while it is replaced; sets are not.
    [port.in(set(...names)), drop()],
  ];
}

const fromNetwork = (name: string) => `from/${identifier(name)}`;
const toNetwork = (name: string) => `to/${identifier(name)}`;

/** Ports of services that a network's guests need of their host: DNS, DHCP and TFTP; DHCPv6 beside. */
const SERVICES = { tcp: set(53), udp: set(53, 67, 69, 547) };

function networkChains(table: TableWriter, networks: readonly [string, Network][]): void {
  for (const [name, network] of networks) {
    if (network.mode !== 'open') table.chain(fromNetwork(name), leaving(network));
    table.chain(toNetwork(name), entering(network));
  }
  if (networks.some(([, { mode }]) => mode === 'nat' || mode === 'routed')) {
    table.chain('leaving', [...dispatch(meta.oifname, networks, toNetwork), [accept()]]);
  }
  const guarded = networks.filter(([, { input }]) => input === 'services');
  if (guarded.length > 0) {
    table.chain('services', [
      [ct.state.in('established', 'related'), accept()],
      [tcp.dport.in(SERVICES.tcp), accept()],
      [udp.dport.in(SERVICES.udp), accept()],
      [icmp.type.eq('echo-request'), accept()],
      // Echo, MLD, and neighbour discovery.
      [icmpv6.type.in(set(128, 131, 132, 133, 135, 136, 143)), accept()],
      [meta.l4proto.eq(2), accept()],
      [refuse],
    ]);
    table.chain(
      'input',
      dispatch(meta.iifname, guarded, () => 'services'),
      {
        hook: 'input',
        prio: FILTER,
        policy: 'accept',
      },
    );
  }
  const translated = networks.filter(([, { mode }]) => mode === 'nat');
  if (translated.length > 0) {
    const rules = translated.flatMap(([name, network]) =>
      blocksOf(network).flatMap(([family, texts]): Body[] => {
        const { saddr, daddr } = FIELDS[family];
        const own = [meta.iifname.eq(name), saddr.eq(blockSet(texts))];
        return [
          [...own, daddr.eq(LOCAL[family]), return_()],
          [...own, daddr.eq(blockSet(texts)), return_()],
          [...own, meta.l4proto.in(set(...WITH_PORTS)), masquerade({ port: range(1024, 65535) })],
          [...own, masquerade()],
        ];
      }),
    );
    table.chain('nat', rules, { type: 'nat', hook: 'postrouting', prio: SRCNAT, policy: 'accept' });
  }
}

/** Bridges, as far as they are known: those of the host's description and those that interfaces are ports of. */
function bridgesOf({ host, facts, policy }: Context): string[] {
  const masters = (facts.interfaces ?? []).flatMap(({ bridge }) => bridge ?? []);
  return [...new Set([...Object.keys(host.bridges), ...Object.keys(policy.networks), ...masters])].sort();
}

/**
 * Routed packets: virtual networks by their mode; then, unless the host forwards, only what a VM owns the
 * source or the destination of.
 */
export function forwardChains(table: TableWriter, context: Context): void {
  const { host, policy } = context;
  const networks = Object.entries(policy.networks);
  const denies = host.forward === 'deny';
  if (!denies && networks.length === 0) return;
  networkChains(table, networks);
  const rules: Body[] = [];
  const bridges = bridgesOf(context);
  if (bridges.length > 0) {
    // With br_netfilter bridged packets come by here as well: they are the business of the bridge's own rules.
    const pairs = bridges.map((name) => [name, name]);
    rules.push([concat(meta.iifname, meta.oifname).in(set(...pairs)), accept()]);
  }
  const closed = networks.filter(([, { mode }]) => mode !== 'open');
  rules.push(...dispatch(meta.iifname, closed, fromNetwork));
  rules.push(...dispatch(meta.oifname, networks, toNetwork));
  const open = networks.filter(([, { mode }]) => mode === 'open').map(([name]) => name);
  if (open.length > 0) rules.push([meta.iifname.in(set(...open)), accept()]);
  if (denies) {
    for (const family of ['ip', 'ip6'] as const) {
      for (const length of table.lengths(family)) {
        for (const side of ['saddr', 'daddr'] as const) {
          const { [side]: field, type } = FIELDS[family];
          const key = { operand: truncated(family, field, length), type };
          rules.push([table.among(`${family}_${length}`, key), accept()]);
        }
      }
      for (const side of ['saddr', 'daddr'] as const) {
        const { [side]: operand, type } = FIELDS[family];
        rules.push([table.learned(`learned_${family}`, { operand, type }), accept()]);
      }
    }
  }
  table.decide('forward', rules, denies ? drop() : accept(), { hook: 'forward', prio: FILTER });
}
