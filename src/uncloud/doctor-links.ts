import type { Chain } from '../index.ts';
import { elements, type Findings, type Patient } from './doctor-finding.ts';
import { TABLE } from './render.ts';

/** The bridges: whether they are what the host says, and what goes around their hooks. */
export function* bridges({ links, host, nics, ruleset }: Patient): Findings {
  const guarded = new Set(
    elements<Chain>(ruleset, 'chain')
      .filter(({ family, table }) => family === 'netdev' && table === TABLE)
      .flatMap(({ dev = [] }) => dev),
  );
  for (const [name, { mac }] of Object.entries(host.bridges)) {
    const link = links.find(({ ifname }) => ifname === name);
    if (!link) {
      yield {
        severity: 'loses',
        where: name,
        what: 'this bridge does not exist',
        remedy: `ip link add ${name} type bridge`,
      };
      continue;
    }
    const data = link.linkinfo?.info_data ?? {};
    if (link.linkinfo?.info_kind !== 'bridge') {
      yield {
        severity: 'defeats',
        where: name,
        what: `it is no bridge of Linux but ${link.linkinfo?.info_kind ?? 'an interface'}: bridge hooks see none of its frames`,
        remedy: 'the backend netdev for it',
      };
      continue;
    }
    const open = nics.filter((nic) => nic.bridge === name && !guarded.has(nic.ifname));
    const present = open.filter(({ ifname }) => links.some((other) => other.ifname === ifname));
    if (data.no_linklocal_learn !== 1 && present.length > 0) {
      yield {
        severity: 'defeats',
        where: name,
        what: `frames to 01:80:c2:00:00:0X from ${some(present)} teach it any source MAC: those ports have no ingress chain`,
        remedy: `ip link set ${name} type bridge no_linklocal_learn 1, or nftjs uncloud apply`,
      };
    }
    if (data.group_fwd_mask !== undefined && Number(data.group_fwd_mask) !== 0 && present.length > 0) {
      yield {
        severity: 'defeats',
        where: name,
        what: `group_fwd_mask ${data.group_fwd_mask}: it forwards frames to reserved groups, which go around its rules`,
        remedy: `ip link set ${name} type bridge group_fwd_mask 0`,
      };
    }
    if (mac !== undefined && link.address !== undefined && mac !== link.address) {
      yield {
        severity: 'weakens',
        where: name,
        what: `its MAC is ${link.address}, the host description says ${mac}: a VM may claim the real one`,
        remedy: `ip link set ${name} address ${mac}`,
      };
    }
    const thief = nics.find((nic) => nic.bridge === name && nic.mac === link.address);
    if (thief) {
      yield {
        severity: 'loses',
        where: name,
        what: `its MAC is that of ${thief.ifname}'s VM: it keeps the VM's frames for itself`,
        remedy: `ip link set ${name} address …`,
      };
    }
  }
}

/** The ports: whether they are where the policy says, and what sees their frames before any rule. */
export function* ports({ links, host, nics }: Patient): Findings {
  const byName = new Map(links.map((link) => [link.ifname, link]));
  for (const { ifname, bridge } of nics) {
    const link = byName.get(ifname);
    if (link && link.master !== bridge && host.bridges[bridge]?.backend !== 'netdev') {
      yield {
        severity: 'defeats',
        where: ifname,
        what: link.master
          ? `it is on ${link.master}, the policy says ${bridge}`
          : `it is on no bridge: bridge hooks see none of its frames`,
        remedy: `ip link set ${ifname} master ${bridge}, or the backend netdev`,
      };
    }
    if (link?.xdp !== undefined) {
      yield {
        severity: 'defeats',
        where: ifname,
        what: 'an XDP program sees its frames before any rule, and may send them on',
        remedy: `look with ip link show ${ifname}`,
      };
    }
    if (link?.linkinfo?.info_slave_data?.neigh_suppress === true) {
      yield {
        severity: 'weakens',
        where: ifname,
        what: 'neigh_suppress: the bridge answers for neighbours by what it overheard',
        remedy: `bridge link set dev ${ifname} neigh_suppress off`,
      };
    }
  }
  for (const [bridge, { uplinks }] of Object.entries(host.bridges)) {
    for (const uplink of uplinks) {
      const link = byName.get(uplink);
      if (link?.master === bridge) continue;
      yield {
        severity: 'loses',
        where: uplink,
        what: link ? `this uplink is not on ${bridge}` : `this uplink of ${bridge} does not exist`,
        remedy: `ip link set ${uplink} master ${bridge}`,
      };
    }
    const listed = new Set([...uplinks, ...nics.map(({ ifname }) => ifname)]);
    const strangers = links.filter(({ ifname, master }) => master === bridge && !listed.has(ifname));
    if (strangers.length > 0) {
      yield {
        severity: 'loses',
        where: bridge,
        what: `nobody lists ${some(strangers)}: nothing passes there`,
        remedy: 'list it in the policy, as an uplink, or take it off the bridge',
      };
    }
  }
}

function some(named: readonly { readonly ifname: string }[]): string {
  const names = named.map(({ ifname }) => ifname);
  return names.length > 5 ? `${names.slice(0, 5).join(', ')} and ${names.length - 5} more` : names.join(', ');
}
