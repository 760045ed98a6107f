import {
  accept,
  drop,
  ether,
  icmpv6,
  ip,
  ip6,
  jump,
  meta,
  prefix,
  type RulesetElement,
  type Statement,
  set,
  udp,
} from '../index.ts';
import { cidr, WIDTH } from './address.ts';
import { hash } from './hash.ts';
import type { Policy } from './policy.ts';
import { clear, type Desired, type Rendering, TABLE } from './render.ts';

/** What only the network's operator sends: router advertisements, answers of DHCPv6 and DHCPv4 servers. */
const OPERATOR_ONLY: readonly (readonly Statement[])[] = [
  [icmpv6.type.eq('nd-router-advert'), drop()],
  [ip6.version.eq(6), udp.sport.eq(547), drop()],
  [ip.version.eq(4), udp.sport.eq(67), drop()],
];

/** One accept for each address and network of the bridge's ports, with port and MAC. */
function vmRules(policy: Policy, bridge: string): Statement[][] {
  const nics = Object.values(policy.vms).flatMap(({ nics }) => nics.filter((nic) => nic.bridge === bridge));
  return nics.flatMap(({ ifname, mac, ipv4, ipv6 }) =>
    [...ipv6, ...ipv4].map((text) => {
      const { family, length } = cidr(text);
      const [addr = ''] = text.split('/');
      const block = length === WIDTH[family] ? addr : prefix(addr, length);
      const saddr = family === 'ip' ? ip.saddr : ip6.saddr;
      return [meta.iifname.eq(ifname), ether.saddr.eq(mac), saddr.eq(block), accept()];
    }),
  );
}

/**
 * The ruleset of ungleich's article on VMs behind a bridge, rule for rule: a chain for each bridge with its
 * uplinks, its drops and the list of its VMs, one rule for each address. It is meant for comparison and for
 * sites that run it already: {@link render} checks far more, in a time that does not grow with the VMs.
 *
 * Kernels without `meta ibrname` get the same by the names of the ports. A frame from a port that nobody
 * lists is then not seen by the bridge's chain.
 *
 * It lives in the table `bridge uncloud`, so that either form takes the other's place.
 */
export function renderFaithful({ host, policy, facts = {} }: Desired): Rendering {
  const scope = { family: 'bridge', table: TABLE } as const;
  const chains: RulesetElement[] = [];
  const rules: RulesetElement[] = [];
  const chain = (name: string, bodies: readonly (readonly Statement[])[], base = {}) => {
    chains.push({ chain: { ...scope, name, ...base } });
    for (const expr of bodies) rules.push({ rule: { ...scope, chain: name, expr } });
  };
  const names = Object.keys(host.bridges).sort();
  const portsOf = (name: string) => [
    ...(host.bridges[name]?.uplinks ?? []),
    ...Object.values(policy.vms).flatMap(({ nics }) =>
      nics.filter((nic) => nic.bridge === name).map(({ ifname }) => ifname),
    ),
  ];
  const dispatch = names.flatMap((name) => {
    if (facts.ibrname) return [[meta.ibrname.eq(name), jump(name)]];
    const ports = portsOf(name);
    return ports.length === 0 ? [] : [[meta.iifname.in(set(...ports)), jump(name)]];
  });
  chain('prerouting', dispatch, { type: 'filter', hook: 'prerouting', prio: 0, policy: 'accept' });
  for (const name of names) {
    const { uplinks = [], shared = true } = host.bridges[name] ?? {};
    const list = `${name}_vmlist`;
    chain(name, [
      ...uplinks.map((uplink) => [meta.iifname.eq(uplink), accept()]),
      ...(shared ? OPERATOR_ONLY : []),
      [jump(list)],
      [drop()],
    ]);
    chain(list, vmRules(policy, name));
  }
  const elements = [{ table: { family: 'bridge', name: TABLE } } as const, ...chains, ...rules];
  const nftables = [...clear(facts), ...elements.map((add) => ({ add }))];
  return { ruleset: { nftables }, hash: hash(elements), uncovered: [], unenforced: [] };
}
