import {
  announcement,
  arp,
  BROADCAST,
  dhcp,
  ethernet,
  icmp,
  ipv4,
  ipv6,
  linkLayer,
  multicastMac,
  NA_OVERRIDE,
  neighbourAdvertisement,
  routerAdvertisement,
  tcp,
  udp,
  zeros,
} from '../support/frames/packet/index.ts';

export const PREFIX = 'distributed-firewall/';
export const BRIDGE = 'br0';

/** A VM as its manager knows it: what it is, and where it runs just now. */
export interface Vm {
  readonly id: string;
  readonly ifname: string;
  readonly mac: string;
  readonly ipv4: string;
  readonly ipv6: string;
  readonly groups: readonly string[];
  /** Stays where it is, as long as the simulation lasts. */
  readonly isResident: boolean;
  /** Addresses beside its own. */
  extra: readonly string[];
  /** The number of its host. */
  host: number;
}

const hex = (n: number, digits: number) => n.toString(16).padStart(digits, '0');

export function vmOf(n: number, host: number, groups: readonly string[], isResident = false): Vm {
  return {
    id: `vm${n}`,
    ifname: `v${n}`,
    mac: `02:00:00:00:${hex(n >> 8, 2)}:${hex(n & 255, 2)}`,
    ipv4: `10.0.${n >> 8}.${n & 255}`,
    ipv6: `2001:db8::${hex(n, 1)}`,
    groups,
    isResident,
    extra: [],
    host,
  };
}

/** The value of its key. */
export function recordOf({ ifname, mac, ipv4, ipv6, groups, extra }: Vm): string {
  const nic = {
    ifname,
    bridge: BRIDGE,
    mac,
    ipv4: [`${ipv4}/32`, ...extra.map((address) => `${address}/32`)],
    ipv6: [`${ipv6}/128`],
    ...(groups.length > 0 && { groups }),
  };
  return JSON.stringify({ nics: [nic] });
}

/** The group that web servers are in: its ports are never those that {@link hostileFrames} knock at. */
export const WEB = 'web';
const CLOSED_PORT = 22;

/** A frame, and what is hostile about it. */
export type Named = readonly [what: string, frame: Buffer];

/** Frames that must arrive at no VM, whoever pretends to whom. */
export function hostileFrames(from: Vm, victim: Vm, web: Vm): Named[] {
  const toAll = { src: from.mac, dst: BROADCAST };
  const group = { src: from.mac, dst: multicastMac('ff02::1') };
  const own = `fe80::${from.mac.replaceAll(':', '').replace(/^02(..)(..)(..)(..)(..)$/, '$1:$2ff:fe$3:$4$5')}`;
  const advertisement = ipv6({ src: own, dst: 'ff02::1' }, routerAdvertisement('2001:db8:bad::'));
  const claim = neighbourAdvertisement(victim.ipv6, NA_OVERRIDE, linkLayer(2, from.mac));
  return [
    [
      "a victim's MAC",
      ethernet({ src: victim.mac, dst: BROADCAST }, ipv4({ src: from.ipv4, dst: victim.ipv4 }, icmp())),
    ],
    ["a victim's IPv4", ethernet(toAll, ipv4({ src: victim.ipv4, dst: '10.255.255.255' }, icmp()))],
    ["a victim's IPv6", ethernet(group, ipv6({ src: victim.ipv6, dst: 'ff02::1' }, udp(5000, 5000)))],
    [
      "ARP for a victim's address",
      ethernet(toAll, arp({ op: 2, sha: from.mac, spa: victim.ipv4, tpa: web.ipv4 })),
    ],
    ["a victim's neighbour advertisement", ethernet(group, ipv6({ src: from.ipv6, dst: 'ff02::1' }, claim))],
    ['router advertisement', ethernet(group, advertisement)],
    ['router advertisement, tagged', ethernet(group, advertisement, [{ vid: 0 }])],
    [
      'DHCP offer',
      ethernet(toAll, ipv4({ src: from.ipv4, dst: '255.255.255.255' }, dhcp('offer', victim.mac))),
    ],
    ...(from === web ? [] : [knock(from, web)]),
  ];
}

/** From outside, where nothing but the group of the one that is meant stops it. */
export function outsideFrames(web: Vm): Named[] {
  const outside = { mac: '02:00:00:ff:ff:ff', ipv4: '192.0.2.1' };
  const stray = { src: outside.mac, dst: '02:00:00:ff:00:01' };
  return [
    knock(outside, web),
    ['a MAC that is nobody', ethernet(stray, ipv4({ src: outside.ipv4, dst: web.ipv4 }, icmp()))],
  ];
}

function knock(from: Pick<Vm, 'mac' | 'ipv4'>, web: Vm): Named {
  const packet = ipv4({ src: from.ipv4, dst: web.ipv4 }, tcp(40000, CLOSED_PORT));
  return ['a closed port', ethernet({ src: from.mac, dst: web.mac }, packet)];
}

/** A datagram with room for a number at its end. */
export function datagram(from: Vm, to: Vm): Buffer {
  const frame = ethernet(
    { src: from.mac, dst: to.mac },
    ipv4({ src: from.ipv4, dst: to.ipv4 }, udp(5000, 5001, zeros(32))),
  );
  // Without a checksum, which the number would change (RFC 768).
  frame.writeUInt16BE(0, 14 + 20 + 6);
  return frame;
}

/** What a machine monitor says when a VM has arrived. */
export const arrival = ({ mac }: Vm): Buffer => ethernet({ src: mac, dst: BROADCAST }, announcement(mac));
